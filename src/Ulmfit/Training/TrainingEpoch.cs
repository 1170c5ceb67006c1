using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// An epoch of one direction, or what is left of it, ready to be trained: its network holds a copy of the weights, so that
/// whoever opened it can let go of the checkpoint, which is as large as the network itself.
/// </summary>
public sealed class TrainingEpoch : IDisposable
{
    private readonly IEpochNetwork network;
    private readonly EpochPlan plan;
    private readonly LossSum lossBefore;
    private readonly long correctBefore;
    private readonly BestEpoch? bestBefore;
    private readonly IReadOnlyList<CurveBucket> curveBefore;
    private readonly int stepsBefore;
    private readonly int steps;
    private readonly ISchedule schedule;
    private bool trained;

    internal TrainingEpoch(IEpochNetwork network, EpochPlan plan, LossSum loss, long correct, BestEpoch? best, IReadOnlyList<CurveBucket> curve)
    {
        this.network = network;
        this.plan = plan;
        lossBefore = loss;
        correctBefore = correct;
        bestBefore = best;
        curveBefore = curve;
        stepsBefore = plan.StepsOfEpochs.Take(plan.Position.Epoch).Sum();
        steps = plan.StepsOfEpochs[plan.Position.Epoch];
        schedule = plan.Settings.ScheduleOf(plan.Stage.Kind, Math.Max(1, plan.StepsOfEpochs.Sum()));
    }

    /// <summary>Trains to the end of the epoch, or of a slice of it where settings ask for slices.</summary>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <exception cref="InvalidOperationException">It has been trained already.</exception>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite.</exception>
    public Checkpoint Run(IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        if (trained)
        {
            throw new InvalidOperationException("The epoch has been trained already: open the checkpoint that it gave.");
        }

        trained = true;
        (TrainingPosition position, Stage stage) = (plan.Position, plan.Stage);
        LossSum loss = lossBefore;
        long correct = correctBefore, tokens = 0;
        var curve = new EpochCurve(steps, curveBefore);
        double rate = 0;
        long began = plan.Clock.GetTimestamp();
        TimeSpan Elapsed() => plan.Clock.GetElapsedTime(began);
        int step = position.Step;
        while (step < steps && !SliceIsOver(step - position.Step, Elapsed()))
        {
            cancellationToken.ThrowIfCancellationRequested();
            OptimizerStep optimizer = StepAt(step);
            rate = optimizer.Groups.Last(group => group.Trained).LearningRate;
            (StepResult result, long stepTokens) = network.TrainStep(step, optimizer);
            if (!double.IsFinite(result.Loss) || !double.IsFinite(result.GradientNorm))
            {
                throw new TrainingDivergedException(stage.Name, position.Epoch + 1, step + 1, plan.SettingsPath);
            }

            // A step that only prepares what a later one predicts with counts nothing.
            if (result.Count > 0)
            {
                var stepLoss = new LossSum(result.Loss * result.Count, result.Count);
                loss += stepLoss;
                curve.Add(step, stepLoss, rate);
            }

            correct += result.Correct;
            tokens += stepTokens;
            step++;
            progress?.Report(new TrainingProgress(stage.Name, position.Epoch + 1, stage.Epochs, step, steps, loss.Count == 0 ? result.Loss : loss.Mean, rate, tokens / Elapsed().TotalSeconds) { Tokens = tokens });
        }

        StateDict state = network.Save();
        if (step < steps)
        {
            return new Checkpoint(position with { Step = step }, false, state) { EpochLoss = loss, EpochCorrect = correct, EpochCurve = curve.Buckets, Best = bestBefore };
        }

        HeldOutScore score = network.Evaluate();
        var metrics = new EpochMetrics(
            stage.Name, stage.Kind, position.Epoch + 1, stage.Epochs, loss.Mean, score.Loss, score.Perplexity,
            stage.Kind == StageKind.Classifier ? (double)correct / loss.Count : null, score.Accuracy, rate, steps, Elapsed().TotalSeconds)
        {
            MacroF1 = score.MacroF1,
            Curve = curve.Points,
        };
        return After(score, state, metrics);
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => network.Dispose();

    // Moments belong to a stage: at its end they go. The best epoch belongs to a phase: at its end it comes back.
    private Checkpoint After(HeldOutScore score, StateDict state, EpochMetrics metrics)
    {
        TrainingPosition position = plan.Position;
        EarlyStoppingSettings? early = plan.Settings.EarlyStoppingOf(plan.Stage.Kind);
        BestEpoch? best = early is null ? null : EarlyStopping.After(early, bestBefore, position, score, state);
        bool stageEnds = position.Epoch + 1 == plan.Stage.Epochs || best?.EpochsSince >= early?.Patience;
        if (!stageEnds)
        {
            return new Checkpoint(new TrainingPosition(position.Stage, position.Epoch + 1, 0), false, state) { Best = best, LastEpoch = metrics };
        }

        var next = new TrainingPosition(position.Stage + 1, 0, 0);
        bool finished = next.Stage == plan.Stages.Count;
        if (best is not null && (finished || plan.Stages[next.Stage].Kind != plan.Stage.Kind))
        {
            return new Checkpoint(next, finished, best.Weights)
            {
                LastEpoch = metrics with { Restored = new RestoredEpoch(plan.Stages[best.Stage].Name, best.Epoch + 1) },
            };
        }

        return new Checkpoint(next, finished, state.WeightsOnly()) { Best = best, LastEpoch = metrics };
    }

    private bool SliceIsOver(int stepsDone, TimeSpan elapsed) =>
        stepsDone > 0 && (stepsDone >= plan.Settings.SliceSteps || elapsed.TotalMinutes >= plan.Settings.SliceMinutes);

    private OptimizerStep StepAt(int step)
    {
        SchedulePoint point = schedule.At(stepsBefore + step);
        var key = new RandomKey(plan.Seed, plan.Position.Stage, plan.Position.Epoch, step);
        OptimizerStep optimizer = plan.StepOf(key, stepsBefore + step + 1, point.RateFactor * network.RateScale(step));
        return point.Momentum is double momentum ? optimizer with { Beta1 = (float)momentum } : optimizer;
    }
}

/// <summary>Where an epoch stands in its plan.</summary>
/// <param name="Settings">The settings.</param>
/// <param name="Stages">The stages of the plan.</param>
/// <param name="Position">Where it begins.</param>
/// <param name="Seed">The direction's seed.</param>
/// <param name="StepsOfEpochs">Steps of each epoch of its stage.</param>
internal sealed record EpochPlan(TrainingSettings Settings, IReadOnlyList<Stage> Stages, TrainingPosition Position, ulong Seed, IReadOnlyList<int> StepsOfEpochs)
{
    /// <summary>The stage.</summary>
    public Stage Stage => Stages[Position.Stage];

    /// <summary>What slices are measured with.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where people find the settings of the stage, for messages.</summary>
    public string SettingsPath { get; init; } = Stages[Position.Stage].Kind == StageKind.LanguageModel ? "languageModel." : "classifier.";

    /// <summary>A step of the stage at a share of its maximal learning rates.</summary>
    public OptimizerStep StepOf(RandomKey key, int number, double factor)
    {
        GroupStep[] groups = [.. Stage.TrainedGroups.Zip(Stage.LearningRates, (trained, rate) => new GroupStep(trained, (float)(rate * factor)))];
        return Settings.StepOf(Stage.Kind, key, number, groups);
    }
}
