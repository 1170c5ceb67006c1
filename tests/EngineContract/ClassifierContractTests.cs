using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>What a classifier promises, whatever engine it is on.</summary>
public sealed class ClassifierContractTests
{
    private const int Groups = 5;

    [Fact]
    public void CreateClassifier_WithATensorOfAnotherShape_NamesIt()
    {
        using var engine = TestEngine.Create();
        StateDict state = Samples.ClassifierWeights(Samples.Classifier);
        state["1.layers.1.2.weight"] = Tensor.Zeros(4, 11);
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => engine.CreateClassifier(Samples.ClassifierOptions, state));
        Assert.Contains("1.layers.1.2.weight", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateClassifier_OfWhatMakesNoNetwork_IsRefused()
    {
        using var engine = TestEngine.Create();
        ClassifierOptions plain = Samples.LastStateOptions(2);
        StateDict weights = Samples.ClassifierWeights(plain.Config);
        Assert.Throws<ArgumentException>(() => engine.CreateClassifier(plain with { Dropouts = Samples.Dropouts }, weights));
        Assert.Throws<ArgumentException>(() => engine.CreateClassifier(plain with { ClassWeights = [1f] }, weights));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.CreateClassifier(plain with { Config = plain.Config with { HeadHiddenSize = 5 } }, weights));
        Assert.Throws<InvalidDataException>(() => engine.CreateClassifier(Samples.LastStateOptions(3), weights));
        Assert.Throws<InvalidDataException>(() => engine.CreateClassifier(Samples.ClassifierOptions, weights));
    }

    [Fact]
    public void TrainStep_WithAWrongBatch_IsRefusedAndChangesNothing()
    {
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        StateDict before = network.Save();
        OptimizerStep step = Samples.Step(1, Groups);
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1], [1, 2]], new[] { 0, 1 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], []], new[] { 0, 1 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [61]], new[] { 0, 1 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [1]], new[] { 0, 5 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [1]], new[] { 0 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([], default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [1]], new[] { 0, 1 }), Samples.Step(1, 4)));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [1]], new[] { 0, 1 }), Samples.Step(0, Groups)));
        Assert.Throws<ArgumentException>(() => network.Predict([[1, 2]], new float[4]));
        Assert.Throws<ArgumentException>(() => network.Predict([[1, 2], []], new float[10]));
        Samples.AssertSameBits(before, network.Save());
    }

    [Fact]
    public void TrainStep_OfNoGroup_LeavesWeightsAndMovesTheRunningStatistics()
    {
        using var engine = TestEngine.Create();
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, start);
        StepResult result = network.TrainStep(Samples.Documents(Samples.Classifier, 6, 20, 1), Samples.Step(1, Groups, 0.3f, 0, 1, 2, 3, 4));
        Assert.Equal(0, result.GradientNorm);
        StateDict after = network.Save();
        Assert.Equal(start.Names, after.Names);
        foreach ((string name, Tensor tensor) in start)
        {
            Assert.Equal(!name.Contains("running", StringComparison.Ordinal), tensor.Data.AsSpan().SequenceEqual(after[name].Data));
        }
    }

    [Fact]
    public void TrainStep_OfASingleDocument_NormalisesWithTheRunningStatisticsAndKeepsThem()
    {
        using var engine = TestEngine.Create();
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions with { Dropouts = DropoutRates.None, ClassWeights = null, LabelSmoothing = 0f }, start);
        int[] document = [3, 1, 4, 1, 5, 9, 2, 6];
        var probabilities = new float[Samples.Classifier.Classes];
        network.Predict([document], probabilities);
        StepResult result = network.TrainStep(new ClassifierBatch([document], new[] { 2 }), Samples.Step(1, Groups));
        Assert.Equal(-Math.Log(probabilities[2]), result.Loss, 1e-5);
        Assert.True(result.GradientNorm > 0);
        StateDict after = network.Save();
        for (int block = 0; block < 2; block++)
        {
            Assert.Equal(start[AwdLstmNames.RunningMean(block)].Data, after[AwdLstmNames.RunningMean(block)].Data);
            Assert.Equal(start[AwdLstmNames.RunningVariance(block)].Data, after[AwdLstmNames.RunningVariance(block)].Data);
        }
    }

    [Fact]
    public void TrainStep_ManyTimesOverOneBatch_LearnsIt()
    {
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(new ClassifierOptions(Samples.Classifier, DropoutRates.None), Samples.ClassifierWeights(Samples.Classifier));
        ClassifierBatch batch = Samples.Documents(Samples.Classifier, 8, 20, 1);
        StepResult result = default;
        for (int i = 1; i <= 60; i++)
        {
            result = network.TrainStep(batch, Samples.Step(i, Groups, 0f));
        }

        Assert.InRange(result.Loss, 0, 0.2);
        Assert.Equal(8, result.Correct);
    }

    [Fact]
    public void Predict_InAnyBatch_GivesADocumentTheSameBits()
    {
        using var engine = TestEngine.Create();
        foreach (ClassifierOptions options in (ClassifierOptions[])[Samples.ClassifierOptions, Samples.LastStateOptions(2), Samples.LastStateOptions(5)])
        {
            using IClassifierNetwork network = engine.CreateClassifier(options, Samples.ClassifierWeights(options.Config));
            int classes = options.Config.Classes;
            IReadOnlyList<int[]> documents = Samples.Documents(options.Config, 9, 40, 3).Documents;
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
    }

    [Fact]
    public void Predict_AfterTraining_IsOfTheTrainedWeights()
    {
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        ClassifierBatch batch = Samples.Documents(Samples.Classifier, 6, 30, 3);
        float[] before = Predicted(network), after, anew;
        network.TrainStep(batch, Samples.Step(1, Groups));
        after = Predicted(network);
        using IClassifierNetwork other = engine.CreateClassifier(Samples.ClassifierOptions, network.Save());
        anew = Predicted(other);
        Assert.Equal(anew, after);
        Assert.NotEqual(before, after);

        float[] Predicted(IClassifierNetwork from)
        {
            var probabilities = new float[batch.Documents.Count * Samples.Classifier.Classes];
            from.Predict(batch.Documents, probabilities);
            return probabilities;
        }
    }
}
