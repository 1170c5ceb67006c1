using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>What a language model promises, whatever engine it is on.</summary>
public sealed class LanguageModelContractTests
{
    private const int Groups = 4;

    [Fact]
    public void CreateLanguageModel_WithoutATensor_NamesIt()
    {
        using var engine = TestEngine.Create();
        StateDict state = Samples.LanguageModel(Samples.Encoder).Where(name => name != "0.rnns.1.weight_hh_l0_raw");
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), state));
        Assert.Contains("0.rnns.1.weight_hh_l0_raw", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateLanguageModel_WithADecoderThatCannotBeTied_IsRefused()
    {
        using var engine = TestEngine.Create();
        LanguageModelOptions options = Samples.LanguageModelOptions(2, 3) with { Config = Samples.Encoder with { ProjectsToEmbedding = false } };
        Assert.Throws<ArgumentException>(() => engine.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder)));
    }

    [Fact]
    public void TrainStep_WithAWrongBatch_IsRefusedAndChangesNothing()
    {
        using var engine = TestEngine.Create();
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        StateDict before = network.Save();
        OptimizerStep step = Samples.Step(1, Groups);
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 4, 2, 1), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 3, 1), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new LanguageModelBatch(1, 2, new[] { 1, 61 }, new[] { 1, 2 }, default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new LanguageModelBatch(1, 2, new[] { 1, 2 }, new[] { -1, 2 }, default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(new LanguageModelBatch(1, 2, new[] { 1 }, new[] { 1, 2 }, default), step));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1), Samples.Step(1, 3)));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1), Samples.Step(0, Groups)));
        Samples.AssertSameBits(before, network.Save());
    }

    [Fact]
    public void TrainStep_WithEveryLaneReset_IsThatAfterAResetOfTheState()
    {
        using var engine = TestEngine.Create();
        LanguageModelOptions options = Samples.LanguageModelOptions(3, 8);
        using ILanguageModelNetwork byLanes = engine.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder));
        using ILanguageModelNetwork whole = engine.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder));
        using ILanguageModelNetwork running = engine.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder));
        LanguageModelBatch first = Samples.Window(Samples.Encoder, 8, 3, 1) with { ResetLanes = default }, second = Samples.Window(Samples.Encoder, 8, 3, 2) with { ResetLanes = default };
        foreach (ILanguageModelNetwork network in (ILanguageModelNetwork[])[byLanes, whole, running])
        {
            network.TrainStep(first, Samples.Step(1, Groups));
        }

        whole.ResetState(evaluation: false);
        whole.TrainStep(second, Samples.Step(2, Groups));
        byLanes.TrainStep(second with { ResetLanes = new[] { true, true, true } }, Samples.Step(2, Groups));
        running.TrainStep(second, Samples.Step(2, Groups));
        Samples.AssertSameBits(whole.Save(), byLanes.Save());
        Assert.False(whole.Save()[TrainingStateNames.CarriedHidden(0)].Data.AsSpan().SequenceEqual(running.Save()[TrainingStateNames.CarriedHidden(0)].Data));
    }

    [Fact]
    public void TrainStep_WithEvaluationsBetween_TrainsAsWithout()
    {
        using var engine = TestEngine.Create();
        using ILanguageModelNetwork plain = engine.CreateLanguageModel(Samples.LanguageModelOptions(5, 9), Samples.LanguageModel(Samples.Encoder));
        using ILanguageModelNetwork evaluated = engine.CreateLanguageModel(Samples.LanguageModelOptions(5, 9), Samples.LanguageModel(Samples.Encoder));
        for (int i = 1; i <= 4; i++)
        {
            plain.TrainStep(Samples.Window(Samples.Encoder, 7, 5, i), Samples.Step(i, Groups));
            evaluated.TrainStep(Samples.Window(Samples.Encoder, 7, 5, i), Samples.Step(i, Groups));
            evaluated.ResetState(evaluation: true);
            evaluated.Evaluate(Samples.Window(Samples.Encoder, 30, 2, i));
            evaluated.PredictNext([3, 4], new float[2 * Samples.Encoder.VocabularySize]);
        }

        Samples.AssertSameBits(plain.Save(), evaluated.Save());
    }

    [Fact]
    public void TrainStep_ManyTimesOverOneWindow_LearnsIt()
    {
        using var engine = TestEngine.Create();
        LanguageModelOptions options = Samples.LanguageModelOptions(4, 8) with { Dropouts = DropoutRates.None, ActivationRegularization = 0f, TemporalActivationRegularization = 0f };
        using ILanguageModelNetwork network = engine.CreateLanguageModel(options, Samples.LanguageModel(Samples.Encoder));
        LanguageModelBatch window = Samples.Window(Samples.Encoder, 8, 4, 1) with { ResetLanes = new[] { true, true, true, true } };
        double loss = double.NaN;
        for (int i = 1; i <= 150; i++)
        {
            loss = network.TrainStep(window, Samples.Step(i, Groups, 0f)).Loss;
        }

        Assert.InRange(loss, 0, 0.2);
    }

    [Fact]
    public void Evaluate_AfterTraining_IsOfTheTrainedWeights()
    {
        using var engine = TestEngine.Create();
        LanguageModelBatch window = Samples.Window(Samples.Encoder, 7, 4, 3) with { ResetLanes = new[] { true, true, true, true } };
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), Samples.LanguageModel(Samples.Encoder));
        double before = network.Evaluate(window).Sum;
        network.TrainStep(window, Samples.Step(1, Groups));
        double after = network.Evaluate(window).Sum;
        using ILanguageModelNetwork anew = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), network.Save());
        Assert.Equal(anew.Evaluate(window).Sum, after);
        Assert.NotEqual(before, after);
    }

    [Fact]
    public void Evaluate_InOneWindowOrMany_GivesTheSameLosses()
    {
        using var engine = TestEngine.Create();
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
        Assert.Equal(at_once.Sum, pieces.Sum, TestEngine.RoundingOfASum);
        Assert.NotEqual(at_once.Sum, network.Evaluate(whole).Sum);
        Assert.Throws<ArgumentException>(() => network.Evaluate(Samples.Window(Samples.Encoder, 12, 4, 5)));
        network.ResetState(evaluation: true);
        Assert.Equal(12 * 4, network.Evaluate(Samples.Window(Samples.Encoder, 12, 4, 5)).Count);
    }

    [Fact]
    public void Evaluate_WithMarksOfWhatCounts_SumsThoseAlone()
    {
        using var engine = TestEngine.Create();
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(2, 3), Samples.LanguageModel(Samples.Encoder));
        LanguageModelBatch whole = Samples.Window(Samples.Encoder, 12, 3, 5) with { ResetLanes = new[] { true, true, true } };
        bool[] some = [.. Enumerable.Range(0, 36).Select(row => row % 5 < 2)];
        LossSum all = network.Evaluate(whole), counted = network.Evaluate(whole with { Counted = some }), others = network.Evaluate(whole with { Counted = some.Select(mark => !mark).ToArray() });

        Assert.Equal(some.Count(mark => mark), counted.Count);
        Assert.Equal(36, counted.Count + others.Count);
        Assert.Equal(all.Sum, counted.Sum + others.Sum, 1e-9);
        Assert.Throws<ArgumentException>(() => network.Evaluate(whole with { Counted = new bool[35] }));
        Assert.Throws<ArgumentException>(() => network.TrainStep(Samples.Window(Samples.Encoder, 3, 2, 1) with { Counted = new bool[6] }, Samples.Step(1, Groups)));
    }

    [Fact]
    public void PredictNext_TokenByToken_GivesTheProbabilitiesThatEvaluateSums()
    {
        using var engine = TestEngine.Create();
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
    public void PredictNext_OfWhatDoesNotBelongTogether_IsRefusedAndChangesNothing()
    {
        using var engine = TestEngine.Create();
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
}
