using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class BenchCommandTests : IDisposable
{
    private const int Vocabulary = 101, Embedding = 20, Hidden = 36, Batch = 5, Bptt = 7, Length = 90;

    private static readonly string[] Tiny =
    [
        "bench", "--size", "tiny", "--vocabulary", $"{Vocabulary}", "--embedding", $"{Embedding}", "--hidden", $"{Hidden}", "--layers", "2",
        "--batch", $"{Batch}", "--bptt", $"{Bptt}", "--length", $"{Length}",
    ];

    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task LanguageModel_Json_IsConsistentInItself()
    {
        (JsonElement report, string output) = await BenchAsync(null, [.. Tiny, "--threads", "2", "--steps", "3", "--profile"]);

        // Layer 0: 20 → 36, layer 1: 36 → 20; four gates, two biases; the embedding once, the decoder's bias not at all.
        const long Weights = (4 * Hidden * (Embedding + Hidden + 2)) + (4 * Embedding * (Hidden + Embedding + 2)) + (Vocabulary * Embedding);
        double seconds = Number(report, "medianStepSeconds");
        Assert.Equal(Weights, Number(report, "countedWeights"));
        Assert.Equal(Batch * Bptt, Number(report, "tokensPerStep"));
        Assert.Equal(Batch * Bptt / seconds, Number(report, "tokensPerSecond"), 1e-6 / seconds);
        AssertClose(6e-9 * Weights * Number(report, "tokensPerSecond"), Number(report, "gflopPerSecond"));
        AssertClose(Number(report, "gflopPerSecond") / Number(report, "peakGflopPerSecond"), Number(report, "shareOfPeak"));
        Assert.InRange(Number(report, "shareOfPeak"), double.Epsilon, 1);
        AssertClose(Number(report, "gflopPerSecond") / Number(report, "cachePeakGflopPerSecond"), Number(report, "shareOfCachePeak"));
        Assert.InRange(Number(report, "bestStepSeconds"), double.Epsilon, seconds);
        Assert.InRange(Number(report, "peakMemoryBytes"), 10e6, 1e9);
        Assert.Equal(2, Number(report, "threads"));
        Assert.Equal(3, Number(report, "steps"));
        Assert.Contains(Text(report, "instructionSet"), (string[])["avx512", "avx2", "vector128", "scalar"]);
        Assert.Contains(Text(report, "weightsDigest"), output, StringComparison.Ordinal);
        Assert.Contains("recurrenceBackward", output, StringComparison.Ordinal);

        JsonElement[] parts = [.. report.GetProperty("parts").EnumerateArray()];
        Assert.Contains("optimizer", parts.Select(part => Text(part, "part")));
        Assert.InRange(parts.Sum(part => Number(part, "shareOfStep")), 0.2, 1);
        Assert.All(parts, part => Assert.Equal(part.GetProperty("gflopPerSecond").ValueKind == JsonValueKind.Null, part.GetProperty("shareOfPeak").ValueKind == JsonValueKind.Null));
    }

    [Fact]
    public async Task Classifier_Json_CountsTheLayersAndTheTokensOfTheDocuments()
    {
        (JsonElement report, _) = await BenchAsync(null, [.. Tiny, "--task", "classifier", "--threads", "1", "--steps", "2"]);

        const long Weights = (4 * Hidden * (Embedding + Hidden + 2)) + (4 * Embedding * (Hidden + Embedding + 2));
        Assert.Equal(Weights, Number(report, "countedWeights"));
        Assert.Equal(Batch * Length, Number(report, "tokensPerStep"));
        AssertClose(6e-9 * Weights * Batch * Length / Number(report, "medianStepSeconds"), Number(report, "gflopPerSecond"));
        Assert.Equal(JsonValueKind.Null, report.GetProperty("bptt").ValueKind);
    }

    [Theory]
    [InlineData("lm")]
    [InlineData("classifier")]
    public async Task Weights_AfterTwentySteps_AreTheSameOnAnyThreadsAndInstructions(string task)
    {
        string[] arguments = [.. Tiny, "--task", task, "--steps", "20", "--threads"];
        (JsonElement reference, _) = await BenchAsync(null, [.. arguments, "1"]);
        string digest = Text(reference, "weightsDigest");
        foreach ((string? variable, string threads) in ((string?, string)[])[(null, "2"), (null, "3"), ("DOTNET_EnableAVX512=0", "1"), ("DOTNET_EnableAVX2=0", "2"), ("DOTNET_EnableHWIntrinsic=0", "2")])
        {
            (JsonElement other, _) = await BenchAsync(variable, [.. arguments, threads]);
            Assert.True(digest == Text(other, "weightsDigest"), $"With {threads} threads and {variable ?? "no variable"} ({Text(other, "instructionSet")}) the weights are others.");

            // Otherwise equal weights would say nothing: the variables are those of x64, and must have had their effect.
            if (Text(reference, "instructionSet") is "avx512" or "avx2")
            {
                string expected = variable switch { null => Text(reference, "instructionSet"), "DOTNET_EnableAVX512=0" => "avx2", _ => "scalar" };
                Assert.Equal(expected, Text(other, "instructionSet"));
            }
        }

        (JsonElement seeded, _) = await BenchAsync(null, [.. arguments, "1", "--seed", "2"]);
        Assert.NotEqual(digest, Text(seeded, "weightsDigest"));
        (JsonElement longer, _) = await BenchAsync(null, [.. Tiny, "--task", task, "--steps", "21", "--threads", "1"]);
        Assert.NotEqual(digest, Text(longer, "weightsDigest"));
    }

    [Fact]
    public async Task Gemm_Json_NamesEveryProductOfTheStep()
    {
        (JsonElement report, _) = await BenchAsync(null, [.. Tiny, "--task", "gemm", "--threads", "1"]);

        JsonElement[] products = [.. report.GetProperty("products").EnumerateArray()];
        Assert.Contains(products, product => Text(product, "name") == "logits" && Number(product, "rows") == Batch * Bptt && Number(product, "columns") == Vocabulary && Number(product, "depth") == Embedding);
        Assert.Contains(products, product => Text(product, "name") == "recurrent and gates" && Number(product, "rows") == Batch && Number(product, "columns") == 4 * Hidden && Number(product, "depth") == Hidden);
        Assert.All(products, product => Assert.InRange(Number(product, "gflopPerSecond"), double.Epsilon, Number(product, "bestGflopPerSecond")));
        Assert.All(products, product => AssertClose(Number(product, "gflopPerSecond") / Number(report, "peakGflopPerSecond"), Number(product, "shareOfPeak")));
    }

    [Fact]
    public async Task Tokenizer_OwnFile_IsMeasuredInBytesOfUtf8()
    {
        string texts = workspace.Write("texts.txt", "Größe, I can't say.\nfour words of text\n");

        (JsonElement report, _) = await BenchAsync(null, ["bench", "--task", "tokenizer", "--data", texts, "--steps", "2"]);

        Assert.Equal(2, Number(report, "texts"));
        Assert.Equal(System.Text.Encoding.UTF8.GetByteCount("Größe, I can't say.four words of text"), Number(report, "bytes"));
        Assert.Equal(Text(report, "source"), texts);
        Assert.True(Number(report, "tokenCount") > 10);
        Assert.Equal(Number(report.GetProperty("tokens"), "megabytesPerSecond"), Number(report, "megabytesPerSecond"));
        foreach (string way in (string[])["tokens", "ids"])
        {
            JsonElement speed = report.GetProperty(way);
            Assert.InRange(Number(speed, "megabytesPerSecond"), Number(speed, "firstMegabytesPerSecond"), Number(speed, "bestMegabytesPerSecond"));
        }
    }

    [Theory]
    [InlineData("lm")]
    [InlineData("classifier")]
    public async Task RealText_ForSomeSeconds_TellsTheTrainingFromTheLoading(string task)
    {
        (JsonElement report, _) = await BenchAsync(null, ["bench", "--task", task, "--size", "tiny", "--data", workspace.Data, "--minutes", "0.03", "--batch", "8", "--bptt", "9", "--length", "12", "--threads", "1"]);

        double tokens = Number(report, "tokens"), training = Number(report, "trainingSeconds"), loading = Number(report, "loadingSeconds");
        Assert.True(Number(report, "steps") > 1, report.ToString());
        Assert.InRange(training, 1.8, 60);
        Assert.InRange(Number(report, "stepSeconds"), double.Epsilon, training);
        AssertClose(tokens / training, Number(report, "tokensPerSecond"));
        AssertClose(tokens / (training + loading), Number(report, "tokensPerSecondWithLoading"));
        JsonElement shortStep = report.GetProperty("shortStep");
        AssertClose(Number(report, "tokensPerSecond") / Number(shortStep, "tokensPerSecond"), Number(report, "shareOfShortStep"));
        Assert.Equal(Number(report, "vocabulary"), Number(shortStep, "vocabulary"));
        Assert.InRange(Number(report, "vocabulary"), 16, 200);
        Assert.InRange(Number(report, "documents"), 100, 119);
    }

    public static TheoryData<string[], string> WrongUsage => new()
    {
        { ["--size", "huge"], "'huge'" },
        { ["--task", "sleep"], "'sleep'" },
        { ["--steps", "0"], "--steps must be at least 1" },
        { ["--threads", "0"], "--threads must be at least 1" },
        { ["--hidden", "-3"], "--hidden must be at least 1" },
        { ["--vocabulary", "3"], "--vocabulary must be at least 16" },
        { ["--minutes", "1"], "both --data FILE and --minutes M" },
        { ["--data", "{data}"], "both --data FILE and --minutes M" },
        { ["--data", "{data}", "--minutes", "0"], "--minutes must be positive" },
        { ["--data", "{data}", "--minutes", "1", "--hidden", "8"], "leave out --embedding, --hidden and --layers" },
        { ["--data", "nowhere.csv", "--minutes", "1"], "There is no file 'nowhere.csv'" },
        { ["--task", "gemm", "--data", "{data}"], "reads no text" },
        { ["--task", "tokenizer", "--minutes", "1"], "leave out --minutes" },
        { ["--task", "tokenizer", "--data", "nowhere.txt"], "There is no file 'nowhere.txt'" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public async Task WrongUsage_ExitsWithTwoAndSaysWhatToDo(string[] arguments, string message)
    {
        (int code, _, string error) = await CommandLine.RunAsync(["bench", .. arguments.Select(argument => argument.Replace("{data}", workspace.Data, StringComparison.Ordinal))]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private async Task<(JsonElement Report, string Output)> BenchAsync(string? variable, string[] arguments)
    {
        (int code, string output, string error) = await CommandLine.RunAsync(variable, [.. arguments, "--json", workspace["bench.json"]]);
        Assert.True(code == 0, error + output);
        return (JsonDocument.Parse(await File.ReadAllTextAsync(workspace["bench.json"], TestContext.Current.CancellationToken)).RootElement, output);
    }

    private static double Number(JsonElement element, string name) => element.GetProperty(name).GetDouble();

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static void AssertClose(double expected, double actual) => Assert.Equal(expected, actual, Math.Abs(expected) * 1e-9);
}
