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
        IReadOnlyDictionary<string, string> madeFrom = training.MadeFrom;
        bool begun = File.Exists(CheckpointPath(direction));
        if (!begun && PretrainedCardFile.Find(directory)?.Of(direction) is { Finished: true } done)
        {
            CheckSame(done.MadeFrom, madeFrom, direction);
            display.Begin(direction, 0);
            display.Write($"{NameOf(direction)}: finished already");
            return done;
        }

        (Checkpoint checkpoint, Journal journal) = begun ? Resume(direction, training, madeFrom, display) : Begin(direction, training, madeFrom);
        DirectionCard? card = null;
        display.Begin(direction, training.StepsBefore(checkpoint.Position));
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

    private (Checkpoint Checkpoint, Journal Journal) Begin(Direction direction, Pretraining training, IReadOnlyDictionary<string, string> madeFrom)
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

    private (Checkpoint Checkpoint, Journal Journal) Resume(Direction direction, Pretraining training, IReadOnlyDictionary<string, string> madeFrom, PretrainingDisplay display)
    {
        Journal journal = ReadJournal(direction);
        CheckSame(journal.MadeFrom, madeFrom, direction);
        CheckVocabulary();
        using FileStream stream = File.OpenRead(CheckpointPath(direction));
        var checkpoint = Checkpoint.Read(stream);
        int steps = training.StepsBefore(checkpoint.Position);

        // Killed between the two files: the last line belongs to a slice that is trained again.
        journal = journal with { Checkpoints = [.. journal.Checkpoints.Where(line => line.Step <= steps)] };
        display.Write($"{NameOf(direction)}: going on after {steps} of {training.Steps} steps");
        return (checkpoint, journal);
    }

    private DirectionCard Export(Direction direction, Checkpoint checkpoint, Journal journal, AwdLstmConfig config)
    {
        ModelDirectory.WriteWhole(VocabularyPath, inputs.Data.Vocabulary.Save);
        string path = Path.Combine(directory, direction == Direction.Forward ? PretrainedLibrary.ForwardFile : PretrainedLibrary.BackwardFile);
        StateDict weights = checkpoint.State.WeightsOnly();
        var metadata = new Dictionary<string, string> { ["tokenizer"] = Tokenizer.Version, ["vocabulary"] = inputs.Data.Vocabulary.Digest };
        ModelDirectory.WriteWhole(path, stream => Safetensors.Write(stream, weights, metadata, half: true));
        byte[] digest;
        using (FileStream file = File.OpenRead(path))
        {
            digest = SHA256.HashData(file);
        }

        var card = DirectionCard.Of(
            inputs.Command, journal.MadeFrom, checkpoint.Finished, weights, Convert.ToHexStringLower(digest), new FileInfo(path).Length, journal.Checkpoints);
        PretrainedCardFile.Save(directory, CardOf(config, PretrainedCardFile.Find(directory)).With(direction, card));
        return card;
    }

    private PretrainedCard CardOf(AwdLstmConfig config, PretrainedCard? earlier) =>
        PretrainedCard.Of(
            Path.GetFileName(Path.GetFullPath(directory).TrimEnd(Path.DirectorySeparatorChar)), inputs.Data.Vocabulary, config,
            TextCard.OfCorpus(inputs.Data, inputs.CorpusFile), TextCard.OfHeldOut(inputs.Data, inputs.CorpusFile, inputs.HeldOutFile)) with
        {
            Source = inputs.Source ?? earlier?.Source,
            License = inputs.License ?? earlier?.License,
            Forward = earlier?.Forward,
            Backward = earlier?.Backward,
        };

    private void CheckSame(IReadOnlyDictionary<string, string> was, IReadOnlyDictionary<string, string> now, Direction direction)
    {
        if (Pretraining.Differences(was, now) is { Count: > 0 } differing)
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
