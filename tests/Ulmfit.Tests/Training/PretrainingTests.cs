using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>Small real pretrainings on a made language, in which a noun asks for its own verb.</summary>
public sealed class PretrainingTests
{
    private static readonly PretrainingSettings Settings = new() { Size = ModelSize.Tiny, Epochs = 1.5, Batch = 4, Bptt = 9, MinimumCount = 1 };

    private static readonly PretrainingData Data = PretrainingData.Prepare(Corpus(0, 60), Corpus(100, 6), Settings, 2, CancellationToken.None);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, Direction.Forward)]
    [InlineData(2, Direction.Backward)]
    [InlineData(3, Direction.Forward)]
    [InlineData(7, Direction.Forward)]
    [InlineData(7, Direction.Backward)]
    public void Train_InSlicesThroughFiles_GivesTheSameBitsAsInOneGo(int sliceSteps, Direction direction)
    {
        (Checkpoint whole, _) = Run(Settings, direction);
        (Checkpoint sliced, List<PretrainingMetrics> slices) = Run(Settings, direction, new SliceLimit(sliceSteps, null), throughFiles: true);

        Assert.Equal(WeightsDigest.Of(whole.State), WeightsDigest.Of(sliced.State));
        Assert.True(slices.Count > 5);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, 2.0)]
    [InlineData(3, 3.0)]
    public void Train_CutAtRandomStepsOrByTheClock_GivesTheSameBitsAsInOneGo(int seed, double? minutes)
    {
        var random = new Random(seed);
        var clock = new StridingClock(seed, mostSeconds: 40);
        using var engine = new CpuTrainingEngine(2);
        int slices = 0;
        Checkpoint? checkpoint = null;
        while (checkpoint is not { Finished: true })
        {
            var training = new Pretraining(engine, Data, Settings, Direction.Forward, null) { Clock = clock };
            var limit = minutes is null ? new SliceLimit(1 + random.Next(9), null) : new SliceLimit(null, TimeSpan.FromMinutes(minutes.Value));
            checkpoint = training.Train(checkpoint is null ? training.Start() : SmallTraining.ThroughAFile(checkpoint), limit, null, Ct).Checkpoint;
            slices++;
        }

        Assert.Equal(WeightsDigest.Of(Run(Settings, Direction.Forward).Last.State), WeightsDigest.Of(checkpoint.State));
        Assert.True(slices > 8, $"{slices} slices");
    }

    [Fact]
    public void Train_KilledInTheMiddleOfASlice_GoesOnFromTheCheckpointToTheSameBits()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new Pretraining(engine, Data, Settings, Direction.Forward, null);
        Checkpoint checkpoint = training.Train(training.Start(), new SliceLimit(5, null), null, Ct).Checkpoint;
        using var kill = new CancellationTokenSource();
        var progress = new Reporter(value =>
        {
            if (value.Step == 8)
            {
                kill.Cancel();
            }
        });
        Assert.Throws<OperationCanceledException>(() => training.Train(checkpoint, default, progress, kill.Token));
        while (!checkpoint.Finished)
        {
            checkpoint = training.Train(checkpoint, default, null, Ct).Checkpoint;
        }

        Assert.Equal(WeightsDigest.Of(Run(Settings, Direction.Forward).Last.State), WeightsDigest.Of(checkpoint.State));
    }

    [Fact]
    public void Train_LossThatIsNoNumber_NamesTheSettingsOfPretraining()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new Pretraining(engine, Data, Settings, Direction.Forward, null);
        Checkpoint start = training.Start();
        start.State[AwdLstmNames.DecoderBias].Data.AsSpan().Fill(float.NaN);

        TrainingDivergedException exception = Assert.Throws<TrainingDivergedException>(() => training.Train(start, default, null, Ct));

        Assert.Contains("stage 'pretraining', epoch 1, step 1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("\"learningRate\"", exception.Message, StringComparison.Ordinal);
        Assert.Contains("\"clipNorm\"", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_ALanguageWithRules_LowersThePerplexityOfHeldOutText()
    {
        (_, List<PretrainingMetrics> slices) = Run(Settings with { Epochs = 6, LearningRate = 0.01 }, Direction.Forward, new SliceLimit(20, null));

        Assert.True(slices[0].Perplexity > 8, $"{slices[0].Perplexity}");
        Assert.True(slices[^1].Perplexity < 0.6 * slices[0].Perplexity, $"from {slices[0].Perplexity} to {slices[^1].Perplexity}");
        Assert.Equal(Data.HeldOut.Documents.Sum(document => document.Length - 1L), slices[^1].HeldOutTokens);
    }

    [Fact]
    public void Train_FractionsOfEpochs_SpreadTheScheduleOverThemAll()
    {
        using var engine = new CpuTrainingEngine(2);
        int one = new Pretraining(engine, Data, Settings with { Epochs = 1 }, Direction.Forward, null).Steps;
        (_, List<PretrainingMetrics> slices) = Run(Settings with { LearningRate = 0.01 }, Direction.Forward, new SliceLimit(1, null));

        Assert.InRange(slices.Count, 1.4 * one, 1.6 * one);
        Assert.Equal(slices.Count, slices[^1].Steps);
        Assert.Equal(Enumerable.Range(1, slices.Count), slices.Select(slice => slice.Step));
        Assert.Equal(1.5, slices[^1].Epochs, 0.02);
        Assert.Equal(1.5 * Data.Train.Tokens, slices[^1].Tokens, 0.03 * Data.Train.Tokens);
        double Rate(double from, double to) => slices[(int)(from * slices.Count)..(int)(to * slices.Count)].Average(slice => slice.LearningRate);
        Assert.InRange(Rate(0, 0.1), 0, 0.5 * Rate(0.2, 0.4));
        Assert.InRange(Rate(0.9, 1), 0, 0.1 * Rate(0.2, 0.4));
    }

    [Fact]
    public void Train_TheLossesOfSlices_MakeTheLossOfTheEpoch()
    {
        PretrainingSettings one = Settings with { Epochs = 1 };
        PretrainingMetrics whole = Assert.Single(Run(one, Direction.Forward).Slices);
        List<PretrainingMetrics> slices = Run(one, Direction.Forward, new SliceLimit(6, null)).Slices;

        double sum = 0;
        long before = 0;
        foreach (PretrainingMetrics slice in slices)
        {
            sum += slice.TrainLoss * (slice.Tokens - before);
            before = slice.Tokens;
        }

        Assert.Equal(whole.Tokens, before);
        Assert.Equal(whole.TrainLoss, sum / before, 1e-9);
    }

    [Fact]
    public void Train_BeyondTheEnd_IsRefused()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new Pretraining(engine, Data, Settings, Direction.Forward, null);

        Assert.Throws<InvalidOperationException>(() => training.Train(training.Start() with { Finished = true }, default, null, Ct));
    }

    [Fact]
    public void Train_AnotherSeedOrDirection_GivesOtherWeights()
    {
        string forward = WeightsDigest.Of(Run(Settings, Direction.Forward).Last.State);

        Assert.NotEqual(forward, WeightsDigest.Of(Run(Settings, Direction.Backward).Last.State));
        Assert.NotEqual(forward, WeightsDigest.Of(Run(Settings with { Seed = 7 }, Direction.Forward).Last.State));
    }

    // A document must be read as if it were the only one: with a state that runs on from the one before, the sums differ.
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(90)]
    public void DocumentLoss_OfManyDocuments_IsTheSumOfEachFromAZeroState(int count)
    {
        using var engine = new CpuTrainingEngine(2);
        var config = new AwdLstmConfig(40, 12, 20, 2);
        StateDict weights = WeightInitialization.LanguageModel(config, 5);
        foreach (float[] data in weights.Select(pair => pair.Value.Data))
        {
            // Large enough for the state to matter.
            for (int i = 0; i < data.Length; i++)
            {
                data[i] *= 4;
            }
        }

        using ILanguageModelNetwork network = engine.CreateLanguageModel(new LanguageModelOptions(config, DropoutRates.None, 1, 1), weights);
        int[][] documents = [.. Enumerable.Range(0, count).Select(d => Enumerable.Range(0, 1 + (d * 37 % 211)).Select(t => ((d * 7) + (t * t)) % 40).ToArray()), [3], []];
        double sum = 0;
        long predictions = 0;
        foreach (int[] document in documents.Where(document => document.Length > 1))
        {
            network.ResetState(evaluation: true);
            LossSum alone = network.Evaluate(new LanguageModelBatch(document.Length - 1, 1, document.AsMemory(0, document.Length - 1), document.AsMemory(1), default));
            sum += alone.Sum;
            predictions += alone.Count;
        }

        LossSum together = DocumentLoss.Of(network, documents, Ct);

        Assert.Equal(predictions, together.Count);
        Assert.Equal(sum, together.Sum, 1e-5 * Math.Max(1, sum));
        Assert.Equal(together, DocumentLoss.Of(network, documents, Ct));
    }

    [Fact]
    public void Start_FromAnotherModel_KeepsItsWordsAndItsLayers()
    {
        using var engine = new CpuTrainingEngine(2);
        PretrainingData other = PretrainingData.Prepare(Corpus(0, 20), Corpus(20, 2), Settings, 1, Ct);
        AwdLstmConfig config = new(other.Vocabulary.Count, 16, 24, 2);
        var start = PretrainedModel.Of(other.Vocabulary, WeightInitialization.LanguageModel(config, 9), null);
        PretrainingData data = PretrainingData.Prepare([.. Corpus(0, 40), "the zebra naps", "a zebra naps"], Corpus(40, 2), Settings, 1, Ct);
        Assert.NotEqual(other.Vocabulary.Count, data.Vocabulary.Count);
        string embedding = AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder), hidden = AwdLstmNames.HiddenWeight(AwdLstmNames.LanguageModelEncoder, 0);
        float[] Row(Tensor tensor, int row) => tensor.Data[(row * 16)..((row + 1) * 16)];

        var forward = new Pretraining(engine, data, Settings, Direction.Forward, start);
        StateDict weights = forward.Start().State;
        Assert.Equal(config with { VocabularySize = data.Vocabulary.Count }, forward.Config);
        Assert.Equal(Row(start.Forward[embedding], other.Vocabulary.IdOf("dog")), Row(weights[embedding], data.Vocabulary.IdOf("dog")));
        Assert.Equal(start.Forward[hidden].Data, weights[hidden].Data);
        Assert.NotEqual(0, data.Vocabulary.IdOf("zebra"));
        Assert.Equal(Row(weights[embedding], data.Vocabulary.IdOf("zebra")), Row(weights[embedding], data.Vocabulary.IdOf("naps")));

        // Read the other way, words mean the same and their order does not.
        StateDict backward = new Pretraining(engine, data, Settings, Direction.Backward, start).Start().State;
        Assert.Equal(weights[embedding].Data, backward[embedding].Data);
        Assert.NotEqual(weights[hidden].Data, backward[hidden].Data);
        StateDict renewed = new Pretraining(engine, data, Settings with { NewLayers = true }, Direction.Forward, start).Start().State;
        Assert.Equal(weights[embedding].Data, renewed[embedding].Data);
        Assert.Equal(weights[AwdLstmNames.DecoderBias].Data, renewed[AwdLstmNames.DecoderBias].Data);
        Assert.NotEqual(weights[hidden].Data, renewed[hidden].Data);
        Assert.True(new Pretraining(engine, data, Settings, Direction.Forward, start).Train(forward.Start(), new SliceLimit(1, null), null, Ct).Metrics.Perplexity > 1);
    }

    [Fact]
    public void Prepare_AnyNumberOfThreads_GivesTheSame()
    {
        PretrainingData one = PretrainingData.Prepare(Corpus(0, 60), null, Settings, 1, Ct), four = PretrainingData.Prepare(Corpus(0, 60), null, Settings, 4, Ct);

        Assert.Equal(one.Vocabulary.Digest, four.Vocabulary.Digest);
        Assert.Equal(one.Train.Documents, four.Train.Documents);
        Assert.Equal(one.Train.Digest, four.Train.Digest);
        Assert.Equal(59, one.Train.Documents.Count);
        Assert.Single(one.HeldOut.Documents);
        Assert.Equal(one.Train.Tokens, one.Train.Documents.Sum(document => (long)document.Length));
    }

    [Fact]
    public void Prepare_WordsOfHeldOutTextAlone_AreUnknown()
    {
        PretrainingData data = PretrainingData.Prepare(Corpus(0, 20), ["the dog barks", "the quagga"], Settings, 1, Ct);

        Assert.Equal(0, data.Train.UnknownRate);
        Assert.Equal(1.0 / 5, data.HeldOut.UnknownRate, 1e-12);
    }

    [Fact]
    public void Prepare_AnotherText_HasAnotherDigest()
    {
        string[] texts = [.. Corpus(0, 20)];
        string digest = PretrainingData.Prepare(texts, null, Settings, 1, Ct).Train.Digest;

        Assert.NotEqual(digest, PretrainingData.Prepare([texts[0] + texts[1], .. texts[2..]], null, Settings, 1, Ct).Train.Digest);
        Assert.NotEqual(digest, PretrainingData.Prepare([.. texts[..^1], texts[^1] + "!"], null, Settings, 1, Ct).Train.Digest);
    }

    [Fact]
    public void Prepare_TheVocabularyLimit_IsThatOfTheSettings()
    {
        PretrainingData data = PretrainingData.Prepare(Corpus(0, 60), null, Settings with { MaximumVocabulary = 16 }, 1, Ct);

        Assert.Equal(16, data.Vocabulary.Count);
        Assert.InRange(data.Train.UnknownRate, 0.05, 0.95);
    }

    [Fact]
    public void Prepare_TooLittleText_SaysSo()
    {
        Assert.Contains("no text", Assert.Throws<InvalidDataException>(() => PretrainingData.Prepare([], null, Settings, 1, Ct)).Message, StringComparison.Ordinal);
        Assert.Contains("single document", Assert.Throws<InvalidDataException>(() => PretrainingData.Prepare(["a b c d"], null, Settings, 1, Ct)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_UnknownOrImpossibleSettings_AreRefused()
    {
        Assert.Throws<TrainingSettingsException>(() => PretrainingSettings.Parse("""{"epoch": 3}"""));
        TrainingSettingsException exception = Assert.Throws<TrainingSettingsException>(() => PretrainingSettings.Parse("""{"epochs": 0, "laneResetProbability": 2}"""));
        Assert.Equal(["epochs", "laneResetProbability"], exception.Errors.Select(error => error.Path));
        Assert.Equal(new PretrainingSettings { Epochs = 0.5 }, PretrainingSettings.Parse(new PretrainingSettings { Epochs = 0.5 }.ToJson()));
    }

    private static (Checkpoint Last, List<PretrainingMetrics> Slices) Run(PretrainingSettings settings, Direction direction, SliceLimit limit = default, bool throughFiles = false)
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new Pretraining(engine, Data, settings, direction, null);
        var slices = new List<PretrainingMetrics>();
        Checkpoint checkpoint = training.Start();
        while (!checkpoint.Finished)
        {
            (checkpoint, PretrainingMetrics metrics) = training.Train(checkpoint, limit, null, Ct);
            slices.Add(metrics);
            if (throughFiles)
            {
                using var file = new MemoryStream();
                checkpoint.Write(file);
                file.Position = 0;
                checkpoint = Checkpoint.Read(file);
            }
        }

        return (checkpoint, slices);
    }

    private static IEnumerable<string> Corpus(int first, int count)
    {
        string[] nouns = ["dog", "cat", "bird", "child", "king", "wind"], verbs = ["barks", "purrs", "sings", "laughs", "rules", "blows"], places = ["here", "there", "at home", "far away"];
        return Enumerable.Range(first, count).Select(d => string.Join('\n', Enumerable.Range(0, 3 + (d % 5)).Select(s =>
        {
            int noun = ((d * 5) + (s * 7) + (d * s)) % nouns.Length;
            return $"the {nouns[noun]} {verbs[noun]} {places[(d + s) % places.Length]} .";
        })));
    }

    private sealed class Reporter(Action<PretrainingProgress> report) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }
}
