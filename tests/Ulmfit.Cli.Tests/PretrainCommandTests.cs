using System.Diagnostics;
using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class PretrainCommandTests : IDisposable
{
    private readonly Workspace workspace = new();
    private readonly string corpus;
    private readonly string settings;

    public PretrainCommandTests()
    {
        corpus = workspace.Write("corpus.txt", Text(0, 60));
        settings = workspace.Write("pretraining.json", """{"size": "tiny", "batch": 4, "bptt": 9, "minimumCount": 1}""");
    }

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Pretrain_BothDirections_MakeAModelThatTrainStartsFrom()
    {
        string valid = workspace.Write("valid.txt", Text(100, 5));
        (int code, string output, string error) = await CommandLine.RunAsync(Pretrain("model", "--valid", valid, "--epochs", "2", "--source", "made sentences", "--license", "CC0"));

        Assert.True(code == 0, error);
        Assert.Contains("forward   step", output, StringComparison.Ordinal);
        Assert.Contains("backward  step", output, StringComparison.Ordinal);
        Assert.Equal(["README.md", "backward.safetensors", "card.json", "forward.safetensors", "vocabulary.json"], Files("model"));
        JsonElement report = Json("model.json");
        Assert.True(report.GetProperty("finished").GetBoolean());
        Assert.InRange(report.GetProperty("perplexity").GetDouble(), 1, 30);
        Assert.Equal(64, report.GetProperty("weightsDigest").GetString()!.Length);
        JsonElement card = JsonDocument.Parse(File.ReadAllText(Path.Combine(workspace["model"], "card.json"))).RootElement;
        Assert.Equal("made sentences", card.GetProperty("source").GetString());
        Assert.Equal("CC0", card.GetProperty("license").GetString());
        Assert.Equal(report.GetProperty("directions").GetProperty("forward").GetProperty("perplexity").GetDouble(), card.GetProperty("forward").GetProperty("perplexity").GetDouble());
        Assert.StartsWith("ulmfit pretrain --corpus ", card.GetProperty("backward").GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.Contains("CC0", File.ReadAllText(Path.Combine(workspace["model"], "README.md")), StringComparison.Ordinal);
        Assert.True(new FileInfo(Path.Combine(workspace["model"], "forward.safetensors")).Length < 3_000_000, "The weights are written in 16 bits.");

        (code, _, error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--settings", workspace.Settings, "--pretrained", workspace["model"], "--out", workspace["classifier"]);
        Assert.True(code == 0, error);

        (code, output, error) = await CommandLine.RunAsync(Pretrain("model", "--valid", valid, "--epochs", "2"));
        Assert.True(code == 0, error);
        Assert.Contains("forward: finished already", output, StringComparison.Ordinal);
        Assert.Equal(report.GetProperty("weightsDigest").GetString(), Json("model.json").GetProperty("weightsDigest").GetString());
    }

    [Fact]
    public async Task Pretrain_KilledAndRepeatedOnOtherThreads_GivesTheSameWeights()
    {
        string[] Command(string folder, string threads, string steps) => Pretrain(folder, "--direction", "forward", "--epochs", "1.5", "--threads", threads, "--checkpoint-steps", steps);
        Assert.Equal(0, (await CommandLine.RunAsync(Command("whole", "1", "1000"))).ExitCode);
        await KillAtFirstCheckpoint(Command("killed", "2", "5"));

        (int code, string output, string error) = await CommandLine.RunAsync(Command("killed", "3", "17"));

        Assert.True(code == 0, error);
        Assert.Contains("forward: going on after", output, StringComparison.Ordinal);
        Assert.Equal(Json("whole.json").GetProperty("weightsDigest").GetString(), Json("killed.json").GetProperty("weightsDigest").GetString());
        Assert.Equal(File.ReadAllBytes(Path.Combine(workspace["whole"], "forward.safetensors")), File.ReadAllBytes(Path.Combine(workspace["killed"], "forward.safetensors")));
        Assert.Equal(["README.md", "card.json", "forward.safetensors", "vocabulary.json"], Files("killed"));
    }

    [Fact]
    public async Task Pretrain_UnfinishedFolder_NamesWhatIsAnother()
    {
        await KillAtFirstCheckpoint(Pretrain("model", "--direction", "forward", "--epochs", "900", "--checkpoint-steps", "5"));

        (int code, _, string error) = await CommandLine.RunAsync(Pretrain("model", "--direction", "forward", "--epochs", "901", "--seed", "7"));
        Assert.Equal(2, code);
        Assert.Contains("epochs was 900, now is 901", error, StringComparison.Ordinal);
        Assert.Contains("seed was 42, now is 7", error, StringComparison.Ordinal);

        // The same words in another order: the vocabulary is the same, the text is not.
        workspace.Write("corpus.txt", string.Join("\n\n", Text(0, 60).Split("\n\n").Reverse()));
        (code, _, error) = await CommandLine.RunAsync(Pretrain("model", "--direction", "forward", "--epochs", "900"));
        Assert.Equal(2, code);
        Assert.Contains("corpus is another", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pretrain_TimeIsUp_LeavesAUsableModelAndGoesOnWhenRepeated()
    {
        string[] command = Pretrain("model", "--direction", "forward", "--epochs", "0.1");
        (int code, string output, string error) = await CommandLine.RunAsync([.. command, "--max-minutes", "0.0001"]);

        Assert.True(code == 0, error);
        Assert.Contains("The same command goes on", output, StringComparison.Ordinal);
        Assert.False(Json("model.json").GetProperty("finished").GetBoolean());
        Assert.Equal(1, Json("model.json").GetProperty("directions").GetProperty("forward").GetProperty("step").GetInt32());
        (code, _, error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--settings", workspace.Settings, "--pretrained", workspace["model"], "--direction", "forward", "--strategy", "last", "--out", workspace["classifier"]);
        Assert.True(code == 0, error);

        (code, output, error) = await CommandLine.RunAsync(command);
        Assert.True(code == 0, error);
        Assert.Contains("forward: going on after 1 of", output, StringComparison.Ordinal);
        Assert.True(Json("model.json").GetProperty("finished").GetBoolean());
    }

    [Fact]
    public async Task Pretrain_FromAnotherModel_CarriesItsWordsOver()
    {
        Assert.Equal(0, (await CommandLine.RunAsync(Pretrain("first", "--direction", "forward", "--epochs", "4"))).ExitCode);
        workspace.Write("corpus.txt", Text(0, 60) + "\n\nthe zebra naps here .");

        (int code, _, string error) = await CommandLine.RunAsync(Pretrain("second", "--direction", "forward", "--epochs", "0.1", "--start", workspace["first"]));
        Assert.True(code == 0, error);
        Assert.Equal(0, (await CommandLine.RunAsync(Pretrain("scratch", "--direction", "forward", "--epochs", "0.1"))).ExitCode);

        Assert.True(Json("second.json").GetProperty("perplexity").GetDouble() < 0.8 * Json("scratch.json").GetProperty("perplexity").GetDouble(), error);
    }

    public static TheoryData<string[], string> WrongUsage => new()
    {
        { ["pretrain", "--corpus", "nowhere.txt", "--out", "{out}"], "There is no file 'nowhere.txt'" },
        { ["pretrain", "--corpus", "{corpus}", "--out", "{out}", "--start", "nowhere"], "no pretrained model in 'nowhere'" },
        { ["pretrain", "--corpus", "{corpus}", "--out", "{out}", "--epochs", "0"], "epochs must lie in (0, 1000]" },
        { ["pretrain", "--corpus", "{corpus}", "--out", "{out}", "--max-minutes", "0"], "--max-minutes must be positive" },
        { ["pretrain", "--corpus", "{corpus}", "--out", "{out}", "--size", "huge"], "huge" },
        { ["pretrain", "--corpus", "{corpus}", "--out", "{out}", "--checkpoint-steps", "0"], "--checkpoint-steps must be at least 1" },
        { ["pretrain", "--corpus", "{latin1}", "--out", "{out}"], "latin1.txt(2,4)" },
        { ["pretrain", "--corpus", "{corpus}"], "--out" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public async Task Pretrain_WrongUsage_ExitsWithTwoAndSaysWhatToDo(string[] arguments, string message)
    {
        File.WriteAllBytes(workspace["latin1.txt"], [.. "some words in a line\nCaf"u8, 0xE9, .. " and more of them\n"u8]);
        Dictionary<string, string> names = new() { ["{corpus}"] = corpus, ["{out}"] = workspace["model"], ["{latin1}"] = workspace["latin1.txt"] };

        (int code, _, string error) = await CommandLine.RunAsync([.. arguments.Select(argument => names.GetValueOrDefault(argument, argument))]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private string[] Pretrain(string folder, params string[] more) =>
        ["pretrain", "--corpus", corpus, "--settings", settings, "--out", workspace[folder], "--json", workspace[folder + ".json"], .. more];

    private static async Task KillAtFirstCheckpoint(string[] command)
    {
        using Process process = CommandLine.Start(command);
        _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line && !line.Contains("checkpoint", StringComparison.Ordinal))
        {
        }

        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private string[] Files(string folder) => [.. Directory.GetFiles(workspace[folder]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(workspace[name])).RootElement;

    private static string Text(int first, int count)
    {
        string[] nouns = ["dog", "cat", "bird", "child", "king", "wind"], verbs = ["barks", "purrs", "sings", "laughs", "rules", "blows"], places = ["here", "there", "at home", "far away"];
        return string.Join("\n\n", Enumerable.Range(first, count).Select(d => string.Join('\n', Enumerable.Range(0, 3 + (d % 5)).Select(s =>
        {
            int noun = ((d * 5) + (s * 7) + (d * s)) % nouns.Length;
            return $"the {nouns[noun]} {verbs[noun]} {places[(d + s) % places.Length]} .";
        }))));
    }
}
