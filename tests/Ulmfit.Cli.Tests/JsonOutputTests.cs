using System.Text.Json;

namespace Ulmfit.Cli.Tests;

/// <summary><c>--json</c> without a file: one document on standard output, and nothing else.</summary>
public sealed class JsonOutputTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task TrainEvaluateAndClassify_JsonWithoutFile_WriteOneDocumentEach()
    {
        string settings = workspace.Write("brief.json", """{"pretrained": "none", "directions": "forward", "strategy": "last", "minimumCount": 1, "languageModel": {"fineTune": false}, "classifier": {"epochs": 2, "batch": 8}}""");
        JsonElement trained = await DocumentAsync(["train", "--data", workspace.Data, "--test", workspace.Test, "--settings", settings, "--out", workspace["model"], "--json"], "weights ");
        Assert.Equal(64, trained.GetProperty("weightsDigest").GetString()!.Length);

        JsonElement scores = await DocumentAsync(["evaluate", "--json", "--model", workspace["model"], "--data", workspace.Test], "macro-F1");
        Assert.Equal(trained.GetProperty("macroF1").GetDouble(), scores.GetProperty("macroF1").GetDouble());

        JsonElement answers = await DocumentAsync(["classify", "--model", workspace["model"], "--json", "snow today", "some pears", "--top-k", "1"], "");
        Assert.Equal(["snow today", "some pears"], answers.EnumerateArray().Select(answer => answer.GetProperty("text").GetString()));
        Assert.All(answers.EnumerateArray(), answer => Assert.Equal(1, answer.GetProperty("predictions").GetArrayLength()));
    }

    [Fact]
    public async Task GenerateImportAndPresets_JsonWithoutFile_WriteOneDocumentEach()
    {
        static string Fastai(string name) => Path.Combine(AppContext.BaseDirectory, "FastaiFiles", name);
        JsonElement imported = await DocumentAsync(
            ["import", "--fastai", Fastai("v2-lm.pth"), "--itos", Fastai("v2-itos-protocol-4.pkl"), "--out", workspace["pretrained"], "--json"], "pretrained model in");
        Assert.Equal("fastai", imported.GetProperty("source").GetString());

        JsonElement written = await DocumentAsync(["generate", "--model", workspace["pretrained"], "--prompt", "the", "--tokens", "3", "--json"], "tokens");
        Assert.StartsWith("the", written.GetProperty("text").GetString(), StringComparison.Ordinal);

        JsonElement presets = await DocumentAsync(["compare", "--list", "--json"], "ulmfit");
        Assert.Contains("scratch", presets.EnumerateArray().Select(preset => preset.GetProperty("name").GetString()));
    }

    private static async Task<JsonElement> DocumentAsync(string[] arguments, string forPeople)
    {
        (int code, string output, string error) = await CommandLine.RunAsync(arguments);
        Assert.True(code == 0, error);
        Assert.Contains(forPeople, error, StringComparison.Ordinal);
        return JsonDocument.Parse(output).RootElement;
    }
}
