using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>What is called the same training gives the same bits, and a shared language model those of a training without a break.</summary>
public sealed class TrainingFingerprintTests
{
    private static readonly TrainingSettings Settings = SmallTraining.Settings;

    public static TheoryData<string, TrainingSettings> OtherClassifiers => new()
    {
        { "full", Settings with { Strategy = Strategy.Full } },
        { "last", Settings with { Strategy = Strategy.Last, Classifier = Settings.Classifier with { Schedule = ScheduleKind.Constant } } },
        { "chain-thaw", Settings with { Strategy = Strategy.ChainThaw, Classifier = Settings.Classifier with { Epochs = 1 } } },
        { "head", Settings with { Classifier = Settings.Classifier with { HeadHiddenSize = 9, DropMultiplier = 0.1, Discriminative = false } } },
    };

    [Theory]
    [MemberData(nameof(OtherClassifiers))]
    public void Train_FromTheLanguageModelOfAnotherTraining_GivesTheBitsOfATrainingWithoutABreak(string name, TrainingSettings other)
    {
        Assert.NotEmpty(name);
        using var engine = new CpuTrainingEngine(2);
        DirectionTraining shared = TrainingOf(engine, Settings with { SliceSteps = 3 }), training = TrainingOf(engine, other);
        Checkpoint checkpoint = shared.Start();
        while (checkpoint.Position != shared.LanguageModelEnd)
        {
            checkpoint = shared.Train(checkpoint, null, TestContext.Current.CancellationToken);
        }

        checkpoint = SmallTraining.ThroughAFile(checkpoint);
        while (!checkpoint.Finished)
        {
            checkpoint = training.Train(checkpoint, null, TestContext.Current.CancellationToken);
        }

        Assert.Equal(shared.LanguageModelFingerprint, training.LanguageModelFingerprint);
        Assert.NotEqual(shared.Fingerprint, training.Fingerprint);
        Assert.Equal(WeightsDigest.Of(SmallTraining.Run(training).Last.State), WeightsDigest.Of(checkpoint.State));
    }

    [Fact]
    public void Fingerprints_WhatMakesNoDifference_IsNotInThem()
    {
        TrainingSettings same = Settings with { SliceSteps = 2, SliceMinutes = 1, Directions = Directions.Forward, TextColumn = "message", LabelColumn = "kind", Pretrained = "wiki", HeldOutFraction = 0.2 };
        using var one = new CpuTrainingEngine(1);
        using var two = new CpuTrainingEngine(2);

        Assert.Equal(TrainingOf(one, Settings).Fingerprint, TrainingOf(two, same).Fingerprint);
        Assert.Equal(TrainingOf(one, Settings).LanguageModelFingerprint, TrainingOf(two, same).LanguageModelFingerprint);
    }

    // Left out and written out: the language model is the same.
    [Fact]
    public void LanguageModelFingerprint_DefaultsThatAreWrittenOut_MakeNoDifference()
    {
        using var engine = new CpuTrainingEngine(1);
        TrainingSettings written = Settings with
        {
            Schedule = ScheduleKind.Cosine,
            Discriminative = null,
            LanguageModel = Settings.LanguageModel with { Schedule = ScheduleKind.SlantedTriangular, Discriminative = true, DiscriminativeFactor = 2.6, LearningRate = 0.005 },
        };

        Assert.Equal(TrainingOf(engine, Settings).LanguageModelFingerprint, TrainingOf(engine, written).LanguageModelFingerprint);
        Assert.NotEqual(TrainingOf(engine, Settings).Fingerprint, TrainingOf(engine, written).Fingerprint);
    }

    public static TheoryData<string, TrainingSettings> OtherLanguageModels => new()
    {
        { "seed", Settings with { Seed = 7 } },
        { "size", Settings with { Size = ModelSize.Small } },
        { "schedule", Settings with { Schedule = ScheduleKind.Constant } },
        { "discriminative", Settings with { Discriminative = false } },
        { "epochs", Settings with { LanguageModel = Settings.LanguageModel with { Epochs = 3 } } },
        { "rate", Settings with { LanguageModel = Settings.LanguageModel with { LearningRate = 0.001 } } },
        { "batch", Settings with { LanguageModel = Settings.LanguageModel with { Batch = 3 } } },
        { "bptt", Settings with { LanguageModel = Settings.LanguageModel with { Bptt = 10 } } },
        { "dropout", Settings with { LanguageModel = Settings.LanguageModel with { DropMultiplier = 0.5 } } },
        { "decay", Settings with { LanguageModel = Settings.LanguageModel with { WeightDecay = 0.5 } } },
        { "early stopping", Settings with { LanguageModel = Settings.LanguageModel with { EarlyStopping = new EarlyStoppingSettings() } } },
    };

    [Theory]
    [MemberData(nameof(OtherLanguageModels))]
    public void LanguageModelFingerprint_WhatTheLanguageModelDependsOn_MakesAnother(string name, TrainingSettings other)
    {
        Assert.NotEmpty(name);
        using var engine = new CpuTrainingEngine(1);

        Assert.NotEqual(TrainingOf(engine, Settings).LanguageModelFingerprint, TrainingOf(engine, other).LanguageModelFingerprint);
        Assert.NotEqual(TrainingOf(engine, Settings).Fingerprint, TrainingOf(engine, other).Fingerprint);
    }

    // Another version of the program may have other defaults.
    [Fact]
    public void Fingerprint_OtherStagesOfTheSameSettings_MakeAnother()
    {
        using var engine = new CpuTrainingEngine(1);
        IReadOnlyList<Stage> stages = TrainingOf(engine, Settings).Plan.Stages;
        string Of(IReadOnlyList<Stage> planned) => TrainingFingerprint.OfTraining(engine, SmallTraining.Data, Settings, Direction.Forward, planned, "random");

        Assert.Equal(Of(stages), Of([.. stages]));
        Assert.NotEqual(Of(stages), Of([.. stages.Skip(1)]));
        Assert.NotEqual(Of(stages), Of([.. stages.SkipLast(1), stages[^1] with { Epochs = stages[^1].Epochs + 1 }]));
    }

    [Fact]
    public void Fingerprints_DirectionTextsLabelsAndStart_MakeOthers()
    {
        using var engine = new CpuTrainingEngine(1);
        TrainingData data = SmallTraining.Data;
        AwdLstmConfig config = new(data.Vocabulary.Count, 8, 12, 2);
        TrainingData MoreText() => TrainingData.Prepare(SmallTraining.Rows(0, 40), SmallTraining.Rows(40, 10), ["an unlabelled text about apples", "another one about apples"], Settings, data.Vocabulary);
        DirectionTraining[] all =
        [
            TrainingOf(engine, Settings),
            new(engine, data, Settings, Direction.Backward, null),
            new(engine, MoreText(), Settings, Direction.Forward, null),
            new(engine, data, Settings, Direction.Forward, PretrainedModel.Of(data.Vocabulary, WeightInitialization.LanguageModel(config, 3), null)),
            new(engine, data, Settings, Direction.Forward, PretrainedModel.Of(data.Vocabulary, WeightInitialization.LanguageModel(config, 4), null)),
        ];

        Assert.Equal(all.Length, all.Select(training => training.Fingerprint).Distinct().Count());
        Assert.Equal(all.Length, all.Select(training => training.LanguageModelFingerprint).Distinct().Count());
    }

    [Fact]
    public void WithLabelsOf_SomeRows_HasTheLanguageModelOfAllAndAnotherClassifier()
    {
        using var engine = new CpuTrainingEngine(1);
        DirectionTraining all = TrainingOf(engine, Settings), some = new(engine, SmallTraining.Data.WithLabelsOf([1, 2, 5]), Settings, Direction.Forward, null),
            every = new(engine, SmallTraining.Data.WithLabelsOf([.. Enumerable.Range(0, 40)]), Settings, Direction.Forward, null);

        Assert.Equal(all.LanguageModelFingerprint, some.LanguageModelFingerprint);
        Assert.NotEqual(all.Fingerprint, some.Fingerprint);
        Assert.Equal(all.Fingerprint, every.Fingerprint);
    }

    [Fact]
    public void WithLabelsOf_SomeRows_TrainsTheClassifierOnThemAlone()
    {
        using var cpu = new CpuTrainingEngine(1);
        var engine = new RecordingEngine(cpu);
        TrainingData data = SmallTraining.Data.WithLabelsOf([0, 3, 4, 7]);
        SmallTraining.Run(new DirectionTraining(engine, data, Settings with { Strategy = Strategy.Last }, Direction.Forward, null));

        Assert.Equal(data.Train.SelectMany(document => document.Tokens).Distinct().Order(), engine.ClassifierTokens.Order());
        Assert.Superset(SmallTraining.Data.Train.SelectMany(document => document.Tokens).ToHashSet(), engine.LanguageModelTokens);
        Assert.Equal(data.LanguageModelTexts.Count, data.Train.Count + data.Unlabeled.Count);
        Assert.Throws<ArgumentException>(() => SmallTraining.Data.WithLabelsOf([1]));
    }

    [Fact]
    public void LanguageModelFingerprint_WithoutLanguageModelStages_IsNone()
    {
        using var engine = new CpuTrainingEngine(1);
        DirectionTraining training = TrainingOf(engine, Settings with { LanguageModel = Settings.LanguageModel with { FineTune = false } });

        Assert.Null(training.LanguageModelFingerprint);
        Assert.Equal(default, training.LanguageModelEnd);
    }

    private static DirectionTraining TrainingOf(ITrainingEngine engine, TrainingSettings settings) => new(engine, SmallTraining.Data, settings, Direction.Forward, null);
}
