using System.Text.Json;

namespace Ulmfit.Cli.Tests;

/// <summary>The language model that ships with the program, named or not.</summary>
public sealed class ShippedModelTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Train_NothingSaidOfPretraining_StartsAtTheModelThatShips()
    {
        string settings = workspace.Write("short.json", """{"languageModel": {"fineTune": false}, "classifier": {"epochs": 1}}""");
        string[] train = ["train", "--data", workspace.Data, "--direction", "forward", "--strategy", "last", "--settings", settings];

        (int code, string output, string error) = await CommandLine.RunAsync([.. train, "--out", workspace["shipped"]]);
        Assert.True(code == 0, error);
        Assert.Contains("starting at the pretrained language model en-small", output, StringComparison.Ordinal);

        (code, output, error) = await CommandLine.RunAsync([.. train, "--pretrained", "none", "--out", workspace["scratch"]]);
        Assert.True(code == 0, error);
        Assert.DoesNotContain("starting at", output, StringComparison.Ordinal);
        Assert.True(
            new FileInfo(Path.Combine(workspace["shipped"], "model.onnx")).Length > 3 * new FileInfo(Path.Combine(workspace["scratch"], "model.onnx")).Length,
            "The shipped model is larger than the tiny one of random weights.");
    }

    [Fact]
    public async Task GenerateAndPretrain_ItsName_IsTakenForAFolder()
    {
        (int code, string output, string error) = await CommandLine.RunAsync("generate", "--model", "en-small", "--prompt", "The river flows", "--tokens", "5");
        Assert.True(code == 0, error);
        Assert.StartsWith("The river flows", output, StringComparison.Ordinal);

        string corpus = workspace.Write("corpus.txt", "the river flows .\n\nthe lake is still .\n\nthe river is deep .\n");
        (code, _, error) = await CommandLine.RunAsync(
            "pretrain", "--corpus", corpus, "--start", "en-small", "--direction", "forward", "--epochs", "1", "--out", workspace["adapted"], "--json", workspace["adapted.json"]);
        Assert.True(code == 0, error);
        JsonElement card = JsonDocument.Parse(File.ReadAllText(Path.Combine(workspace["adapted"], "card.json"))).RootElement;
        Assert.Equal((256, 768), (card.GetProperty("embeddingSize").GetInt32(), card.GetProperty("hiddenSize").GetInt32()));
    }
}
