using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Ulmfit.Data;
using Ulmfit.Onnx;

namespace Ulmfit.Cli;

/// <summary><c>ulmfit classify</c>: the classes of one text, or of every text of a file.</summary>
internal static class ClassifyCommand
{
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Folder of the trained model", Required = true };
        Argument<string[]> texts = new("text") { Description = "Texts to classify", Arity = ArgumentArity.ZeroOrMore };
        Option<string?> data = new("--data") { Description = "Classify every text of this file instead: .txt (one a line) or .jsonl, also .gz; one line of JSON each" };
        Option<int> top = new("--top-k") { Description = "How many classes to show", DefaultValueFactory = _ => 3 };
        Option<float> threshold = new("--threshold") { Description = "Where no class has so high a probability, in [0, 1], the answer begins with none" };
        var command = new Command("classify", "Classify texts") { texts, model, data, top, threshold };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(
            parsed.GetRequiredValue(model), parsed.GetValue(texts) ?? [], parsed.GetValue(data), parsed.GetValue(top), parsed.GetValue(threshold), cancellationToken)));
        return command;
    }

    private static int Run(string model, string[] texts, string? data, int top, float threshold, CancellationToken cancellationToken)
    {
        if ((texts.Length == 0) == (data is null))
        {
            throw new UsageException("Give either texts or --data FILE.");
        }

        if (top < 1)
        {
            throw new UsageException("--top-k must be at least 1.");
        }

        if (threshold is not (>= 0 and <= 1))
        {
            throw new UsageException("--threshold must lie in [0, 1].");
        }

        using OnnxTextClassifier classifier = ModelDirectory.Load(model);
        if (data is null)
        {
            foreach ((string text, float[] scores) in texts.Zip(classifier.Predict(texts, cancellationToken)))
            {
                Print(text, classifier.Rank(scores, top, threshold));
            }

            return ExitCodes.Done;
        }

        const int Chunk = 256;
        foreach (string[] chunk in UnlabeledFiles.Read(data).Chunk(Chunk))
        {
            foreach ((string text, float[] scores) in chunk.Zip(classifier.Predict(chunk, cancellationToken)))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { text, predictions = classifier.Rank(scores, top, threshold) }, JsonSerializerOptions.Web));
            }
        }

        return ExitCodes.Done;
    }

    private static void Print(string text, IReadOnlyList<LabelScore> ranked)
    {
        AnsiConsole.MarkupLineInterpolated($"[bold]{text}[/]");
        foreach (LabelScore score in ranked)
        {
            AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"  {score.Score,7:P1}  {score.Label ?? "none is certain enough"}");
        }
    }
}
