using Ulmfit.Cpu;
using Ulmfit.Cpu.Tests;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch.Tests;

/// <summary>Ten training steps beside the same ten of the CPU engine: same masks, same formulas, other rounding.</summary>
public sealed class ParityTests
{
    private const int Steps = 10, LanguageModelGroups = 4, ClassifierGroups = 5;

    public static TheoryData<bool, int[]> Cases => new() { { false, [] }, { true, [] }, { true, [0, 2] }, { true, [3] } };

    [Theory]
    [MemberData(nameof(Cases))]
    public void LanguageModel_TenSteps_EqualTheCpuEngine(bool dropout, int[] frozen)
    {
        using var cpu = new CpuTrainingEngine(2);
        using var torch = new TorchTrainingEngine(2, Devices.Chosen) { LogitBudget = 1 };
        var options = new LanguageModelOptions(Samples.Encoder, dropout ? Samples.Dropouts : DropoutRates.None, Batch: 67, MaxTime: 7);
        StateDict start = Samples.LanguageModel(Samples.Encoder);
        using ILanguageModelNetwork expected = cpu.CreateLanguageModel(options, start), actual = torch.CreateLanguageModel(options, start);
        for (int i = 1; i <= Steps; i++)
        {
            LanguageModelBatch window = Samples.Window(Samples.Encoder, i == 4 ? 1 : 3 + (i % 5), options.Batch, i);
            OptimizerStep step = Samples.Step(i, LanguageModelGroups, 0.3f, frozen);
            AssertClose(expected.TrainStep(window, step), actual.TrainStep(window, step));
        }

        Weights.AssertClose(expected.Save(), actual.Save());
        LanguageModelBatch held = Samples.Window(Samples.Encoder, 9, 3, 99);
        Assert.Equal(expected.Evaluate(held).Mean, actual.Evaluate(held).Mean, 1e-4);
        Assert.Equal(expected.Evaluate(held).Mean, actual.Evaluate(held).Mean, 1e-4);
        float[] p = new float[3 * Samples.Encoder.VocabularySize], q = new float[p.Length];
        for (int t = 0; t < 3; t++)
        {
            expected.PredictNext([t, 5, 7], p);
            actual.PredictNext([t, 5, 7], q);
            Assert.All(Enumerable.Range(0, p.Length), i => Assert.Equal(p[i], q[i], 1e-4f));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Classifier_TenSteps_EqualTheCpuEngine(bool dropout, int[] frozen)
    {
        using var cpu = new CpuTrainingEngine(2);
        using var torch = new TorchTrainingEngine(2, Devices.Chosen);
        ClassifierOptions options = Samples.ClassifierOptions with { Dropouts = dropout ? Samples.Dropouts : DropoutRates.None };
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork expected = cpu.CreateClassifier(options, start), actual = torch.CreateClassifier(options, start);
        for (int i = 1; i <= Steps; i++)
        {
            ClassifierBatch batch = Samples.Documents(Samples.Classifier, i == 4 ? 1 : 9, 40, i);
            OptimizerStep step = Samples.Step(i, ClassifierGroups, 0.3f, frozen);
            AssertClose(expected.TrainStep(batch, step), actual.TrainStep(batch, step));
        }

        Weights.AssertClose(expected.Save(), actual.Save());
        IReadOnlyList<int[]> held = Samples.Documents(Samples.Classifier, 7, 40, 99).Documents;
        float[] p = new float[held.Count * Samples.Classifier.Classes], q = new float[p.Length];
        expected.Predict(held, p);
        actual.Predict(held, q);
        Assert.All(Enumerable.Range(0, p.Length), i => Assert.Equal(p[i], q[i], 1e-4f));
    }

    [Fact]
    public void Features_OfAnyDocuments_EqualTheCpuEngine()
    {
        using var cpu = new CpuTrainingEngine(2);
        using var torch = new TorchTrainingEngine(2, Devices.Chosen);
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IFeatureNetwork expected = cpu.CreateFeatures(Samples.Classifier, start), actual = torch.CreateFeatures(Samples.Classifier, start);
        IReadOnlyList<int[]> documents = Samples.Documents(Samples.Classifier, 7, 40, 99).Documents;
        float[] p = new float[documents.Count * Samples.Classifier.PooledSize], q = new float[p.Length];
        expected.Pool(documents, p);
        actual.Pool(documents, q);
        Assert.All(Enumerable.Range(0, p.Length), i => Assert.Equal(p[i], q[i], 1e-4f));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(5, 2)]
    public void PlainLstm_TenSteps_EqualTheCpuEngine(int classes, int layers)
    {
        using var cpu = new CpuTrainingEngine(2);
        using var torch = new TorchTrainingEngine(2, Devices.Chosen);
        ClassifierOptions options = Samples.LastStateOptions(classes, layers);
        ClassifierConfig config = options.Config;
        StateDict start = Samples.ClassifierWeights(config);
        using IClassifierNetwork expected = cpu.CreateClassifier(options, start), actual = torch.CreateClassifier(options, start);
        for (int i = 1; i <= Steps; i++)
        {
            ClassifierBatch batch = Samples.Documents(config, i == 4 ? 1 : 9, 40, i);
            OptimizerStep step = Samples.Step(i, layers + 2);
            AssertClose(expected.TrainStep(batch, step), actual.TrainStep(batch, step));
        }

        Weights.AssertClose(expected.Save(), actual.Save());
        IReadOnlyList<int[]> held = Samples.Documents(config, 7, 40, 99).Documents;
        float[] p = new float[held.Count * classes], q = new float[p.Length];
        expected.Predict(held, p);
        actual.Predict(held, q);
        Assert.All(Enumerable.Range(0, p.Length), i => Assert.Equal(p[i], q[i], 1e-4f));
    }

    private static void AssertClose(StepResult expected, StepResult actual)
    {
        Assert.Equal(expected.Loss, actual.Loss, 1e-4);
        Assert.Equal(expected.Regularization, actual.Regularization, 1e-4);
        Assert.Equal(expected.GradientNorm, actual.GradientNorm, 1e-4 * Math.Max(1, expected.GradientNorm));
        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.Correct, actual.Correct);
    }
}
