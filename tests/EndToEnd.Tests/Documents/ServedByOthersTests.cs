using System.Text.Json;
using EndToEnd.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using Ulmfit.Cli.Tests;
using Ulmfit.Onnx;
using Ulmfit.Text;

namespace EndToEnd.Tests.Documents;

/// <summary>The scripts in Python that run a published model without the product, held against the product's own answers.</summary>
public sealed class ServedByOthersTests
{
    /// <summary>Their language.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["python"];

    // Where the package for Python is not to be had: what the script asks for is computed by the same ONNX Runtime in this process. Asked for the first time it
    // leaves the inputs and ends.
    private const string StandIn = """
        import json, os, sys
        import numpy

        class InferenceSession:
            def __init__(self, path):
                assert os.path.exists(path)

            def get_modelmeta(self):
                self.custom_metadata_map = json.load(open("metadata.json"))
                return self

            def run(self, outputs, inputs):
                if not os.path.exists("probabilities.json"):
                    json.dump({name: [str(value.dtype), list(value.shape), value.ravel().tolist()] for name, value in inputs.items()}, open("inputs.json", "w"))
                    sys.exit()
                return [numpy.array(json.load(open("probabilities.json")), dtype=numpy.float32)]
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Script_OverTheFileOfAModel_GivesTheProductsScores()
    {
        Programs.SkipUnlessThere("bash", "jq", "python3");
        CodeBlock script = Assert.Single(MarkdownDocument.Paths.SelectMany(path => new MarkdownDocument(path).Blocks()), block => Languages.Contains(block.Info));
        using var shell = new DocumentShell(host: null);
        Assert.SkipUnless((await shell.TryAsync("NumPy", "python3 -c 'import numpy'")).Code == 0, "There is no NumPy.");
        await shell.RunAsync("a model", "ulmfit train --data train.csv --direction both --out . && [ -f model.onnx ]");
        byte[] model = await File.ReadAllBytesAsync(At("model.onnx"), Ct);
        using var session = new InferenceSession(model);
        shell.Write("onnxruntime.py", StandIn);
        shell.Write("script.py", script.Content);
        shell.Write("metadata.json", JsonSerializer.Serialize(session.ModelMetadata.CustomMetadataMap));

        await shell.RunAsync("the script, for its inputs", "python3 script.py");
        JsonElement inputs = JsonDocument.Parse(await File.ReadAllTextAsync(At("inputs.json"), Ct)).RootElement;
        shell.Write("probabilities.json", JsonSerializer.Serialize(Run(session, inputs)));
        float[][] scores = JsonSerializer.Deserialize<float[][]>(await shell.RunAsync("the script", "python3 script.py"))!;

        using var served = OnnxTextClassifier.Load(model, Vocabulary.Load(At("vocabulary.json")), JsonSerializer.Deserialize<string[]>(await File.ReadAllBytesAsync(At("labels.json"), Ct))!);
        Assert.NotEqual(1, served.Temperature);
        float[][] expected = served.PredictTokens(DocumentsOf(inputs), Ct);
        Assert.Equal(expected.Length, scores.Length);
        Assert.All(expected.Zip(scores), pair => Assert.All(pair.First.Zip(pair.Second), score => Assert.Equal(score.First, score.Second, 1e-5)));

        string At(string name) => Path.Combine(shell.Folder, name);
    }

    private static float[][] Run(InferenceSession session, JsonElement inputs)
    {
        string[] names = [.. session.InputMetadata.Keys];
        OrtValue[] values = [.. names.Select(name => OrtValue.CreateTensorValueFromMemory(Values(inputs, name), [.. inputs.GetProperty(name)[1].EnumerateArray().Select(size => size.GetInt64())]))];
        try
        {
            using var run = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, names, values, [.. session.OutputMetadata.Keys]);
            float[] probabilities = outputs[0].GetTensorDataAsSpan<float>().ToArray();
            return [.. probabilities.Chunk(probabilities.Length / Values(inputs, "lengths").Length)];
        }
        finally
        {
            Array.ForEach(values, value => value.Dispose());
        }
    }

    private static long[] Values(JsonElement inputs, string name)
    {
        Assert.Equal("int64", inputs.GetProperty(name)[0].GetString());
        return [.. inputs.GetProperty(name)[2].EnumerateArray().Select(value => value.GetInt64())];
    }

    // A column is a text.
    private static int[][] DocumentsOf(JsonElement inputs)
    {
        long[] tokens = Values(inputs, "tokens"), lengths = Values(inputs, "lengths");
        return [.. lengths.Select((length, text) => Enumerable.Range(0, (int)length).Select(time => (int)tokens[(time * lengths.Length) + text]).ToArray())];
    }
}
