using System.Diagnostics;
using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Train_ThenEvaluateThenClassify_WorkOnTheSameFolder()
    {
        string[] train = ["train", "--data", workspace.Data, "--test", workspace.Test, "--settings", workspace.Settings, "--out", workspace["model"], "--json", workspace["train.json"]];
        (int code, string output, string error) = await CommandLine.RunAsync(train);

        Assert.True(code == 0, error);
        Assert.Contains("forward   lm", output, StringComparison.Ordinal);
        Assert.Contains("backward  all", output, StringComparison.Ordinal);
        Assert.Contains("accuracy", output, StringComparison.Ordinal);
        Assert.Equal(["card.json", "labels.json", "model.onnx", "vocabulary.json"], Directory.GetFiles(workspace["model"]).Select(Path.GetFileName).Order());
        JsonElement trained = Json("train.json");
        Assert.True(trained.GetProperty("accuracy").GetDouble() >= 0.7, trained.ToString());
        Assert.Equal(64, trained.GetProperty("weightsDigest").GetString()!.Length);
        Assert.Equal(2, trained.GetProperty("perClass").GetArrayLength());

        Assert.Equal(0, (await CommandLine.RunAsync("evaluate", "--model", workspace["model"], "--data", workspace.Test, "--json", workspace["evaluate.json"])).ExitCode);
        Assert.Equal(trained.GetProperty("accuracy").GetDouble(), Json("evaluate.json").GetProperty("accuracy").GetDouble());
        Assert.Equal(trained.GetProperty("macroF1").GetDouble(), Json("evaluate.json").GetProperty("macroF1").GetDouble());

        string texts = workspace.Write("texts.txt", "may I have some apples 7\nsnow today\n");
        (code, output, _) = await CommandLine.RunAsync("classify", "--model", workspace["model"], "--data", texts, "--top-k", "1");
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, code);
        Assert.Equal(["may I have some apples 7", "snow today"], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()));
        Assert.All(lines, line => Assert.Equal(1, JsonDocument.Parse(line).RootElement.GetProperty("predictions").GetArrayLength()));

        (code, output, _) = await CommandLine.RunAsync("classify", "--model", workspace["model"], "may I have some apples 7");
        Assert.Equal(0, code);
        Assert.Contains("fruit", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_KilledInTheMiddleAndRepeatedOnOtherThreads_GivesTheSameWeights()
    {
        string[] Train(string folder, string threads) => ["train", "--data", workspace.Data, "--settings", workspace.Settings, "--out", workspace[folder], "--json", workspace[folder + ".json"], "--threads", threads];
        Assert.Equal(0, (await CommandLine.RunAsync(Train("whole", "1"))).ExitCode);
        using (Process process = CommandLine.Start(Train("killed", "2")))
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line && !line.Contains("last-3", StringComparison.Ordinal))
            {
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (int code, string output, string error) = await CommandLine.RunAsync(Train("killed", "3"));

        Assert.True(code == 0, error);
        Assert.Contains("forward: going on after", output, StringComparison.Ordinal);
        Assert.Equal(Json("whole.json").GetProperty("weightsDigest").GetString(), Json("killed.json").GetProperty("weightsDigest").GetString());
    }

    [Fact]
    public async Task Train_FolderOfAnotherUnfinishedRun_IsRefused()
    {
        using (Process process = CommandLine.Start("train", "--data", workspace.Data, "--settings", workspace.Settings, "--out", workspace["model"]))
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line && !line.Contains("lm", StringComparison.Ordinal))
            {
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (int code, _, string error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--settings", workspace.Settings, "--out", workspace["model"], "--seed", "7");

        Assert.Equal(2, code);
        Assert.Contains("unfinished training", error, StringComparison.Ordinal);
    }

    public static TheoryData<string[], string> WrongUsage => new()
    {
        { ["train"], "--data" },
        { ["train", "--data", "nowhere.csv"], "There is no file 'nowhere.csv'" },
        { ["train", "--data", "{data}", "--strategy", "graduall"], "choose gradual, full, last, chain-thaw" },
        { ["train", "--data", "{data}", "--strategy", "partial"], "freezeTo must be given" },
        { ["train", "--data", "{data}", "--freeze-to", "-2"], "freezeTo must be given" },
        { ["train", "--data", "{data}", "--strategy", "partial", "--freeze-to", "-9"], "freezeTo is -9" },
        { ["train", "--data", "{data}", "--lm-schedule", "stair"], "--lm-schedule 'stair' is not known" },
        { ["train", "--data", "{data}", "--engine", "gpu"], "it has: cpu" },
        { ["train", "--data", "{data}", "--threads", "0"], "--threads must be at least 1" },
        { ["train", "--data", "{data}", "--pretrained", "nowhere"], "no pretrained model in 'nowhere'" },
        { ["train", "--data", "{data}", "--label-column", "nosuch"], "nosuch" },
        { ["evaluate", "--model", "nowhere", "--data", "{data}"], "holds no model.onnx" },
        { ["classify", "--model", "nowhere"], "Give either texts or --data FILE" },
        { ["frobnicate"], "frobnicate" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public async Task AnyCommand_WrongUsage_ExitsWithTwoAndSaysWhatToDo(string[] arguments, string message)
    {
        (int code, _, string error) = await CommandLine.RunAsync([.. arguments.Select(argument => argument.Replace("{data}", workspace.Data, StringComparison.Ordinal))]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_BadRows_AreNamedAndTheGoodOnesTrained()
    {
        string data = workspace.Write("bad.csv", File.ReadAllText(workspace.Data) + "\n\"a row without a label\",\n");

        (int code, _, string error) = await CommandLine.RunAsync("train", "--data", data, "--settings", workspace.Settings, "--out", workspace["model"], "--strategy", "last", "--no-lm-finetuning", "--direction", "forward");

        Assert.Equal(0, code);
        Assert.Contains("bad.csv(122", error, StringComparison.Ordinal);
        Assert.Contains("label", error, StringComparison.Ordinal);
    }

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(workspace[name])).RootElement;
}
