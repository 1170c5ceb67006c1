using Ulmfit.Cpu;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class EarlierModelTests
{
    private const int Classes = 2;

    // Its vocabulary has no rows that only fill it up: every row is some word's, which another vocabulary may have.
    private static readonly TrainingData Data = TrainingData.Prepare(SmallTraining.Rows(0, 40), SmallTraining.Rows(40, 10), [], SmallTraining.Settings, SmallTraining.Data.Vocabulary);

    private static readonly string Embedding = AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder);
    private static readonly string Output = AwdLstmNames.Linear(1);

    [Fact]
    public void Start_SameLabels_KeepsEveryWeightAndTheOutputLayer()
    {
        StateDict trained = Trained();
        EarlierModel earlier = Earlier(trained, Data.Labels);

        Assert.True(earlier.HasLabels(Data.Labels));
        Assert.Equal(WeightsDigest.Of(trained), WeightsDigest.Of(BeforeTheFirstStep(Data, earlier)));
    }

    [Fact]
    public void Start_SameLabelsInAnotherOrder_PermutesTheRowsOfTheOutputLayer()
    {
        StateDict trained = Trained();
        EarlierModel earlier = Earlier(trained, [.. Data.Labels.Reverse()]);

        StateDict start = BeforeTheFirstStep(Data, earlier);

        int width = trained[Output].Shape[1];
        Assert.Equal([.. trained[Output].Data[width..], .. trained[Output].Data[..width]], start[Output].Data);
        Assert.Equal(trained[AwdLstmNames.Linear(0)].Data, start[AwdLstmNames.Linear(0)].Data);
    }

    [Fact]
    public void Start_OtherLabels_HasANewOutputLayerAndKeepsTheRest()
    {
        StateDict trained = Trained();
        EarlierModel earlier = Earlier(trained, Data.Labels);
        LabeledRow[] rows = [.. SmallTraining.Rows(0, 40), new LabeledRow("zebra crossing apples", "animals", 1), new LabeledRow("a zebra again", "animals", 2)];
        var data = TrainingData.Prepare(rows, [], [], SmallTraining.Settings, earlier.Vocabulary);

        StateDict start = BeforeTheFirstStep(data, earlier);

        Assert.False(earlier.HasLabels(data.Labels));
        Assert.Equal([3, trained[Output].Shape[1]], start[Output].Shape);
        string embedding = AwdLstmNames.Embedding(AwdLstmNames.ClassifierEncoder);
        Assert.All(trained.Where(name => name != Output && name != embedding), pair => Assert.Equal(pair.Value.Data, start[pair.Key].Data));

        // Known words keep their rows, new ones get the mean row.
        int width = trained[embedding].Shape[1];
        float[] Row(StateDict weights, int row) => weights[embedding].Data[(row * width)..((row + 1) * width)];
        Assert.Equal(Row(trained, Data.Vocabulary.IdOf("apples")), Row(start, data.Vocabulary.IdOf("apples")));
        double mean = Enumerable.Range(0, trained[embedding].Shape[0]).Average(row => (double)Row(trained, row)[0]);
        Assert.Equal(mean, Row(start, data.Vocabulary.IdOf("zebra"))[0], 1e-6);
    }

    [Fact]
    public void Start_WithFineTuningAskedFor_PutsTheEncoderIntoALanguageModelAndTheHeadOnItAgain()
    {
        StateDict trained = Trained();
        using var engine = new CpuTrainingEngine(2);
        DirectionTraining training = Training(engine, Data, Earlier(trained, Data.Labels), SmallTraining.Settings.LanguageModel with { Epochs = 1 });
        Assert.Equal(StageKind.LanguageModel, training.Plan.Stages[0].Kind);
        Assert.Equal(trained[AwdLstmNames.Embedding(AwdLstmNames.ClassifierEncoder)].Data, training.Start().State[Embedding].Data);

        Checkpoint tuned = training.Train(training.Start(), null, TestContext.Current.CancellationToken);
        Checkpoint classifier = training.Train(tuned, null, TestContext.Current.CancellationToken);

        // The first classifier stage trains the head alone: the encoder is the fine-tuned one.
        Assert.Equal(tuned.State[Embedding].Data, classifier.State[AwdLstmNames.Embedding(AwdLstmNames.ClassifierEncoder)].Data);
        Assert.Equal(trained[Output].Shape, classifier.State[Output].Shape);
    }

    [Fact]
    public void Training_FromAnEarlierModel_GoesOnLearning()
    {
        using var engine = new CpuTrainingEngine(2);
        TrainingSettings settings = SmallTraining.Settings with { LanguageModel = NoFineTuning, Classifier = SmallTraining.Settings.Classifier with { Epochs = 6 } };
        (Checkpoint first, List<EpochMetrics> before) = SmallTraining.Run(new DirectionTraining(engine, Data, settings, Direction.Forward, null));
        DirectionTraining training = Training(engine, Data, Earlier(first.State, Data.Labels), new LanguageModelSettings());
        (_, List<EpochMetrics> epochs) = SmallTraining.Run(training);

        Assert.All(training.Plan.Stages, stage => Assert.Equal(StageKind.Classifier, stage.Kind));

        Assert.True(epochs[0].TrainLoss < before[0].TrainLoss, $"{epochs[0].TrainLoss} after {before[0].TrainLoss}");
    }

    [Fact]
    public void Of_WeightsThatDoNotFit_NamesTheTensor()
    {
        StateDict trained = Trained();
        Assert.Contains(Output, Assert.Throws<InvalidDataException>(() => Earlier(trained, ["a", "b", "c"])).Message, StringComparison.Ordinal);

        StateDict headless = trained.Where(name => name != AwdLstmNames.Linear(0));
        Assert.Contains(AwdLstmNames.Linear(0), Assert.Throws<InvalidDataException>(() => Earlier(headless, Data.Labels)).Message, StringComparison.Ordinal);

        using var engine = new CpuTrainingEngine(1);
        EarlierModel forward = Earlier(trained, Data.Labels);
        Assert.Throws<InvalidDataException>(() => new DirectionTraining(engine, Data, SmallTraining.Settings, Direction.Backward, null, forward));
    }

    private static LanguageModelSettings NoFineTuning => SmallTraining.Settings.LanguageModel with { FineTune = false };

    /// <summary>A classifier of random weights, none of which is what a new one begins with.</summary>
    private static StateDict Trained()
    {
        var config = new ClassifierConfig(new AwdLstmConfig(Data.Vocabulary.Count, 8, 12, 2), 6, Classes);
        StateDict weights = AwdLstmNames.EncoderForClassifier(WeightInitialization.LanguageModel(config.Encoder, 5));
        foreach ((string name, Tensor tensor) in WeightInitialization.Head(config, 5))
        {
            weights.Add(name, tensor);
        }

        float value = 0.1f;
        foreach ((_, Tensor tensor) in weights.Where(name => name.StartsWith("1.", StringComparison.Ordinal)))
        {
            for (int i = 0; i < tensor.Data.Length; i++)
            {
                tensor.Data[i] = value += 0.001f;
            }
        }

        return weights;
    }

    private static EarlierModel Earlier(StateDict weights, IReadOnlyList<string> labels) => EarlierModel.Of(Data.Vocabulary, labels, weights, null);

    private static DirectionTraining Training(ITrainingEngine engine, TrainingData data, EarlierModel earlier, LanguageModelSettings languageModel) =>
        new(engine, data, SmallTraining.Settings with { LanguageModel = languageModel }, Direction.Forward, null, earlier);

    /// <summary>The weights that the first classifier is made with.</summary>
    private static StateDict BeforeTheFirstStep(TrainingData data, EarlierModel earlier)
    {
        using var cpu = new CpuTrainingEngine(1);
        var engine = new RecordingEngine(cpu);
        DirectionTraining training = Training(engine, data, earlier, new LanguageModelSettings());
        training.Open(training.Start()).Dispose();
        return Assert.Single(engine.ClassifierStates);
    }
}
