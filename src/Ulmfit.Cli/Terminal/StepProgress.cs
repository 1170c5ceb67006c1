using Ulmfit.Training;

namespace Ulmfit.Cli.Terminal;

/// <summary>Progress told at once: <see cref="Progress{T}"/> would report from the thread pool, after the fact and out of order.</summary>
internal sealed class StepProgress(Action<TrainingProgress> report) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => report(value);
}
