using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class GenerateCommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Generate_TwiceWithASeed_WritesTheSameTextAndItsTokens()
    {
        await workspace.ImportPretrainedAsync(backward: true);
        string[] Arguments(string file, string seed, string threads) =>
            ["generate", "--model", workspace["pretrained"], "--prompt", "The and", "--tokens", "12", "--temperature", "1", "--top-k", "0", "--seed", seed, "--threads", threads, "--json", workspace[file]];

        (int code, string output, string error) = await CommandLine.RunAsync(Arguments("one.json", "7", "1"));
        Assert.True(code == 0, error);
        Assert.Equal(0, (await CommandLine.RunAsync(Arguments("two.json", "7", "2"))).ExitCode);
        Assert.Equal(0, (await CommandLine.RunAsync(Arguments("three.json", "8", "1"))).ExitCode);

        JsonElement one = Json("one.json");
        string text = one.GetProperty("text").GetString()!;
        Assert.Equal(text, output[..text.Length]);
        Assert.StartsWith("The and", text, StringComparison.Ordinal);
        Assert.Equal("forward", one.GetProperty("direction").GetString());
        Assert.InRange(one.GetProperty("written").GetInt32(), 0, 12);
        Assert.Equal(File.ReadAllText(workspace["one.json"]), File.ReadAllText(workspace["two.json"]));
        Assert.NotEqual(text, Json("three.json").GetProperty("text").GetString());

        (code, output, _) = await CommandLine.RunAsync("generate", "--model", workspace["pretrained"], "--direction", "backward", "--prompt", "the", "--tokens", "5");
        Assert.Equal(0, code);
        Assert.EndsWith("the", output.TrimEnd(), StringComparison.OrdinalIgnoreCase);
    }

    public static TheoryData<string[], string> Refused => new()
    {
        { ["--temperature", "-1"], "--temperature at least 0" },
        { ["--tokens", "0"], "must be at least 1" },
        { ["--direction", "backward"], "no backward weights" },
        { ["--direction", "sideways"], "sideways" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Generate_WrongUsage_ExitsWithTwoAndSaysWhatToDo(string[] arguments, string message)
    {
        await workspace.ImportPretrainedAsync();

        (int code, _, string error) = await CommandLine.RunAsync(["generate", "--model", workspace["pretrained"], .. arguments]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(workspace[name])).RootElement;
}
