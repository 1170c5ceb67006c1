using TorchSharp;
using Ulmfit.Cpu;
using Ulmfit.Cpu.Tests;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch.Tests;

/// <summary>What the engine promises beside its arithmetic.</summary>
public sealed class EngineContractTests
{
    private const int LanguageModelGroups = 4, ClassifierGroups = 5;

    [Fact]
    public void TrainStep_OfALanguageModelSavedAndGoneOn_GivesTheBitsOfNeverStopping()
    {
        using TorchTrainingEngine engine = Engine();
        LanguageModelOptions options = Samples.LanguageModelOptions(4, 8);
        using ILanguageModelNetwork whole = engine.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder));
        for (int i = 1; i <= 3; i++)
        {
            whole.TrainStep(Samples.Window(Samples.Encoder, 6, 4, i), Samples.Step(i, LanguageModelGroups));
        }

        using ILanguageModelNetwork resumed = engine.CreateLanguageModel(options, whole.Save());
        for (int i = 4; i <= 6; i++)
        {
            whole.TrainStep(Samples.Window(Samples.Encoder, 6, 4, i), Samples.Step(i, LanguageModelGroups));
            resumed.TrainStep(Samples.Window(Samples.Encoder, 6, 4, i), Samples.Step(i, LanguageModelGroups));
        }

        Samples.AssertSameBits(whole.Save(), resumed.Save());
    }

    [Fact]
    public void TrainStep_OfAClassifierSavedAndGoneOn_GivesTheBitsOfNeverStopping()
    {
        using TorchTrainingEngine engine = Engine();
        using IClassifierNetwork whole = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        whole.TrainStep(Samples.Documents(Samples.Classifier, 6, 30, 1), Samples.Step(1, ClassifierGroups, 0.3f, 0, 1));
        using IClassifierNetwork resumed = engine.CreateClassifier(Samples.ClassifierOptions, whole.Save());
        for (int i = 2; i <= 4; i++)
        {
            whole.TrainStep(Samples.Documents(Samples.Classifier, 6, 30, i), Samples.Step(i, ClassifierGroups));
            resumed.TrainStep(Samples.Documents(Samples.Classifier, 6, 30, i), Samples.Step(i, ClassifierGroups));
        }

        Samples.AssertSameBits(whole.Save(), resumed.Save());
    }

    [Fact]
    public void Save_OfTheCpuEngine_GoesOnHere()
    {
        using var cpu = new CpuTrainingEngine(2);
        using TorchTrainingEngine engine = Engine();
        LanguageModelOptions options = Samples.LanguageModelOptions(4, 8);
        using ILanguageModelNetwork expected = cpu.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder));
        expected.TrainStep(Samples.Window(Samples.Encoder, 6, 4, 1), Samples.Step(1, LanguageModelGroups));
        using ILanguageModelNetwork actual = engine.CreateLanguageModel(options, expected.Save());
        for (int i = 2; i <= 5; i++)
        {
            expected.TrainStep(Samples.Window(Samples.Encoder, 6, 4, i), Samples.Step(i, LanguageModelGroups));
            actual.TrainStep(Samples.Window(Samples.Encoder, 6, 4, i), Samples.Step(i, LanguageModelGroups));
        }

        Weights.AssertClose(expected.Save(), actual.Save());
    }

    [Fact]
    public void TrainStep_OfAClassifierWithoutRoomForActivations_GivesTheSameWeights()
    {
        using TorchTrainingEngine roomy = Engine();
        using var narrow = new TorchTrainingEngine(2, Devices.Chosen) { ActivationBudget = 0 };
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork expected = roomy.CreateClassifier(Samples.ClassifierOptions, start), actual = narrow.CreateClassifier(Samples.ClassifierOptions, start);
        for (int i = 1; i <= 3; i++)
        {
            expected.TrainStep(Samples.Documents(Samples.Classifier, 6, 40, i), Samples.Step(i, ClassifierGroups));
            actual.TrainStep(Samples.Documents(Samples.Classifier, 6, 40, i), Samples.Step(i, ClassifierGroups));
        }

        Weights.AssertClose(expected.Save(), actual.Save(), 1e-5);
    }

    [Fact]
    public void Predict_InAnyBatch_GivesADocumentTheSameBits()
    {
        using TorchTrainingEngine engine = Engine();
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        int classes = Samples.Classifier.Classes;
        IReadOnlyList<int[]> documents = Samples.Documents(Samples.Classifier, 9, 40, 3).Documents;
        var together = new float[documents.Count * classes];
        network.Predict(documents, together);
        int[][] reversed = [.. documents.Reverse()];
        var backwards = new float[together.Length];
        network.Predict(reversed, backwards);
        for (int i = 0; i < documents.Count; i++)
        {
            var alone = new float[classes];
            network.Predict([documents[i]], alone);
            Assert.Equal(alone, together[(i * classes)..((i + 1) * classes)]);
            Assert.Equal(alone, backwards[((documents.Count - 1 - i) * classes)..((documents.Count - i) * classes)]);
            Assert.Equal(1f, alone.Sum(), 1e-5f);
        }
    }

    [Fact]
    public void TrainStep_OfALanguageModelWithAWrongBatch_IsRefusedAndChangesNothing()
    {
        using TorchTrainingEngine engine = Engine();
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        StateDict before = network.Save();
        OptimizerStep step = Samples.Step(1, LanguageModelGroups);
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 4, 2, 1), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 3, 1), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new LanguageModelBatch(1, 2, new[] { 1, 61 }, new[] { 1, 2 }, default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1), Samples.Step(1, 3)));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1), Samples.Step(0, LanguageModelGroups)));
        Samples.AssertSameBits(before, network.Save());
    }

    [Fact]
    public void TrainStep_OfAClassifierWithAWrongBatch_IsRefusedAndChangesNothing()
    {
        using TorchTrainingEngine engine = Engine();
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        StateDict before = network.Save();
        OptimizerStep step = Samples.Step(1, ClassifierGroups);
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1], [1, 2]], new[] { 0, 1 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], []], new[] { 0, 1 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [1]], new[] { 0, 5 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([], default), step));
        Assert.Throws<ArgumentException>(() => network.Predict([[1, 2]], new float[4]));
        Samples.AssertSameBits(before, network.Save());
    }

    [Fact]
    public void TrainStep_OfNoGroup_LeavesWeightsAndMovesTheRunningStatistics()
    {
        using TorchTrainingEngine engine = Engine();
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, start);
        StepResult result = network.TrainStep(Samples.Documents(Samples.Classifier, 6, 20, 1), Samples.Step(1, ClassifierGroups, 0.3f, 0, 1, 2, 3, 4));
        Assert.Equal(0, result.GradientNorm);
        StateDict after = network.Save();
        Assert.Equal(start.Names, after.Names);
        foreach ((string name, Tensor tensor) in start)
        {
            Assert.Equal(!name.Contains("running", StringComparison.Ordinal), tensor.Data.AsSpan().SequenceEqual(after[name].Data));
        }
    }

    [Fact]
    public void CreateClassifier_WithATensorOfAnotherShape_NamesIt()
    {
        using TorchTrainingEngine engine = Engine();
        StateDict state = Samples.ClassifierWeights(Samples.Classifier);
        state["1.layers.1.2.weight"] = Tensor.Zeros(4, 11);
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => engine.CreateClassifier(Samples.ClassifierOptions, state));
        Assert.Contains("1.layers.1.2.weight", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WithAnUnknownDevice_NamesIt()
    {
        Assert.Contains("abacus", Assert.Throws<ArgumentException>(() => new TorchTrainingEngine(device: "abacus")).Message, StringComparison.Ordinal);
        Assert.Contains("cuda:999", Assert.Throws<ArgumentException>(() => new TorchTrainingEngine(device: "cuda:999")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_ManyTimes_LeaveNoTensorsBehind()
    {
        using TorchTrainingEngine engine = Engine();
        using ILanguageModelNetwork model = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), Samples.LanguageModel(Samples.Encoder));
        using IClassifierNetwork classifier = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        Round(1);
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        for (int i = 2; i <= 6; i++)
        {
            Round(i);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);

        void Round(int i)
        {
            model.TrainStep(Samples.Window(Samples.Encoder, 6, 4, i), Samples.Step(i, LanguageModelGroups));
            model.Evaluate(Samples.Window(Samples.Encoder, 6, 3, i));
            model.PredictNext([i, 2, 3], new float[3 * Samples.Encoder.VocabularySize]);
            model.Save();
            ClassifierBatch batch = Samples.Documents(Samples.Classifier, 6, 30, i);
            classifier.TrainStep(batch, Samples.Step(i, ClassifierGroups));
            classifier.Predict(batch.Documents, new float[6 * Samples.Classifier.Classes]);
            classifier.Save();
        }
    }

    private static TorchTrainingEngine Engine() => new(2, Devices.Chosen);
}
