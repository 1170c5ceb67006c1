using Ulmfit.Cpu;
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
        TestEngine.RequireLibrary();
        using var torch = new TorchTrainingEngine(2, TestEngine.Device) { LogitBudget = 1 };
        var options = new LanguageModelOptions(Samples.Encoder, dropout ? Samples.Dropouts : DropoutRates.None, Batch: 67, MaxTime: 7);
        StateDict start = Samples.LanguageModel(Samples.Encoder);
        using ILanguageModelNetwork expected = cpu.CreateLanguageModel(options, start), actual = torch.CreateLanguageModel(options, start);
        for (int i = 1; i <= Steps; i++)
        {
            LanguageModelBatch window = Samples.Window(Samples.Encoder, i == 4 ? 1 : 3 + (i % 5), options.Batch, i);
            OptimizerStep step = Samples.Step(i, LanguageModelGroups, 0.3f, frozen);
            Closeness.AssertSteps(expected.TrainStep(window, step), actual.TrainStep(window, step));
        }

        Closeness.AssertStates(expected.Save(), actual.Save());
        LanguageModelBatch held = Samples.Window(Samples.Encoder, 9, 3, 99);
        Assert.Equal(expected.Evaluate(held).Mean, actual.Evaluate(held).Mean, 1e-4);
        Assert.Equal(expected.Evaluate(held).Mean, actual.Evaluate(held).Mean, 1e-4);
        float[] p = new float[3 * Samples.Encoder.VocabularySize], q = new float[p.Length];
        for (int t = 0; t < 3; t++)
        {
            expected.PredictNext([t, 5, 7], p);
            actual.PredictNext([t, 5, 7], q);
            Closeness.AssertNumbers(p, q);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Classifier_TenSteps_EqualTheCpuEngine(bool dropout, int[] frozen)
    {
        using var cpu = new CpuTrainingEngine(2);
        using TorchTrainingEngine torch = TestEngine.Create();
        ClassifierOptions options = Samples.ClassifierOptions with { Dropouts = dropout ? Samples.Dropouts : DropoutRates.None };
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork expected = cpu.CreateClassifier(options, start), actual = torch.CreateClassifier(options, start);
        for (int i = 1; i <= Steps; i++)
        {
            ClassifierBatch batch = Samples.Documents(Samples.Classifier, i == 4 ? 1 : 9, 40, i);
            OptimizerStep step = Samples.Step(i, ClassifierGroups, 0.3f, frozen);
            Closeness.AssertSteps(expected.TrainStep(batch, step), actual.TrainStep(batch, step));
        }

        Closeness.AssertStates(expected.Save(), actual.Save());
        IReadOnlyList<int[]> held = Samples.Documents(Samples.Classifier, 7, 40, 99).Documents;
        float[] p = new float[held.Count * Samples.Classifier.Classes], q = new float[p.Length];
        expected.Predict(held, p);
        actual.Predict(held, q);
        Closeness.AssertNumbers(p, q);
    }

    [Fact]
    public void Features_OfAnyDocuments_EqualTheCpuEngine()
    {
        using var cpu = new CpuTrainingEngine(2);
        using TorchTrainingEngine torch = TestEngine.Create();
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IFeatureNetwork expected = cpu.CreateFeatures(Samples.Classifier, start), actual = torch.CreateFeatures(Samples.Classifier, start);
        IReadOnlyList<int[]> documents = Samples.Documents(Samples.Classifier, 7, 40, 99).Documents;
        float[] p = new float[documents.Count * Samples.Classifier.PooledSize], q = new float[p.Length];
        expected.Pool(documents, p);
        actual.Pool(documents, q);
        Closeness.AssertNumbers(p, q);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(5, 2)]
    public void PlainLstm_TenSteps_EqualTheCpuEngine(int classes, int layers)
    {
        using var cpu = new CpuTrainingEngine(2);
        using TorchTrainingEngine torch = TestEngine.Create();
        ClassifierOptions options = Samples.LastStateOptions(classes, layers);
        ClassifierConfig config = options.Config;
        StateDict start = Samples.ClassifierWeights(config);
        using IClassifierNetwork expected = cpu.CreateClassifier(options, start), actual = torch.CreateClassifier(options, start);
        for (int i = 1; i <= Steps; i++)
        {
            ClassifierBatch batch = Samples.Documents(config, i == 4 ? 1 : 9, 40, i);
            OptimizerStep step = Samples.Step(i, layers + 2);
            Closeness.AssertSteps(expected.TrainStep(batch, step), actual.TrainStep(batch, step));
        }

        Closeness.AssertStates(expected.Save(), actual.Save());
        IReadOnlyList<int[]> held = Samples.Documents(config, 7, 40, 99).Documents;
        float[] p = new float[held.Count * classes], q = new float[p.Length];
        expected.Predict(held, p);
        actual.Predict(held, q);
        Closeness.AssertNumbers(p, q);
    }
}
