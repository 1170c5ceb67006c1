using System.Diagnostics;
using System.Text.Json;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Cli.Tests;

public sealed class CompareCommandTests : IDisposable
{
    private readonly Workspace workspace = new();
    private readonly string settings;

    public CompareCommandTests() => settings = workspace.Write(
        "compare.json", """{"pretrained": "none", "minimumCount": 1, "languageModel": {"epochs": 2, "bptt": 9}, "classifier": {"epochs": 2, "batch": 8, "learningRate": 0.01}}""");

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Compare_Presets_HaveTheWeightsThatTrainGivesAndShareTheirLanguageModel()
    {
        (int code, string output, string error) = await CommandLine.RunAsync(
            [.. Compare("runs", "full,ulmfit,no-lm-finetuning"), "--direction", "forward", "--seeds", "1,2", "--json", workspace["scores/compare-out.json"], "--markdown", workspace["scores/compare.md"]]);
        Assert.True(code == 0, error);

        // What full comes to, by hand: ulmfit's epochs in all (2 and 4 before them), a tenth of its rate.
        string byHand = workspace.Write("full.json", """
            {
                "pretrained": "none", "minimumCount": 1, "seed": 2, "strategy": "full", "directions": "forward",
                "languageModel": {"fineTune": true, "epochs": 2, "bptt": 9},
                "classifier": {"epochs": 6, "batch": 8, "learningRate": 0.001, "schedule": "constant"}
            }
            """);
        Assert.Equal(0, (await CommandLine.RunAsync("train", "--data", workspace.Data, "--test", workspace.Test, "--settings", byHand, "--out", workspace["full"], "--json", workspace["full-out.json"])).ExitCode);
        JsonElement trained = Json("full-out.json"), report = Json("scores/compare-out.json"), full = report.GetProperty("rows")[0], second = full.GetProperty("scores").GetProperty("runs")[1];
        Assert.Equal("full", full.GetProperty("preset").GetString());
        Assert.Equal(trained.GetProperty("weightsDigest").GetString(), second.GetProperty("weightsDigest").GetString());
        Assert.Equal(trained.GetProperty("accuracy").GetDouble(), second.GetProperty("accuracy").GetDouble());

        // One language model a seed, for two presets.
        Assert.Equal(2, Directory.GetFiles(Path.Combine(workspace["runs"], "language-models"), "*.safetensors").Length);
        Assert.Equal(6, Directory.GetDirectories(Path.Combine(workspace["runs"], "trainings")).Length);
        Assert.True(report.GetProperty("finished").GetBoolean());
        JsonElement statistics = full.GetProperty("scores").GetProperty("accuracy");
        double[] accuracies = [.. full.GetProperty("scores").GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("accuracy").GetDouble())];
        Assert.Equal(accuracies.Average(), statistics.GetProperty("mean").GetDouble(), 1e-12);
        Assert.Equal(accuracies.Max(), statistics.GetProperty("maximum").GetDouble());
        string markdown = File.ReadAllText(workspace["scores/compare.md"]);
        Assert.Contains(second.GetProperty("weightsDigest").GetString()!, markdown, StringComparison.Ordinal);
        Assert.Contains("| no-lm-finetuning |", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_KilledInTheMiddleAndRepeated_GoesOnWithTheSameWeights()
    {
        string[] Arguments(string folder) => [.. Compare(folder, "last,full"), "--direction", "forward", "--seeds", "3", "--json", workspace[folder + ".json"]];
        Assert.Equal(0, (await CommandLine.RunAsync(Arguments("whole"))).ExitCode);
        using (Process process = CommandLine.Start(Arguments("killed")))
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line && !line.Contains("forward   all", StringComparison.Ordinal))
            {
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.False(Json("killed.json").GetProperty("finished").GetBoolean());
        (int code, string output, string error) = await CommandLine.RunAsync(Arguments("killed"));

        Assert.True(code == 0, error);
        Assert.Contains("1/2 last, seed 3: accuracy", output, StringComparison.Ordinal);
        Assert.Contains("finished before", output, StringComparison.Ordinal);
        Assert.DoesNotContain("forward   lm ", output, StringComparison.Ordinal);
        Assert.Equal(Digests("whole.json"), Digests("killed.json"));

        // Everything is there now: nothing is trained.
        (_, output, _) = await CommandLine.RunAsync(Arguments("killed"));
        Assert.DoesNotContain("train loss", output, StringComparison.Ordinal);
        Assert.Equal(Digests("whole.json"), Digests("killed.json"));
    }

    [Fact]
    public async Task Compare_ForwardBackwardAndBoth_TrainEachDirectionOnce()
    {
        (int code, _, string error) = await CommandLine.RunAsync([.. Compare("runs", "directions"), "--seeds", "1", "--json", workspace["directions.json"]]);

        Assert.True(code == 0, error);
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(workspace["runs"], "trainings")).Length);
        Assert.Equal(3, Digests("directions.json").Distinct().Count());
        string both = workspace.Write("both.json", """
            {"pretrained": "none", "minimumCount": 1, "seed": 1, "languageModel": {"fineTune": true, "epochs": 2, "bptt": 9}, "classifier": {"epochs": 2, "batch": 8, "learningRate": 0.01, "discriminative": true}}
            """);
        Assert.Equal(0, (await CommandLine.RunAsync("train", "--data", workspace.Data, "--settings", both, "--out", workspace["both"], "--json", workspace["both-out.json"])).ExitCode);
        Assert.Equal(Json("both-out.json").GetProperty("weightsDigest").GetString(), Digests("directions.json")[2]);
    }

    [Fact]
    public async Task Compare_SettingsOfARow_TrainTheSameWeights()
    {
        (int code, _, string error) = await CommandLine.RunAsync([.. Compare("runs", "transfer,scratch"), "--direction", "forward", "--seeds", "5", "--json", workspace["transfer.json"]]);

        Assert.True(code == 0, error);
        Assert.Single(Directory.GetFiles(Path.Combine(workspace["runs"], "language-models"), "*.safetensors"));
        foreach (JsonElement row in Json("transfer.json").GetProperty("rows").EnumerateArray())
        {
            string name = row.GetProperty("preset").GetString()!, file = workspace.Write(name + ".json", row.GetProperty("settings").ToString());
            (code, _, error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--settings", file, "--out", workspace["model-" + name], "--json", workspace[name + "-out.json"]);
            Assert.True(code == 0, error);
            Assert.Equal(Json(name + "-out.json").GetProperty("weightsDigest").GetString(), row.GetProperty("scores").GetProperty("runs")[0].GetProperty("weightsDigest").GetString());
        }
    }

    [Fact]
    public async Task Compare_TrainingThatDiverges_IsARowAndNotTheEnd()
    {
        await workspace.ImportPretrainedAsync();
        MakeHuge(Path.Combine(workspace["pretrained"], PretrainedLibrary.ForwardFile));
        string wild = workspace.Write("wild.json", """
            {"minimumCount": 1, "languageModel": {"epochs": 1, "bptt": 9}, "classifier": {"totalEpochs": 1, "batch": 8}}
            """);
        (int code, string output, string error) = await CommandLine.RunAsync(
            "compare", "--data", workspace.Data, "--test", workspace.Test, "--pretrained", workspace["pretrained"], "--settings", wild, "--direction", "forward", "--presets", "lm-full,scratch", "--seeds", "1", "--out", workspace["runs"], "--json", workspace["wild-out.json"]);

        Assert.True(code == 1, error);
        Assert.Contains("1 of 1 diverged", output, StringComparison.Ordinal);
        JsonElement rows = Json("wild-out.json").GetProperty("rows");
        Assert.Equal(JsonValueKind.Null, rows[0].GetProperty("scores").GetProperty("accuracy").ValueKind);
        Assert.Equal(1, rows[1].GetProperty("scores").GetProperty("accuracy").GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Compare_TestLabelsThatAreNotTrained_AreRefusedBeforeTraining()
    {
        string test = workspace.Write("other.csv", "text,label\n\"a zebra\",animals\n");

        (int code, _, string error) = await CommandLine.RunAsync(
            "compare", "--presets", "last", "--data", workspace.Data, "--test", test, "--settings", settings, "--out", workspace["runs"]);

        Assert.Equal(2, code);
        Assert.Contains("labels that the model does not know: animals", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(workspace["runs"], "trainings")));
    }

    [Fact]
    public async Task Compare_FolderInWhichAnotherWorks_IsRefused()
    {
        Directory.CreateDirectory(workspace["runs"]);
        using var held = new FileStream(Path.Combine(workspace["runs"], ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

        (int code, _, string error) = await CommandLine.RunAsync([.. Compare("runs", "scratch"), "--direction", "forward"]);

        Assert.Equal(2, code);
        Assert.Contains("Another process works in", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_List_TellsThePresetsAndNeedsNothingElse()
    {
        (int code, string output, string error) = await CommandLine.RunAsync("compare", "--list");

        Assert.True(code == 0, error);
        Assert.All(["scratch", "no-pretraining", "chain-thaw", "freez-cos", "lm-full-discr", "both", "13.36"], name => Assert.Contains(name, output, StringComparison.Ordinal));
    }

    public static TheoryData<string[], string> WrongUsage => new()
    {
        { ["compare", "--data", "{data}"], "--test" },
        { ["compare", "--data", "{data}", "--test", "{data}", "--presets", "fulll"], "'fulll' is not known. Presets: ulmfit, scratch" },
        { ["compare", "--data", "{data}", "--test", "{data}", "--presets", "full,full"], "--presets names something twice" },
        { ["compare", "--data", "{data}", "--test", "{data}", "--presets", ","], "--presets names nothing" },
        { ["compare", "--data", "{data}", "--test", "{data}", "--seeds", "1,x"], "--seeds: 'x' is no seed" },
        { ["compare", "--data", "{data}", "--test", "nowhere.csv"], "There is no file 'nowhere.csv'" },
        { ["compare", "--data", "{data}", "--test", "{data}", "--from", "model"], "--from" },
        { ["compare", "--data", "{data}", "--test", "{data}", "--settings", "{from}"], "an earlier model in \"from\"" },
        { ["compare", "--data", "{data}", "--test", "{data}", "--seeds", "9007199254740992"], "seed must be at most" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public async Task Compare_WrongUsage_ExitsWithTwoAndSaysWhatToDo(string[] arguments, string message)
    {
        string from = workspace.Write("from.json", """{"from": "model"}""");
        (int code, _, string error) = await CommandLine.RunAsync([.. arguments.Select(argument => argument.Replace("{data}", workspace.Data, StringComparison.Ordinal).Replace("{from}", from, StringComparison.Ordinal))]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private string[] Compare(string folder, string presets) =>
        ["compare", "--data", workspace.Data, "--test", workspace.Test, "--settings", settings, "--presets", presets, "--threads", "1", "--out", workspace[folder]];

    private string[] Digests(string name) =>
        [.. Json(name).GetProperty("rows").EnumerateArray().SelectMany(row => row.GetProperty("scores").GetProperty("runs").EnumerateArray()).Select(run => run.GetProperty("weightsDigest").GetString()!)];

    // Weights so large that the first products overflow.
    private static void MakeHuge(string path)
    {
        StateDict weights;
        using (FileStream before = File.OpenRead(path))
        {
            weights = Safetensors.Read(before).Tensors;
        }

        foreach ((_, Tensor tensor) in weights)
        {
            tensor.Data.AsSpan().Fill(1e38f);
        }

        using FileStream after = File.Create(path);
        Safetensors.Write(after, weights);
    }

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(workspace[name])).RootElement;
}
