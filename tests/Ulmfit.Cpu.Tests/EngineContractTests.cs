using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Tests;

/// <summary>What the engine promises beside its arithmetic.</summary>
public sealed class EngineContractTests
{
    private const int LanguageModelGroups = 4, ClassifierGroups = 5;

    [Fact]
    public void CreateLanguageModel_WithoutATensor_NamesIt()
    {
        using var engine = new CpuTrainingEngine(1);
        StateDict state = Samples.LanguageModel(Samples.Encoder);
        state = state.Where(name => name != "0.rnns.1.weight_hh_l0_raw");
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), state));
        Assert.Contains("0.rnns.1.weight_hh_l0_raw", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateClassifier_WithATensorOfAnotherShape_NamesIt()
    {
        using var engine = new CpuTrainingEngine(1);
        StateDict state = Samples.ClassifierWeights(Samples.Classifier);
        state["1.layers.1.2.weight"] = Tensor.Zeros(4, 11);
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => engine.CreateClassifier(Samples.ClassifierOptions, state));
        Assert.Contains("1.layers.1.2.weight", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateFeatures_OfWeightsWithoutAHead_PoolsTheLastOutputTheMaximumAndTheMean()
    {
        using var engine = new CpuTrainingEngine(2);
        StateDict encoder = Samples.ClassifierWeights(Samples.Classifier).Where(name => name.StartsWith(AwdLstmNames.ClassifierEncoder, StringComparison.Ordinal));
        int[] document = [.. Enumerable.Range(0, 31).Select(i => (i * 13) % 61)];
        int width = Samples.Encoder.EmbeddingSize;
        using IFeatureNetwork network = engine.CreateFeatures(Samples.Classifier, encoder);

        // What is pooled of a beginning of the document has as its last output the output at that place.
        float[][] beginnings = [.. Enumerable.Range(1, document.Length).Select(length => Pooled(document[..length]))];
        float[] pooled = beginnings[^1];
        float[][] counted = [.. beginnings[^Samples.Classifier.MaxLength..].Select(features => features[..width])];
        for (int j = 0; j < width; j++)
        {
            Assert.Equal(counted.Max(output => output[j]), pooled[width + j]);
            Assert.Equal(counted.Average(output => (double)output[j]), pooled[(2 * width) + j], 1e-6);
        }

        float[] Pooled(int[] tokens)
        {
            var features = new float[3 * width];
            network.Pool([tokens], features);
            return features;
        }
    }

    [Fact]
    public void Features_AskedForWrongly_AreRefused()
    {
        using var engine = new CpuTrainingEngine(1);
        StateDict weights = Samples.ClassifierWeights(Samples.Classifier);
        var features = ClassifierConfig.Features(Samples.Encoder, 5);
        Assert.Throws<ArgumentException>(() => engine.CreateClassifier(new ClassifierOptions(features, DropoutRates.None), weights));
        Assert.Throws<InvalidDataException>(() => engine.CreateFeatures(features, weights.Where(name => name != "0.module.rnns.1.weight_hh_l0_raw")));

        using IFeatureNetwork network = engine.CreateFeatures(features, weights);
        var room = new float[features.PooledSize];
        Assert.Throws<ArgumentException>(() => network.Pool([[]], room));
        Assert.Throws<ArgumentException>(() => network.Pool([[61]], room));
        Assert.Throws<ArgumentException>(() => network.Pool([[1], [2]], room));
    }

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
    public void TrainStep_OfALanguageModelWithAWrongBatch_IsRefusedAndChangesNothing()
    {
        using var engine = new CpuTrainingEngine(1);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        StateDict before = network.Save();
        OptimizerStep step = Samples.Step(1, LanguageModelGroups);
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 4, 2, 1), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 3, 1), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new LanguageModelBatch(1, 2, new[] { 1, 61 }, new[] { 1, 2 }, default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new LanguageModelBatch(1, 2, new[] { 1, 2 }, new[] { -1, 2 }, default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new LanguageModelBatch(1, 2, new[] { 1 }, new[] { 1, 2 }, default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1), Samples.Step(1, 3)));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1), Samples.Step(0, LanguageModelGroups)));
        Samples.AssertSameBits(before, network.Save());
    }

    [Fact]
    public void TrainStep_OfAClassifierWithAWrongBatch_IsRefusedAndChangesNothing()
    {
        using var engine = new CpuTrainingEngine(1);
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        StateDict before = network.Save();
        OptimizerStep step = Samples.Step(1, ClassifierGroups);
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1], [1, 2]], new[] { 0, 1 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], []], new[] { 0, 1 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [1]], new[] { 0, 5 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([[1, 2], [1]], new[] { 0 }), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new ClassifierBatch([], default), step));
        Assert.Throws<ArgumentException>(() => network.Predict([[1, 2]], new float[4]));
        Samples.AssertSameBits(before, network.Save());
    }

    [Fact]
    public void TrainStep_OfFrozenGroups_LeavesTheirWeightsAndGivesThemNoMoments()
    {
        using var engine = new CpuTrainingEngine(2);
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, start);
        network.TrainStep(Samples.Documents(Samples.Classifier, 6, 20, 1), Samples.Step(1, ClassifierGroups, 0.3f, 0, 1, 3));
        StateDict after = network.Save();
        IReadOnlyList<IReadOnlyList<string>> groups = ParameterGroups.OfClassifier(Samples.Classifier);
        for (int g = 0; g < groups.Count; g++)
        {
            foreach (string name in groups[g])
            {
                bool frozen = g is 0 or 1 or 3;
                Assert.Equal(frozen, start[name].Data.AsSpan().SequenceEqual(after[name].Data));
                Assert.Equal(!frozen, after.Contains(TrainingStateNames.FirstMoment(name)));
                Assert.Equal(!frozen, after.Contains(TrainingStateNames.SecondMoment(name)));
            }
        }
    }

    [Fact]
    public void Create_WhatMakesNoNetwork_IsRefused()
    {
        using var engine = new CpuTrainingEngine(1);
        ClassifierOptions plain = Samples.LastStateOptions(2);
        StateDict weights = Samples.ClassifierWeights(plain.Config);
        Assert.Throws<ArgumentException>(() => engine.CreateClassifier(plain with { Dropouts = Samples.Dropouts }, weights));
        Assert.Throws<ArgumentException>(() => engine.CreateClassifier(plain with { ClassWeights = [1f] }, weights));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.CreateClassifier(plain with { Config = plain.Config with { HeadHiddenSize = 5 } }, weights));
        Assert.Throws<InvalidDataException>(() => engine.CreateClassifier(Samples.LastStateOptions(3), weights));
        Assert.Throws<InvalidDataException>(() => engine.CreateClassifier(Samples.ClassifierOptions, weights));
        LanguageModelOptions languageModel = Samples.LanguageModelOptions(2, 3);
        Assert.Throws<ArgumentException>(() => engine.CreateLanguageModel(languageModel with { Config = Samples.Encoder with { ProjectsToEmbedding = false } }, Samples.LanguageModel(Samples.Encoder)));
    }

    [Fact]
    public void TrainStep_OfASingleDocument_NormalisesWithTheRunningStatisticsAndKeepsThem()
    {
        using var engine = new CpuTrainingEngine(2);
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions with { Dropouts = DropoutRates.None, ClassWeights = null, LabelSmoothing = 0f }, start);
        int[] document = [3, 1, 4, 1, 5, 9, 2, 6];
        var probabilities = new float[Samples.Classifier.Classes];
        network.Predict([document], probabilities);
        StepResult result = network.TrainStep(new ClassifierBatch([document], new[] { 2 }), Samples.Step(1, ClassifierGroups));
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
    public void Evaluate_InOneWindowOrMany_GivesTheSameLosses()
    {
        using var engine = new CpuTrainingEngine(2);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        LanguageModelBatch whole = Samples.Window(Samples.Encoder, 12, 3, 5) with { ResetLanes = default };
        LossSum at_once = network.Evaluate(whole);
        network.ResetState(evaluation: true);
        LossSum pieces = default;
        foreach ((int start, int length) in new[] { (0, 5), (5, 1), (6, 6) })
        {
            pieces += network.Evaluate(new LanguageModelBatch(length, 3, whole.Input.Slice(start * 3, length * 3), whole.Target.Slice(start * 3, length * 3), default));
        }

        Assert.Equal(36, pieces.Count);
        Assert.Equal(at_once.Sum, pieces.Sum, 1e-9);
        Assert.NotEqual(at_once.Sum, network.Evaluate(whole).Sum);
        Assert.Throws<ArgumentException>(() => network.Evaluate(Samples.Window(Samples.Encoder, 12, 4, 5)));
        network.ResetState(evaluation: true);
        Assert.Equal(12 * 4, network.Evaluate(Samples.Window(Samples.Encoder, 12, 4, 5)).Count);
    }

    [Fact]
    public void Evaluate_WithMarksOfWhatCounts_SumsThoseAlone()
    {
        using var engine = new CpuTrainingEngine(2);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        LanguageModelBatch whole = Samples.Window(Samples.Encoder, 12, 3, 5) with { ResetLanes = new[] { true, true, true } };
        bool[] some = [.. Enumerable.Range(0, 36).Select(row => row % 5 < 2)];
        LossSum all = network.Evaluate(whole), counted = network.Evaluate(whole with { Counted = some }), others = network.Evaluate(whole with { Counted = some.Select(mark => !mark).ToArray() });

        Assert.Equal(some.Count(mark => mark), counted.Count);
        Assert.Equal(36, counted.Count + others.Count);
        Assert.Equal(all.Sum, counted.Sum + others.Sum, 1e-9);
        Assert.Throws<ArgumentException>(() => network.Evaluate(whole with { Counted = new bool[35] }));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1) with { Counted = new bool[6] }, Samples.Step(1, LanguageModelGroups)));
    }

    [Fact]
    public void PredictNext_TokenByToken_GivesTheProbabilitiesThatEvaluateSums()
    {
        using var engine = new CpuTrainingEngine(2);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        const int Time = 12, Lanes = 3;
        int vocabulary = Samples.Encoder.VocabularySize;
        LanguageModelBatch window = Samples.Window(Samples.Encoder, Time, Lanes, 5) with { ResetLanes = default };
        LossSum expected = network.Evaluate(window);
        network.ResetState(evaluation: true);
        var probabilities = new float[Lanes * vocabulary];
        double sum = 0;
        for (int t = 0; t < Time; t++)
        {
            network.PredictNext(window.Input.Span.Slice(t * Lanes, Lanes), probabilities);
            for (int lane = 0; lane < Lanes; lane++)
            {
                ReadOnlySpan<float> next = probabilities.AsSpan(lane * vocabulary, vocabulary);
                sum -= Math.Log(next[window.Target.Span[(t * Lanes) + lane]]);
                double total = 0;
                foreach (float probability in next)
                {
                    total += probability;
                }

                Assert.Equal(1, total, 1e-5);
            }
        }

        Assert.Equal(expected.Sum, sum, 1e-4);
        Assert.NotEqual(expected.Sum, network.Evaluate(window).Sum);
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
    public void PredictNext_OfWhatDoesNotBelongTogether_IsRefusedAndChangesNothing()
    {
        using var engine = new CpuTrainingEngine(1);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        int vocabulary = Samples.Encoder.VocabularySize;
        float[] one = new float[vocabulary], two = new float[2 * vocabulary], again = new float[vocabulary];
        network.PredictNext([3], one);
        Assert.Throws<ArgumentException>(() => network.PredictNext([], []));
        Assert.Throws<ArgumentException>(() => network.PredictNext([3], two));
        Assert.Throws<ArgumentException>(() => network.PredictNext([vocabulary], one));
        Assert.Throws<ArgumentException>(() => network.PredictNext([-1], one));
        Assert.Throws<ArgumentException>(() => network.PredictNext([3, 4], two));
        network.PredictNext([5], one);
        network.ResetState(evaluation: true);
        network.PredictNext([3], again);
        network.PredictNext([5], again);
        Assert.Equal(again, one);
    }

    [Fact]
    public void TrainStep_ManyTimesOverOneWindow_LearnsIt()
    {
        using var engine = new CpuTrainingEngine(2);
        LanguageModelOptions options = Samples.LanguageModelOptions(4, 8) with { Dropouts = DropoutRates.None, ActivationRegularization = 0f, TemporalActivationRegularization = 0f };
        using ILanguageModelNetwork network = engine.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder));
        LanguageModelBatch window = Samples.Window(Samples.Encoder, 8, 4, 1) with { ResetLanes = new[] { true, true, true, true } };
        double loss = double.NaN;
        for (int i = 1; i <= 150; i++)
        {
            loss = network.TrainStep(window, Samples.Step(i, LanguageModelGroups, 0f)).Loss;
        }

        Assert.InRange(loss, 0, 0.2);
    }

    [Fact]
    public void MachinePeak_OfOneThread_IsThatOfAProcessorOfThisCentury() =>
        Assert.InRange(MachinePeak.Measure(1, TimeSpan.FromMilliseconds(20)), 0.01, 1000);
}
