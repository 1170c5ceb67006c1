using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli.Pretrain;

/// <summary>What a pretraining is made of.</summary>
internal sealed record PretrainingInputs(
    PretrainingData Data, PretrainingSettings Settings, PretrainedModel? Start, ITrainingEngine Engine, string CorpusFile, string? HeldOutFile, string Command)
{
    public string? Source { get; init; }

    public string? License { get; init; }
}

/// <summary>
/// A pretraining whose checkpoints lie in the output folder, each direction with its own: killed at any instant, the same
/// command goes on from the last one to the bits that an undisturbed run would have given. Every checkpoint is followed by
/// the model as it then is, so that the folder can be used from the first one on.
/// </summary>
internal sealed class PretrainingRun(string directory, PretrainingInputs inputs, int stepsOfSlice, TimeSpan? time, Stopwatch clock)
{
    private static readonly TimeSpan LongestSlice = TimeSpan.FromMinutes(5);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private bool advanced;

    // However little time there is, a command trains a step: repeated often enough it comes to the end.
    private bool MayGoOn => !advanced || Left is null or { Ticks: > 0 };

    private TimeSpan? Left => time - clock.Elapsed;

    /// <summary>Trains a direction until it has finished or time is up; null where time was up before its first step.</summary>
    public DirectionCard? Train(Direction direction, PretrainingDisplay display, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var training = new Pretraining(inputs.Engine, inputs.Data, inputs.Settings, direction, inputs.Start);
        Dictionary<string, string> madeFrom = MadeFrom(training.Config);
        bool begun = File.Exists(CheckpointPath(direction));
        if (!begun && PretrainedCard.Find(directory)?.Of(direction) is { Finished: true } done)
        {
            CheckSame(done.MadeFrom, madeFrom, direction);
            PretrainingDisplay.Write($"{NameOf(direction)}: finished already");
            return done;
        }

        (Checkpoint checkpoint, Journal journal) = begun ? Resume(direction, training, madeFrom) : Begin(direction, training, madeFrom);
        DirectionCard? card = null;
        display.Begin(direction, training.StepsBefore(checkpoint.Position), training.Steps);
        while (!checkpoint.Finished && MayGoOn)
        {
            (checkpoint, PretrainingMetrics metrics) = training.Train(checkpoint, Limit(), new StepProgress(display.Report), cancellationToken);
            advanced = true;

            // The journal first: a checkpoint that is ahead of it would lose a line for good, the other way round the line is dropped.
            journal = journal with { Checkpoints = [.. journal.Checkpoints, metrics] };
            Write(direction, journal);
            ModelDirectory.WriteWhole(CheckpointPath(direction), checkpoint.Write);
            card = Export(direction, checkpoint, journal, training.Config);
            display.Report(metrics);
        }

        if (card is null && journal.Checkpoints.Count > 0)
        {
            card = Export(direction, checkpoint, journal, training.Config);
        }

        if (checkpoint.Finished)
        {
            File.Delete(CheckpointPath(direction));
            File.Delete(JournalPath(direction));
        }

        return card;
    }

    private SliceLimit Limit() => new(stepsOfSlice, Left < LongestSlice ? Left : LongestSlice);

    private (Checkpoint Checkpoint, Journal Journal) Begin(Direction direction, Pretraining training, Dictionary<string, string> madeFrom)
    {
        var journal = new Journal(madeFrom, []);
        if (File.Exists(JournalPath(direction)))
        {
            // Killed before the first checkpoint: nothing is lost by beginning anew, but not with something else by mistake.
            CheckSame(ReadJournal(direction).MadeFrom, madeFrom, direction);
        }

        CheckVocabulary();
        Write(direction, journal);
        return (training.Start(), journal);
    }

    private (Checkpoint Checkpoint, Journal Journal) Resume(Direction direction, Pretraining training, Dictionary<string, string> madeFrom)
    {
        Journal journal = ReadJournal(direction);
        CheckSame(journal.MadeFrom, madeFrom, direction);
        CheckVocabulary();
        using FileStream stream = File.OpenRead(CheckpointPath(direction));
        var checkpoint = Checkpoint.Read(stream);
        int steps = training.StepsBefore(checkpoint.Position);

        // Killed between the two files: the last line belongs to a slice that is trained again.
        journal = journal with { Checkpoints = [.. journal.Checkpoints.Where(line => line.Step <= steps)] };
        PretrainingDisplay.Write($"{NameOf(direction)}: going on after {steps} of {training.Steps} steps");
        return (checkpoint, journal);
    }

    private DirectionCard Export(Direction direction, Checkpoint checkpoint, Journal journal, AwdLstmConfig config)
    {
        ModelDirectory.WriteWhole(VocabularyPath, inputs.Data.Vocabulary.Save);
        string path = Path.Combine(directory, direction == Direction.Forward ? PretrainedLibrary.ForwardFile : PretrainedLibrary.BackwardFile);
        StateDict weights = checkpoint.State.WeightsOnly();
        var metadata = new Dictionary<string, string> { ["tokenizer"] = Tokenizer.Version, ["vocabulary"] = inputs.Data.Vocabulary.Digest };
        ModelDirectory.WriteWhole(path, stream => Safetensors.Write(stream, weights, metadata, half: true));
        PretrainingMetrics last = journal.Checkpoints[^1];
        byte[] digest;
        using (FileStream file = File.OpenRead(path))
        {
            digest = SHA256.HashData(file);
        }

        var card = new DirectionCard(
            inputs.Command, journal.MadeFrom, checkpoint.Finished, last.Step, last.Steps, last.Epochs, last.Tokens, last.TrainLoss,
            last.HeldOutLoss, last.Perplexity, last.HeldOutTokens, WeightsDigest.Of(weights), Convert.ToHexStringLower(digest),
            new FileInfo(path).Length, journal.Checkpoints.Sum(line => line.Seconds), journal.Checkpoints);
        CardOf(config, PretrainedCard.Find(directory)).With(direction, card).Save(directory);
        return card;
    }

    private PretrainedCard CardOf(AwdLstmConfig config, PretrainedCard? earlier)
    {
        static TextCard TextOf(string file, EncodedText text) => new(file, text.Digest, text.Documents.Count, text.Tokens, text.UnknownRate);
        return new PretrainedCard(
            Path.GetFileName(Path.GetFullPath(directory).TrimEnd(Path.DirectorySeparatorChar)), inputs.Source ?? earlier?.Source, inputs.License ?? earlier?.License,
            Tokenizer.Version, config.VocabularySize, inputs.Data.Vocabulary.Digest, config.EmbeddingSize, config.HiddenSize, config.Layers,
            TextOf(inputs.CorpusFile, inputs.Data.Train), TextOf(inputs.HeldOutFile ?? $"the end of {inputs.CorpusFile}", inputs.Data.HeldOut),
            earlier?.Forward, earlier?.Backward);
    }

    private Dictionary<string, string> MadeFrom(AwdLstmConfig config)
    {
        var made = new Dictionary<string, string>
        {
            ["corpus"] = inputs.Data.Train.Digest,
            ["heldOut"] = inputs.HeldOutFile is null ? "the end of the corpus" : inputs.Data.HeldOut.Digest,
            ["start"] = inputs.Start?.Digest ?? TrainingSettings.NoPretrained,
            ["tokenizer"] = Tokenizer.Version,
            ["engine"] = inputs.Engine.Name,
            ["embedding"] = Number(config.EmbeddingSize),
            ["hidden"] = Number(config.HiddenSize),
            ["layers"] = Number(config.Layers),
        };
        using var settings = JsonDocument.Parse(inputs.Settings.ToJson());
        foreach (JsonProperty setting in settings.RootElement.EnumerateObject())
        {
            made[setting.Name] = setting.Value.ToString();
        }

        return made;
    }

    private void CheckSame(IReadOnlyDictionary<string, string> was, Dictionary<string, string> now, Direction direction)
    {
        const int DigestLength = 64;
        string[] differing = [.. was.Keys.Union(now.Keys).Where(key => was.GetValueOrDefault(key) != now.GetValueOrDefault(key)).Select(key =>
        {
            string before = was.GetValueOrDefault(key, "not set"), after = now.GetValueOrDefault(key, "not set");
            return before.Length == DigestLength || after.Length == DigestLength ? $"{key} is another" : $"{key} was {before}, now is {after}";
        })];
        if (differing.Length > 0)
        {
            throw new UsageException(
                $"'{directory}' holds a {NameOf(direction)} pretraining of something else: {string.Join("; ", differing)}. Repeat the command that began it to go on with it, delete the folder, or choose another --out.");
        }
    }

    private void CheckVocabulary()
    {
        if (File.Exists(VocabularyPath) && Vocabulary.Load(VocabularyPath).Digest != inputs.Data.Vocabulary.Digest)
        {
            throw new UsageException($"'{directory}' holds a model with another vocabulary, which both directions must share: corpus, vocabulary settings or tokenizer differ. Delete the folder or choose another --out.");
        }
    }

    private Journal ReadJournal(Direction direction)
    {
        string path = JournalPath(direction);
        try
        {
            return JsonSerializer.Deserialize<Journal>(File.ReadAllBytes(path), Json) ?? throw new InvalidDataException($"'{path}' is empty.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"'{path}' is damaged: {exception.Message}", exception);
        }
    }

    private void Write(Direction direction, Journal journal) => ModelDirectory.WriteWhole(JournalPath(direction), stream => JsonSerializer.Serialize(stream, journal, Json));

    private static string Number(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string NameOf(Direction direction) => direction.ToString().ToLowerInvariant();

    private string VocabularyPath => Path.Combine(directory, PretrainedLibrary.VocabularyFile);

    private string CheckpointPath(Direction direction) => Path.Combine(directory, $"checkpoint-{NameOf(direction)}.safetensors");

    private string JournalPath(Direction direction) => Path.Combine(directory, $"pretraining-{NameOf(direction)}.json");

    /// <summary>What an unfinished pretraining is made from, and its measurements so far.</summary>
    private sealed record Journal(IReadOnlyDictionary<string, string> MadeFrom, IReadOnlyList<PretrainingMetrics> Checkpoints);

    // Progress<T> would report from the thread pool, after the fact and out of order.
    private sealed class StepProgress(Action<PretrainingProgress> report) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }
}
