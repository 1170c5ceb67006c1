using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class ImportCommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Import_BothDirectionsOfFastai_GivesAModelThatTrainingStartsFrom()
    {
        (int code, string output, string error) = await CommandLine.RunAsync(
            "import", "--fastai", Fastai("v2-lm.pth"), "--itos", Fastai("v2-vocab-fastcore.pkl"), "--backward", Fastai("v2-lm-backward.pth"), "--out", workspace["pretrained"], "--json", workspace["import.json"]);

        Assert.True(code == 0, error);
        Assert.Contains("32 tokens, embedding 6, hidden 10, 3 layers; forward and backward", output, StringComparison.Ordinal);
        Assert.Equal(["backward.safetensors", "card.json", "forward.safetensors", "vocabulary.json"], Directory.GetFiles(workspace["pretrained"]).Select(Path.GetFileName).Order());
        JsonElement report = JsonDocument.Parse(File.ReadAllText(workspace["import.json"])).RootElement;
        Assert.Equal(64, report.GetProperty("digest").GetString()!.Length);
        Assert.Equal("language model", report.GetProperty("layout").GetString());
        Assert.Equal(3, report.GetProperty("files").GetArrayLength());

        (code, _, error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--settings", workspace.Settings, "--pretrained", workspace["pretrained"], "--out", workspace["model"]);
        Assert.True(code == 0, error);
    }

    [Fact]
    public async Task Import_AsHalf_HalvesTheFileAndTellsAnotherDigest()
    {
        string[] Arguments(string folder) => ["import", "--fastai", Fastai("v1-classifier.pth"), "--itos", Fastai("v1-itos.pkl"), "--out", workspace[folder], "--json", workspace[folder + ".json"]];
        (int code, string output, string error) = await CommandLine.RunAsync(Arguments("whole"));
        Assert.True(code == 0, error);
        Assert.Contains("head is left out", output, StringComparison.Ordinal);
        Assert.Equal(0, (await CommandLine.RunAsync([.. Arguments("half"), "--half"])).ExitCode);

        long Size(string folder) => new FileInfo(Path.Combine(workspace[folder], "forward.safetensors")).Length;
        string Digest(string folder) => JsonDocument.Parse(File.ReadAllText(workspace[folder + ".json"])).RootElement.GetProperty("digest").GetString()!;
        Assert.InRange(Size("half"), Size("whole") / 3, Size("whole") * 2 / 3);
        Assert.NotEqual(Digest("whole"), Digest("half"));
    }

    public static TheoryData<string, string, string> Refused => new()
    {
        { "whole-module.pth", "v2-itos-protocol-4.pkl", "could run code" },
        { "qrnn.pth", "v2-itos-protocol-4.pkl", "a QRNN" },
        { "v2-lm.pth", "v2-itos-short.pkl", "20 words" },
        { "nowhere.pth", "v2-itos-protocol-4.pkl", "There is no file" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Import_WhatIsNoSuchModel_ExitsWithTwoAndWritesNothing(string weights, string words, string message)
    {
        (int code, _, string error) = await CommandLine.RunAsync("import", "--fastai", Fastai(weights), "--itos", Fastai(words), "--out", workspace["pretrained"]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace["pretrained"]));
    }

    [Fact]
    public async Task Import_IntoAFolderThatIsNotEmpty_LeavesItAsItIs()
    {
        Directory.CreateDirectory(workspace["pretrained"]);
        File.WriteAllText(Path.Combine(workspace["pretrained"], "forward.safetensors"), "mine");

        (int code, _, string error) = await CommandLine.RunAsync("import", "--fastai", Fastai("v2-lm.pth"), "--itos", Fastai("v2-itos-protocol-4.pkl"), "--out", workspace["pretrained"]);

        Assert.Equal(2, code);
        Assert.Contains("is not empty", error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(workspace["pretrained"], "forward.safetensors")));
    }

    private static string Fastai(string name) => Path.Combine(AppContext.BaseDirectory, "FastaiFiles", name);
}
