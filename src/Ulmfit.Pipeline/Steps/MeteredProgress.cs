using Ulmfit.Diagnostics;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>Measures the steps of a training on their way to whoever watches it.</summary>
/// <param name="model">The model.</param>
/// <param name="direction">The direction.</param>
/// <param name="phase">What is trained.</param>
/// <param name="step">The step at which the training begins, in the count of its reports.</param>
internal sealed class MeteredProgress(string model, Direction direction, TrainingPhase phase, int step)
{
    private int lastStep = step;
    private long lastTokens;

    /// <summary>The phase of a stage.</summary>
    public static TrainingPhase PhaseOf(StageKind kind) => kind == StageKind.LanguageModel ? TrainingPhase.LanguageModel : TrainingPhase.Classifier;

    /// <summary>Measures, then hands on.</summary>
    public IProgress<TrainingProgress> Then(IProgress<TrainingProgress> next) =>
        new Relay<TrainingProgress>(next, at => Record(at.Step, at.Tokens, at.Loss, at.TokensPerSecond));

    /// <inheritdoc cref="Then(IProgress{TrainingProgress})"/>
    public IProgress<PretrainingProgress> Then(IProgress<PretrainingProgress> next) =>
        new Relay<PretrainingProgress>(next, at => Record(at.Step, at.Tokens, at.Loss, at.TokensPerSecond));

    private void Record(int at, long tokens, double loss, double tokensPerSecond)
    {
        TrainingMeter.RecordSteps(model, direction, phase, at - lastStep, tokens - lastTokens, loss, tokensPerSecond);
        lastStep = at;
        lastTokens = tokens;
    }

    // The training tells its thread, and waits: Progress<T>, which tells another one later, would tell them out of order.
    private sealed class Relay<T>(IProgress<T> next, Action<T> record) : IProgress<T>
    {
        public void Report(T value)
        {
            record(value);
            next.Report(value);
        }
    }
}
