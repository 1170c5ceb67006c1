using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>A training may be stopped after any step and gone on with, on the same bits; and the same training twice gives the same bits.</summary>
public sealed class CheckpointContractTests
{
    private const int Steps = 6;

    /// <summary>What a training saves and goes on from, of every kind of network.</summary>
    public static TheoryData<string> Networks => new() { "language model", "classifier", "plain LSTM of two classes", "plain LSTM of five classes" };

    [Theory]
    [MemberData(nameof(Networks))]
    public void TrainStep_TwiceFromOneSeed_GivesTheSameBitsAndFromAnotherNot(string kind)
    {
        StateDict first = Trained(kind, Start(kind), 1, Steps);
        Samples.AssertSameBits(first, Trained(kind, Start(kind), 1, Steps));
        StateDict other = Trained(kind, Start(kind), 1, Steps, seed: 7);
        Assert.Contains(first, pair => !pair.Value.Data.AsSpan().SequenceEqual(other[pair.Key].Data));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void TrainStep_GoneOnWithFromAFileAfterAnyStep_GivesTheBitsOfNeverStopping(string kind)
    {
        StateDict straight = Trained(kind, Start(kind), 1, Steps);
        for (int stop = 1; stop < Steps; stop++)
        {
            using var file = new MemoryStream();
            Safetensors.Write(file, Trained(kind, Start(kind), 1, stop));
            file.Position = 0;
            Samples.AssertSameBits(straight, Trained(kind, Safetensors.Read(file).Tensors, stop + 1, Steps));
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Save_OfACheckpointAsItCame_GivesBackItsBits(string kind)
    {
        StateDict checkpoint = Trained(kind, Start(kind), 1, 3);
        Samples.AssertSameBits(checkpoint, Trained(kind, checkpoint, 1, 0));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Save_AfterTraining_HasTheTensorsOfTheContractAndNoOthers(string kind)
    {
        StateDict start = Start(kind), saved = Trained(kind, start, 1, Steps);
        IReadOnlyList<IReadOnlyList<string>> groups = kind == "language model" ? ParameterGroups.OfLanguageModel(Samples.Encoder) : ParameterGroups.OfClassifier(Options(kind).Config);
        var expected = new Dictionary<string, IReadOnlyList<int>>(start.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Shape)));
        foreach (string weight in groups.SelectMany(names => names))
        {
            expected.Add(TrainingStateNames.FirstMoment(weight), start[weight].Shape);
            expected.Add(TrainingStateNames.SecondMoment(weight), start[weight].Shape);
        }

        for (int layer = 0; kind == "language model" && layer < Samples.Encoder.Layers; layer++)
        {
            expected.Add(TrainingStateNames.CarriedHidden(layer), [4, Samples.Encoder.OutputSizeOf(layer)]);
            expected.Add(TrainingStateNames.CarriedCell(layer), [4, Samples.Encoder.OutputSizeOf(layer)]);
        }

        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), saved.Names);
        Assert.All(saved, pair => Assert.Equal(expected[pair.Key], pair.Value.Shape));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void TrainStep_OfANetworkMadeFromAState_LeavesThatStateAlone(string kind)
    {
        StateDict start = Start(kind);
        Trained(kind, start, 1, 2);
        Samples.AssertSameBits(Start(kind), start);
    }

    [Fact]
    public void Networks_DisposedOf_AreNotUsedAnyMore()
    {
        using var engine = TestEngine.Create();
        ILanguageModelNetwork model = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), Start("language model"));
        IClassifierNetwork classifier = engine.CreateClassifier(Samples.ClassifierOptions, Start("classifier"));
        foreach (INetwork network in (INetwork[])[model, classifier])
        {
            network.Dispose();
            network.Dispose();
            Assert.Throws<ObjectDisposedException>(network.Save);
        }
    }

    private static ClassifierOptions Options(string kind) => kind switch
    {
        "classifier" => Samples.ClassifierOptions,
        "plain LSTM of two classes" => Samples.LastStateOptions(2),
        _ => Samples.LastStateOptions(5, layers: 2),
    };

    private static StateDict Start(string kind) => kind == "language model" ? Samples.LanguageModel(Samples.Encoder) : Samples.ClassifierWeights(Options(kind).Config);

    /// <summary>Steps <paramref name="from"/> to <paramref name="to"/> on an engine of their own, the groups being unfrozen one after the other.</summary>
    private static StateDict Trained(string kind, StateDict state, int from, int to, ulong seed = 42)
    {
        using var engine = TestEngine.Create();
        if (kind == "language model")
        {
            using ILanguageModelNetwork model = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), state);
            for (int i = from; i <= to; i++)
            {
                model.TrainStep(Samples.Window(Samples.Encoder, 3 + (i % 5), 4, i), Step(i, Samples.Encoder.Layers + 1));
            }

            return model.Save();
        }

        ClassifierOptions options = Options(kind);
        using IClassifierNetwork classifier = engine.CreateClassifier(options, state);
        for (int i = from; i <= to; i++)
        {
            classifier.TrainStep(Samples.Documents(options.Config, i == 4 ? 1 : 4 + (i % 3), 30, i), Step(i, options.Config.Encoder.Layers + 2));
        }

        return classifier.Save();

        OptimizerStep Step(int i, int groups)
        {
            OptimizerStep step = Samples.Step(i, groups, 0.3f, i < 3 ? [.. Enumerable.Range(0, groups - 2)] : i < 5 ? [0] : []);
            return step with { Key = step.Key with { Seed = seed } };
        }
    }
}
