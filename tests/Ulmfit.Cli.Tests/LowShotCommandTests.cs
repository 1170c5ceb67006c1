using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class LowShotCommandTests : IDisposable
{
    private readonly Workspace workspace = new();
    private readonly string settings;

    public LowShotCommandTests() => settings = workspace.Write(
        "lowshot.json", """{"pretrained": "none", "minimumCount": 1, "languageModel": {"fineTune": true, "epochs": 1, "bptt": 9}, "classifier": {"epochs": 1, "batch": 8, "learningRate": 0.01}}""");

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task LowShot_SemiSupervised_TrainsOneLanguageModelForAllNumbersOfLabels()
    {
        string[] arguments = [.. LowShot("runs", "8,40,all"), "--semi-supervised", "--seeds", "1,2", "--json", workspace["lowshot-out.json"], "--markdown", workspace["lowshot.md"], "--svg", workspace["lowshot.svg"]];
        (int code, string output, string error) = await CommandLine.RunAsync(arguments);
        Assert.True(code == 0, error);

        JsonElement report = JsonDocument.Parse(File.ReadAllText(workspace["lowshot-out.json"])).RootElement;
        JsonElement[] series = [.. report.GetProperty("series").EnumerateArray()];
        int rows = report.GetProperty("subject").GetProperty("trainRows").GetInt32();
        Assert.Equal(["supervised", "semi-supervised", "scratch"], series.Select(one => one.GetProperty("name").GetString()));
        Assert.All(series, one => Assert.Equal([8, 40, rows], one.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("labels").GetInt32())));
        Assert.All(series.SelectMany(one => one.GetProperty("points").EnumerateArray()), point => Assert.Equal(2, point.GetProperty("scores").GetProperty("error").GetProperty("count").GetInt32()));

        // Of each seed: one of all texts, which is also the supervised one of all labels, and two of samples.
        Assert.Equal(2 * 3, Directory.GetFiles(Path.Combine(workspace["runs"], "language-models"), "*.safetensors").Length);
        Assert.Equal(Digests(series[0])[^2..], Digests(series[1])[^2..]);
        Assert.Equal((2 * 9) - 2, Directory.GetDirectories(Path.Combine(workspace["runs"], "trainings")).Length);
        Assert.Contains($"|    {rows} |", output, StringComparison.Ordinal);
        Assert.Contains(Digests(series[1])[0], File.ReadAllText(workspace["lowshot.md"]), StringComparison.Ordinal);
        Assert.Contains("semi-supervised, 40 labels: ", File.ReadAllText(workspace["lowshot.svg"]), StringComparison.Ordinal);

        (_, output, _) = await CommandLine.RunAsync(arguments);
        Assert.DoesNotContain("train loss", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LowShot_SelfTraining_TrainsAgainOnWhatTheSemiSupervisedModelIsSurestOf()
    {
        string[] arguments = [.. LowShot("runs", "8,all"), "--self-training", "--seeds", "1", "--json", workspace["lowshot-out.json"]];
        (int code, string output, string error) = await CommandLine.RunAsync(arguments);
        Assert.True(code == 0, error);

        JsonElement report = JsonDocument.Parse(File.ReadAllText(workspace["lowshot-out.json"])).RootElement;
        JsonElement[] series = [.. report.GetProperty("series").EnumerateArray()];
        Assert.Equal(["supervised", "semi-supervised", "self-training", "scratch"], series.Select(one => one.GetProperty("name").GetString()));

        // With all labels there is nothing to label: that is the semi-supervised training, which is the supervised one.
        Assert.NotEqual(Digests(series[1])[0], Digests(series[2])[0]);
        Assert.Equal(Digests(series[1])[1], Digests(series[2])[1]);
        int rows = report.GetProperty("subject").GetProperty("trainRows").GetInt32();
        JsonElement[] labels = [.. JsonDocument.Parse(File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(workspace["runs"], "results"), "*.labels.json")))).RootElement.EnumerateArray()];
        Assert.InRange(labels.Length, ((rows - 8) / 2) - 1, (rows - 8) / 2);

        // Of the sample and of all texts, which the teachers read backward as well; the student does not.
        Assert.Equal(2 * 2, Directory.GetFiles(Path.Combine(workspace["runs"], "language-models"), "*.safetensors").Length);
        Assert.Equal(6 + 2, Directory.GetDirectories(Path.Combine(workspace["runs"], "trainings")).Length);

        // From the labels as they are kept, by the teacher as it was trained: the same bits.
        string[] before = Digests(series[2]);
        foreach (string file in Directory.GetFiles(Path.Combine(workspace["runs"], "results"), "*.json").Where(file => !file.EndsWith(".labels.json", StringComparison.Ordinal)))
        {
            File.Delete(file);
        }

        (code, output, error) = await CommandLine.RunAsync(arguments);
        Assert.True(code == 0, error);
        Assert.DoesNotContain("train loss", output, StringComparison.Ordinal);
        Assert.Equal(before, Digests(JsonDocument.Parse(File.ReadAllText(workspace["lowshot-out.json"])).RootElement.GetProperty("series")[2]));
    }

    [Fact]
    public async Task LowShot_RepresentativeSample_LabelsOtherRowsThanARandomOneAndTheSameEachTime()
    {
        string pretrained = await workspace.ImportPretrainedAsync();
        async Task<JsonElement> Report(string folder, string sample)
        {
            (int code, _, string error) = await CommandLine.RunAsync([
                .. LowShot(folder, "10,all"), "--pretrained", pretrained, "--sample", sample, "--seeds", "1", "--json", workspace[folder + ".json"], "--markdown", workspace[folder + ".md"]]);
            Assert.True(code == 0, error);
            return JsonDocument.Parse(File.ReadAllText(workspace[folder + ".json"])).RootElement;
        }

        JsonElement random = await Report("random", "random"), one = await Report("one", "representative"), two = await Report("two", "representative");

        Assert.Equal("representative", one.GetProperty("sample").GetString());
        Assert.Contains("chose the rows that are labelled", File.ReadAllText(workspace["one.md"]), StringComparison.Ordinal);
        foreach (int way in (int[])[0, 1])
        {
            string[] digests = Digests(one.GetProperty("series")[way]), randomDigests = Digests(random.GetProperty("series")[way]);
            Assert.Equal(digests, Digests(two.GetProperty("series")[way]));
            Assert.NotEqual(randomDigests[0], digests[0]);
            Assert.Equal(randomDigests[1], digests[1]);
        }
    }

    [Fact]
    public async Task LowShot_WithoutOtherTexts_IsSupervisedAndFromScratchAlone()
    {
        (int code, string output, string error) = await CommandLine.RunAsync([.. LowShot("runs", "10"), "--seeds", "1"]);

        Assert.True(code == 0, error);
        Assert.Contains("supervised, 10 labels, seed 1: accuracy", output, StringComparison.Ordinal);
        Assert.Contains("scratch, 10 labels, seed 1: accuracy", output, StringComparison.Ordinal);
        Assert.DoesNotContain("semi-supervised", output, StringComparison.Ordinal);
    }

    public static TheoryData<string[], string> WrongUsage => new()
    {
        { ["--labels", "1"], "--labels: 1 is too few for 2 classes" },
        { ["--labels", "100000"], "--labels: 100000 is more than the" },
        { ["--labels", "some"], "--labels: 'some' is no number of rows" },
        { ["--labels", "20,20"], "--labels names something twice" },
        { ["--labels", "20", "--sample", "representative", "--pretrained", "none"], "a pretrained language model chooses the rows" },
        { ["--labels", "20", "--sample", "best"], "best" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public async Task LowShot_WrongUsage_ExitsWithTwoAndSaysWhatToDo(string[] arguments, string message)
    {
        (int code, _, string error) = await CommandLine.RunAsync(["lowshot", "--data", workspace.Data, "--test", workspace.Test, .. arguments]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private static string[] Digests(JsonElement series) =>
        [.. series.GetProperty("points").EnumerateArray().SelectMany(point => point.GetProperty("scores").GetProperty("runs").EnumerateArray()).Select(run => run.GetProperty("weightsDigest").GetString()!)];

    private string[] LowShot(string folder, string labels) =>
        ["lowshot", "--data", workspace.Data, "--test", workspace.Test, "--settings", settings, "--direction", "forward", "--labels", labels, "--threads", "1", "--out", workspace[folder]];
}
