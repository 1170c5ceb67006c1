using System.Diagnostics;
using System.Globalization;
using Ulmfit.Cli.Terminal;
using Ulmfit.Cpu;
using Ulmfit.Data;
using Ulmfit.Training;

namespace Ulmfit.Cli.Bench;

/// <summary>
/// Training on real text for some minutes, by the same readers, batches and loop as <c>ulmfit train</c>: how much of a
/// short step's speed is left when texts are loaded, sorted, and of any length.
/// </summary>
internal static class SustainedBench
{
    public static SustainedReport Run(
        BenchNetwork kind, BenchModel model, string path, LabeledDataOptions columns, TimeSpan duration, int threads, int steps, ulong seed, Screen screen, CancellationToken cancellationToken)
    {
        TrainingSettings settings = SettingsOf(kind, model, seed);
        long loadingBegin = Stopwatch.GetTimestamp();
        TrainingData data = Load(path, columns, settings);
        double loading = Stopwatch.GetElapsedTime(loadingBegin).TotalSeconds;
        int documents = data.Train.Count, vocabulary = data.Vocabulary.Count;
        screen.Line(string.Create(CultureInfo.InvariantCulture, $"{documents} texts, {vocabulary} tokens in the vocabulary, loaded in {loading:F1} s"));

        BenchModel real = model with { Config = settings.ConfigFor(vocabulary) };
        StepReport shortStep = StepBench.Run(kind, real, threads, steps, seed, cancellationToken);
        screen.Line(string.Create(CultureInfo.InvariantCulture, $"a short step on random tokens: {shortStep.TokensPerSecond:N0} tokens/s"));

        using var engine = new CpuTrainingEngine(threads);
        var counter = new CountingEngine(engine);
        engine.Profile.Reset();
        double training = Train(counter, data, settings, duration, screen, cancellationToken);
        MeasuredPeak peak = new MeasuredPeak(shortStep.PeakGflopPerSecond, shortStep.CachePeakGflopPerSecond).OrNow(threads);
        double tokensPerSecond = counter.Tokens / training;
        double speed = 6e-9 * StepBench.CountedWeights(kind, real) * tokensPerSecond;
        return new SustainedReport(
            StepBench.NameOf(kind), path, documents, vocabulary, engine.Threads, engine.InstructionSet, counter.Steps, counter.Tokens, loading, training,
            counter.StepTime.TotalSeconds, tokensPerSecond, counter.Tokens / (loading + training), tokensPerSecond / shortStep.TokensPerSecond, speed, peak.Registers,
            peak.Cache, speed / peak.Registers, speed / peak.Cache, PeakMemory.Bytes(), shortStep, PartReport.Of(engine.Profile, counter.Steps, counter.StepTime.TotalSeconds, peak));
    }

    private static TrainingSettings SettingsOf(BenchNetwork kind, BenchModel model, ulong seed) => (TrainingSettings.Default with
    {
        Seed = seed,
        Directions = Directions.Forward,
        Size = model.Size,
        Strategy = Strategy.Full,
        MaximumVocabulary = model.Config.VocabularySize,
        LanguageModel = TrainingSettings.Default.LanguageModel with { FineTune = kind == BenchNetwork.Lm, Batch = model.Batch, Bptt = model.Bptt },
        Classifier = TrainingSettings.Default.Classifier with { Batch = model.Batch },
    }).Validated();

    private static TrainingData Load(string path, LabeledDataOptions columns, TrainingSettings settings)
    {
        (IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> heldOut, _, _, _) = LabeledFiles.Read(path, columns).Select([], settings.HeldOutFraction);
        return TrainingData.Prepare(train, heldOut, [], settings, pretrained: null);
    }

    /// <summary>Trains until the time is up and returns the seconds that it took.</summary>
    private static double Train(CountingEngine engine, TrainingData data, TrainingSettings settings, TimeSpan duration, Screen screen, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        double ended = 0;
        ProgressDisplay.Show(screen, display =>
        {
            using var timeIsUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var progress = new StepProgress(step =>
            {
                TimeSpan past = clock.Elapsed;
                display.Report(new WorkProgress(
                    "measuring",
                    [new Lane("training", $"{step.Stage}  epoch {step.Epoch}/{step.Epochs}", step.Stage, step.Step, step.Steps, step.Loss, step.LearningRate, engine.Tokens / past.TotalSeconds)],
                    Math.Min(1, past / duration),
                    duration > past ? duration - past : TimeSpan.Zero));
                if (past >= duration)
                {
                    timeIsUp.Cancel();
                }
            });
            try
            {
                TrainUntilCancelled(engine, data, settings, progress, timeIsUp.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                ended = clock.Elapsed.TotalSeconds;
            }
        });
        return ended;
    }

    /// <summary>The plan's first stage, which is the one that is measured; and, if it comes to its end, again from the start.</summary>
    private static void TrainUntilCancelled(CountingEngine engine, TrainingData data, TrainingSettings settings, IProgress<TrainingProgress> progress, CancellationToken cancellationToken)
    {
        var training = new DirectionTraining(engine, data, settings, Direction.Forward, pretrained: null);
        while (true)
        {
            Checkpoint checkpoint = training.Start();
            while (!checkpoint.Finished && checkpoint.Position.Stage == 0)
            {
                checkpoint = training.Train(checkpoint, progress, cancellationToken);
            }
        }
    }
}
