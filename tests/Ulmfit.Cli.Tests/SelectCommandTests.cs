using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class SelectCommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Select_AnyTexts_WritesSomeOfThemToBeLabelledAndTrainedOn()
    {
        string pretrained = await workspace.ImportPretrainedAsync();
        string odd = "plums, \"blue\" ones,\nand no others";
        string texts = workspace.Write("texts.csv", File.ReadAllText(workspace.Data) + $"\n\"{odd.Replace("\"", "\"\"", StringComparison.Ordinal)}\",fruit\n\"may I have some apples 0\",fruit\n");
        string[] Arguments(string target, string threads) => ["select", "--data", texts, "--labels", "121", "--pretrained", pretrained, "--out", workspace[target], "--threads", threads, "--json"];

        (int code, string output, string error) = await CommandLine.RunAsync(Arguments("one.csv", "1"));
        Assert.True(code == 0, error);
        Assert.Equal(0, (await CommandLine.RunAsync(Arguments("two.csv", "2"))).ExitCode);

        // 120 rows, the odd one, and one that is there twice.
        JsonElement report = JsonDocument.Parse(output).RootElement;
        string[] selected = [.. report.GetProperty("selected").EnumerateArray().Select(text => text.GetString()!)];
        Assert.Equal(121, report.GetProperty("texts").GetInt32());
        Assert.Equal(121, selected.Distinct().Count());
        Assert.Contains(odd, selected);
        Assert.Equal(File.ReadAllBytes(workspace["one.csv"]), File.ReadAllBytes(workspace["two.csv"]));

        // Labels into the empty column, as people would.
        string table = File.ReadAllText(workspace["one.csv"]);
        foreach (string text in selected)
        {
            string quoted = $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\",";
            Assert.Contains(quoted + "\r\n", table, StringComparison.Ordinal);
            bool isWeather = new[] { "rain", "snow", "wind", "fog" }.Any(word => text.Contains(word, StringComparison.Ordinal));
            table = table.Replace(quoted + "\r\n", quoted + (isWeather ? "weather" : "fruit") + "\r\n", StringComparison.Ordinal);
        }

        File.WriteAllText(workspace["one.csv"], table);
        (code, output, error) = await CommandLine.RunAsync("train", "--data", workspace["one.csv"], "--settings", workspace.Settings, "--direction", "forward", "--out", workspace["model"]);
        Assert.True(code == 0, error);
        Assert.DoesNotContain("rejected", error, StringComparison.Ordinal);
        Assert.Contains("2 classes", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Select_IntoAFileThatIsThere_IsRefusedAndLeavesIt()
    {
        string pretrained = await workspace.ImportPretrainedAsync();
        string before = File.ReadAllText(workspace.Test);

        (int code, _, string error) = await CommandLine.RunAsync("select", "--data", workspace.Data, "--labels", "5", "--pretrained", pretrained, "--out", workspace.Test);

        Assert.Equal(2, code);
        Assert.Contains("labels may have been written into it", error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(workspace.Test));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("121")]
    public async Task Select_MoreOrFewerThanThereAre_ExitsWithTwoAndSaysHowMany(string count)
    {
        (int code, _, string error) = await CommandLine.RunAsync("select", "--data", workspace.Data, "--labels", count, "--out", workspace["none.csv"]);

        Assert.Equal(2, code);
        Assert.Contains("give a number from 1 to 120", error, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace["none.csv"]));
    }
}
