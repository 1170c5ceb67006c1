using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch.Tests;

/// <summary>A training that begins on one engine and goes on in the other.</summary>
public sealed class ExchangeTests
{
    private const int LanguageModelGroups = 4, ClassifierGroups = 5, Change = 3, Steps = 8;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LanguageModel_GoneOnWithInTheOtherEngine_TrainsAsInOne(bool beginsHere)
    {
        using var cpu = new CpuTrainingEngine(2);
        using TorchTrainingEngine torch = TestEngine.Create();
        StateDict start = Samples.LanguageModel(Samples.Encoder);
        StateDict half = Trained(beginsHere ? torch : cpu, start, 1, Change);
        Closeness.AssertStates(Trained(cpu, start, 1, Steps), Trained(beginsHere ? cpu : torch, half, Change + 1, Steps));

        static StateDict Trained(ITrainingEngine engine, StateDict state, int from, int to)
        {
            using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), state);
            for (int i = from; i <= to; i++)
            {
                network.TrainStep(Samples.Window(Samples.Encoder, 3 + (i % 5), 4, i), Samples.Step(i, LanguageModelGroups, 0.3f, i < 2 ? [0, 1] : []));
            }

            return network.Save();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Classifier_GoneOnWithInTheOtherEngine_TrainsAsInOne(bool beginsHere)
    {
        using var cpu = new CpuTrainingEngine(2);
        using TorchTrainingEngine torch = TestEngine.Create();
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        StateDict half = Trained(beginsHere ? torch : cpu, start, 1, Change);
        Closeness.AssertStates(Trained(cpu, start, 1, Steps), Trained(beginsHere ? cpu : torch, half, Change + 1, Steps));

        static StateDict Trained(ITrainingEngine engine, StateDict state, int from, int to)
        {
            using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, state);
            for (int i = from; i <= to; i++)
            {
                network.TrainStep(Samples.Documents(Samples.Classifier, 4 + (i % 3), 30, i), Samples.Step(i, ClassifierGroups, 0.3f, i < 3 ? [0, 1, 2] : i < 5 ? [0] : []));
            }

            return network.Save();
        }
    }

    /// <summary>Nothing is computed, so nothing is rounded: what the other engine saved is saved again, bit for bit.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Save_OfWhatTheOtherEngineSaved_GivesBackItsBits(bool savedHere)
    {
        using var cpu = new CpuTrainingEngine(2);
        using TorchTrainingEngine torch = TestEngine.Create();
        ITrainingEngine first = savedHere ? torch : cpu, second = savedHere ? cpu : torch;
        using ILanguageModelNetwork model = first.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), Samples.LanguageModel(Samples.Encoder));
        using IClassifierNetwork classifier = first.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        model.TrainStep(Samples.Window(Samples.Encoder, 6, 4, 1), Samples.Step(1, LanguageModelGroups));
        classifier.TrainStep(Samples.Documents(Samples.Classifier, 6, 30, 1), Samples.Step(1, ClassifierGroups));
        using ILanguageModelNetwork sameModel = second.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), model.Save());
        using IClassifierNetwork sameClassifier = second.CreateClassifier(Samples.ClassifierOptions, classifier.Save());
        Samples.AssertSameBits(model.Save(), sameModel.Save());
        Samples.AssertSameBits(classifier.Save(), sameClassifier.Save());
    }
}
