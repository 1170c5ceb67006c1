using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Tests;

/// <summary>What this engine does beside what every engine does.</summary>
public sealed class CpuTrainingEngineTests
{
    private const int LanguageModelGroups = 4, ClassifierGroups = 5;

    [Fact]
    public void TakeWeights_AfterAStep_GivesWhatSaveGivesAndEndsTheNetwork()
    {
        using var engine = new CpuTrainingEngine(2);
        using ILanguageModelNetwork languageModel = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        using IClassifierNetwork classifier = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        languageModel.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1), Samples.Step(1, LanguageModelGroups));
        classifier.TrainStep(Samples.Documents(Samples.Classifier, 4, 20, 1), Samples.Step(1, ClassifierGroups));
        foreach (INetwork network in (INetwork[])[languageModel, classifier])
        {
            StateDict saved = network.Save().WeightsOnly();
            Samples.AssertSameBits(saved, CpuTrainingEngine.TakeWeights(network));
            Assert.Throws<ObjectDisposedException>(network.Save);
        }
    }

    [Fact]
    public void PredictNext_OnOtherThreadsOrAmongOtherLanes_GivesTheSameBits()
    {
        int vocabulary = Samples.Encoder.VocabularySize;
        float[] Last(int threads, KernelSet kernels, int lanes, int lane)
        {
            using var engine = new CpuTrainingEngine(threads, kernels);
            using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
            var probabilities = new float[lanes * vocabulary];
            foreach (int token in (int[])[3, 1, 4, 1, 5])
            {
                network.PredictNext([.. Enumerable.Range(0, lanes).Select(other => other == lane ? token : 7 + other)], probabilities);
            }

            return probabilities[(lane * vocabulary)..((lane + 1) * vocabulary)];
        }

        float[] alone = Last(1, KernelSet.Best, 1, 0);
        Assert.Equal(alone, Last(3, KernelSet.Best, 1, 0));
        Assert.Equal(alone, Last(2, KernelSet.Best, 37, 20));
        Assert.Equal(alone, Last(1, KernelSet.Scalar, 1, 0));
    }

    [Fact]
    public void MachinePeak_OfOneThread_IsThatOfAProcessorOfThisCentury() =>
        Assert.InRange(MachinePeak.Measure(1, TimeSpan.FromMilliseconds(20)), 0.01, 1000);
}
