using Ulmfit.Model;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

public sealed class PretrainedModelsTests : IDisposable
{
    private static readonly Vocabulary Words = Vocabulary.Build([["good", "bad", "fine"], ["good", "bad", "fine"], ["good", "bad", "fine"]]);

    private readonly TemporaryStore temporary = new();
    private readonly DirectoryInfo shipped = Directory.CreateTempSubdirectory("ulmfit-shipped-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        temporary.Dispose();
        shipped.Delete(recursive: true);
    }

    [Fact]
    public async Task LoadAsync_AModelThatShips_IsFoundByNameAndGivesWayToOneInTheContainer()
    {
        using var models = new PretrainedModels(temporary.Blobs, new PretrainedLibrary(shipped.FullName));
        string folder = Directory.CreateDirectory(Path.Combine(shipped.FullName, "en-tiny")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(folder, PretrainedLibrary.VocabularyFile), Words.ToJson(), Ct);
        await File.WriteAllBytesAsync(Path.Combine(folder, PretrainedLibrary.ForwardFile), Weights(1), Ct);

        PretrainedModel fromFolder = (await models.LoadAsync("en-tiny", Ct))!;
        Assert.Equal(["en-tiny"], await models.ListAsync(Ct));
        Assert.Same(fromFolder, await models.LoadAsync("en-tiny", Ct));
        Assert.Null(await models.LoadAsync("none", Ct));

        await temporary.Blobs.PutIfAbsentAsync(Containers.Pretrained, "en-tiny/vocabulary.json", Words.ToJson(), Ct);
        await temporary.Blobs.PutIfAbsentAsync(Containers.Pretrained, "en-tiny/forward.safetensors", Weights(2), Ct);

        Assert.NotEqual(fromFolder.Digest, (await models.LoadAsync("en-tiny", Ct))!.Digest);
        Assert.Equal(["en-tiny"], await models.ListAsync(Ct));
    }

    [Theory]
    [InlineData("en-huge")]
    [InlineData("../en-tiny")]
    [InlineData("/")]
    public async Task LoadAsync_NoSuchModel_SaysWhatIsMissing(string name)
    {
        using var models = new PretrainedModels(temporary.Blobs, new PretrainedLibrary(shipped.FullName));

        PipelineException exception = await Assert.ThrowsAsync<PipelineException>(() => models.LoadAsync(name, Ct));

        Assert.Contains($"no pretrained model '{name}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_TheDefaultWhereItIsGone_SaysHowToGoOn()
    {
        using var models = new PretrainedModels(temporary.Blobs, new PretrainedLibrary(shipped.FullName));

        PipelineException exception = await Assert.ThrowsAsync<PipelineException>(() => models.LoadAsync(TrainingSettings.Default.Pretrained, Ct));

        Assert.Contains("pretrained/en-small/forward.safetensors is missing", exception.Message, StringComparison.Ordinal);
        Assert.Contains("restore src/Ulmfit/Pretrained/en-small and build again", exception.Message, StringComparison.Ordinal);
    }

    private static byte[] Weights(ulong seed)
    {
        using var file = new MemoryStream();
        Safetensors.Write(file, WeightInitialization.LanguageModel(new AwdLstmConfig(Words.Count, 8, 12, 2), seed));
        return file.ToArray();
    }
}
