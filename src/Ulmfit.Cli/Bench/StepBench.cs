using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Cli.Bench;

/// <summary>Which network is measured.</summary>
internal enum BenchNetwork
{
    /// <summary>The language model.</summary>
    Lm,

    /// <summary>The classifier with all layers trained.</summary>
    Classifier,
}

/// <summary>
/// Training steps on random tokens: one that is not timed, in which code is compiled and memory touched, then as many
/// as were asked for. Only the step itself is timed, not the making of its tokens.
/// </summary>
internal static class StepBench
{
    private const int HeadHiddenSize = 50;
    private const int Classes = 2;

    public static StepReport Run(BenchNetwork kind, BenchModel model, int threads, int steps, ulong seed, CancellationToken cancellationToken)
    {
        var peak = MeasuredPeak.Of(threads);
        using var engine = new CpuTrainingEngine(threads);
        using IStepper stepper = kind == BenchNetwork.Lm ? new LanguageModelSteps(engine, model, seed) : new ClassifierSteps(engine, model, seed);

        // The starting weights have been copied: their pages go back before the step takes its own, as they long have in a training.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var seconds = new double[steps];
        for (int step = 0; step <= steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            stepper.Draw(step);
            if (step == 1)
            {
                engine.Profile.Reset();
            }

            long begin = Stopwatch.GetTimestamp();
            stepper.Step(step);
            if (step > 0)
            {
                seconds[step - 1] = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            }
        }

        long memory = PeakMemory.Bytes();
        peak = peak.OrNow(threads);
        IReadOnlyList<PartReport> parts = PartReport.Of(engine.Profile, steps, seconds.Sum(), peak);
        Array.Sort(seconds);
        double median = seconds[steps / 2], best = seconds[0];
        double speed = 6e-9 * stepper.CountedWeights * stepper.Tokens / median;
        bool lm = kind == BenchNetwork.Lm;
        AwdLstmConfig config = model.Config;
        return new StepReport(
            NameOf(kind), model.SizeName, config.VocabularySize, config.EmbeddingSize, config.HiddenSize, config.Layers, model.Batch, lm ? model.Bptt : null, lm ? null : model.Length,
            engine.Threads, engine.InstructionSet, seed, steps, stepper.Tokens, stepper.CountedWeights, median, best, stepper.Tokens / median, stepper.Tokens / best,
            speed, peak.Registers, peak.Cache, speed / peak.Registers, speed / peak.Cache, memory, WeightsDigest.Of(CpuTrainingEngine.TakeWeights(stepper.Network)), parts);
    }

    /// <summary>The name of a task.</summary>
    public static string NameOf(BenchNetwork kind) => kind == BenchNetwork.Lm ? "lm" : "classifier";

    /// <summary>Weights that each token is multiplied with.</summary>
    public static long CountedWeights(BenchNetwork kind, BenchModel model) => model.LayerWeights + (kind == BenchNetwork.Lm ? model.EmbeddingWeights : 0);

    private static OptimizerStep OptimizerAt(int step, ulong seed, int groups) =>
        new(new RandomKey(seed, 0, 0, step), step + 1, [.. Enumerable.Repeat(new GroupStep(true, 1e-3f), groups)]) { WeightDecay = 0f, ClipNorm = 0.4f };

    private static void Draw(Span<int> target, int count, ulong seed, int step, int stream)
    {
        const int FirstStream = 1000;
        var random = new Philox(new RandomKey(seed, 0, 0, step), RandomPurpose.Shuffle, FirstStream + stream);
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = random.Below(count, i);
        }
    }

    private interface IStepper : IDisposable
    {
        long Tokens { get; }

        long CountedWeights { get; }

        INetwork Network { get; }

        void Draw(int step);

        void Step(int step);
    }

    private sealed class LanguageModelSteps(CpuTrainingEngine engine, BenchModel model, ulong seed) : IStepper
    {
        private readonly ILanguageModelNetwork network = Create(engine, model, seed);
        private readonly int[] input = new int[model.Batch * model.Bptt];
        private readonly int[] target = new int[model.Batch * model.Bptt];

        public long Tokens => input.Length;

        public long CountedWeights => StepBench.CountedWeights(BenchNetwork.Lm, model);

        public INetwork Network => network;

        public void Draw(int step)
        {
            StepBench.Draw(input, model.Config.VocabularySize, seed, step, 0);
            StepBench.Draw(target, model.Config.VocabularySize, seed, step, 1);
        }

        public void Step(int step) =>
            network.TrainStep(new LanguageModelBatch(model.Bptt, model.Batch, input, target, default), OptimizerAt(step, seed, model.Config.Layers + 1));

        public void Dispose() => network.Dispose();

        // A method of its own, so that nothing keeps the weights afterwards.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static ILanguageModelNetwork Create(CpuTrainingEngine engine, BenchModel model, ulong seed) =>
            engine.CreateLanguageModel(new LanguageModelOptions(model.Config, DropoutRates.LanguageModel, model.Batch, model.Bptt), WeightInitialization.LanguageModel(model.Config, seed));
    }

    private sealed class ClassifierSteps(CpuTrainingEngine engine, BenchModel model, ulong seed) : IStepper
    {
        private readonly IClassifierNetwork network = Create(engine, model, seed);
        private readonly int[][] documents = [.. Enumerable.Range(0, model.Batch).Select(_ => new int[model.Length])];
        private readonly int[] labels = new int[model.Batch];

        public long Tokens => (long)model.Batch * model.Length;

        public long CountedWeights => StepBench.CountedWeights(BenchNetwork.Classifier, model);

        public INetwork Network => network;

        public void Draw(int step)
        {
            for (int i = 0; i < documents.Length; i++)
            {
                StepBench.Draw(documents[i], model.Config.VocabularySize, seed, step, 3 + i);
            }

            StepBench.Draw(labels, Classes, seed, step, 2);
        }

        public void Step(int step) => network.TrainStep(new ClassifierBatch(documents, labels), OptimizerAt(step, seed, model.Config.Layers + 2));

        public void Dispose() => network.Dispose();

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static IClassifierNetwork Create(CpuTrainingEngine engine, BenchModel model, ulong seed)
        {
            ClassifierSettings settings = TrainingSettings.Default.Classifier;
            var config = new ClassifierConfig(model.Config, HeadHiddenSize, Classes) { MaxLength = settings.MaxLength };
            StateDict weights = AwdLstmNames.EncoderForClassifier(WeightInitialization.LanguageModel(model.Config, seed));
            foreach ((string name, Tensor tensor) in WeightInitialization.Head(config, seed))
            {
                weights.Add(name, tensor);
            }

            return engine.CreateClassifier(new ClassifierOptions(config, DropoutRates.Classifier.Scaled((float)settings.DropMultiplier)), weights);
        }
    }
}
