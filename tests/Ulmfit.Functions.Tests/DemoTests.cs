using Ulmfit.Functions.Tests.Support;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Functions.Tests;

/// <summary>What a newcomer sees; with settings put beforehand that make the training short.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Demo_OnceAndAgain_TrainsTheSampleOnceAndShowsAnswers()
    {
        await PutSettingsAsync(TrainingSettings.Default with
        {
            Pretrained = TrainingSettings.NoPretrained,
            Directions = Directions.Forward,
            Strategy = Strategy.Full,
            LanguageModel = new LanguageModelSettings { FineTune = false },
            Classifier = new ClassifierSettings { Epochs = 6 },
        });

        (int exitCode, string output) = await HostProcess.RunAsync(folder.Path, "--demo", "--exit-after-demo");

        Assert.True(exitCode == 0, output);
        Assert.Contains("support-1 Forward: stage all, epoch 6/6: training loss", output, StringComparison.Ordinal);
        Assert.Contains("Model support version 1 published by support-1", output, StringComparison.Ordinal);
        Assert.Matches(@"held-out messages: accuracy 0\.\d{3}, macro-F1 0\.\d{3}", output);
        Assert.Equal(3, output.Split("\" -> ").Length - 1);

        (exitCode, output) = await HostProcess.RunAsync(folder.Path, "--demo", "--exit-after-demo");

        Assert.True(exitCode == 0, output);
        Assert.Contains("there is a model support already, version 1", output, StringComparison.Ordinal);
        Assert.DoesNotContain("epoch", output, StringComparison.Ordinal);
        Assert.Equal(3, output.Split("\" -> ").Length - 1);
    }

    [Fact]
    public async Task Demo_WhoseRunFails_EndsWithAnotherExitCode()
    {
        await PutSettingsAsync(TrainingSettings.Default with { Pretrained = "wiki" });

        (int exitCode, string output) = await HostProcess.RunAsync(folder.Path, "--demo", "--exit-after-demo");

        Assert.True(exitCode == 1, output);
        Assert.Contains("support-1 ended as failed: There is no pretrained model 'wiki'", output, StringComparison.Ordinal);
    }

    private Task PutSettingsAsync(TrainingSettings settings) =>
        new DatasetCatalog(new FolderBlobStore(folder.Path)).PutSettingsAsync("support", settings, Ct);
}
