using System.Diagnostics;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cli.Bench;

/// <summary>An engine that counts what it is given to train on, and the time it takes for that.</summary>
internal sealed class CountingEngine(ITrainingEngine engine) : ITrainingEngine
{
    /// <inheritdoc/>
    public string Name => engine.Name;

    /// <summary>Steps trained.</summary>
    public int Steps { get; private set; }

    /// <summary>Real tokens of the steps; there is no padding among them.</summary>
    public long Tokens { get; private set; }

    /// <summary>Time within steps.</summary>
    public TimeSpan StepTime { get; private set; }

    /// <inheritdoc/>
    public ILanguageModelNetwork CreateLanguageModel(LanguageModelOptions options, StateDict state) => new CountingLanguageModel(this, engine.CreateLanguageModel(options, state));

    /// <inheritdoc/>
    public IClassifierNetwork CreateClassifier(ClassifierOptions options, StateDict state) => new CountingClassifier(this, engine.CreateClassifier(options, state));

    /// <inheritdoc/>
    public IFeatureNetwork CreateFeatures(ClassifierConfig config, StateDict state) => engine.CreateFeatures(config, state);

    private void Count(long tokens, long begin)
    {
        StepTime += Stopwatch.GetElapsedTime(begin);
        Steps++;
        Tokens += tokens;
    }

    private sealed class CountingLanguageModel(CountingEngine counter, ILanguageModelNetwork network) : ILanguageModelNetwork
    {
        public StepResult TrainStep(in LanguageModelBatch batch, OptimizerStep step)
        {
            long begin = Stopwatch.GetTimestamp();
            StepResult result = network.TrainStep(batch, step);
            counter.Count((long)batch.Time * batch.Batch, begin);
            return result;
        }

        public void ResetState(bool evaluation) => network.ResetState(evaluation);

        public LossSum Evaluate(in LanguageModelBatch batch) => network.Evaluate(batch);

        public void PredictNext(ReadOnlySpan<int> tokens, Span<float> probabilities) => network.PredictNext(tokens, probabilities);

        public StateDict Save() => network.Save();

        public void Dispose() => network.Dispose();
    }

    private sealed class CountingClassifier(CountingEngine counter, IClassifierNetwork network) : IClassifierNetwork
    {
        public StepResult TrainStep(in ClassifierBatch batch, OptimizerStep step)
        {
            long begin = Stopwatch.GetTimestamp();
            StepResult result = network.TrainStep(batch, step);
            counter.Count(batch.Documents.Sum(document => (long)document.Length), begin);
            return result;
        }

        public void Predict(IReadOnlyList<int[]> documents, Span<float> probabilities) => network.Predict(documents, probabilities);

        public StateDict Save() => network.Save();

        public void Dispose() => network.Dispose();
    }
}
