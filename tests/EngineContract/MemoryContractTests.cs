using System.Diagnostics;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>A training may take any number of steps: memory does not grow with them.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class MemoryContractTests
{
    private const int WarmUp = 40, Measured = 80;

    /// <summary>
    /// Of what a step makes, every large thing has 0.3 MB or more (the masks of a layer's weights, the activations of a
    /// window, its logits), so that one of them kept would make 26 MB or more of the steps that are measured.
    /// </summary>
    private const long Allowed = 20L << 20;

    private static readonly AwdLstmConfig Encoder = new(VocabularySize: 2000, EmbeddingSize: 64, HiddenSize: 160, Layers: 2);

    [Fact]
    public void LanguageModel_OverManySteps_TakesNoMoreMemory()
    {
        using var engine = TestEngine.Create();
        using ILanguageModelNetwork network = engine.CreateLanguageModel(new LanguageModelOptions(Encoder, Samples.Dropouts, 16, 20), Samples.LanguageModel(Encoder));
        AssertFlat(i =>
        {
            network.TrainStep(Samples.Window(Encoder, 20 - (i % 4), 16, i), Samples.Step(i, 3));
            network.Evaluate(Samples.Window(Encoder, 10, 8, i));
        });
    }

    [Fact]
    public void Classifier_OverManySteps_TakesNoMoreMemory()
    {
        var config = new ClassifierConfig(Encoder, HeadHiddenSize: 50, Classes: 4) { ChunkLength = 20 };
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(new ClassifierOptions(config, Samples.Dropouts), Samples.ClassifierWeights(config));
        AssertFlat(i =>
        {
            ClassifierBatch batch = Samples.Documents(config, 12, 60, i % 8);
            network.TrainStep(batch, Samples.Step(i, 4));
            network.Predict([batch.Documents[0]], new float[4]);
        });
    }

    private static void AssertFlat(Action<int> step)
    {
        for (int i = 1; i <= WarmUp; i++)
        {
            step(i);
        }

        long before = Resident();
        for (int i = WarmUp + 1; i <= WarmUp + Measured; i++)
        {
            step(i);
        }

        long grown = Resident() - before;
        Assert.True(grown < Allowed, $"{Measured} steps took {grown >> 20} MB.");
    }

    /// <summary>Of the whole process, for native memory counts; what the collector would free does not.</summary>
    private static long Resident()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
