using Ulmfit.Engine;

namespace Ulmfit.Training;

/// <summary>Some neighbouring steps of an epoch, as means.</summary>
/// <param name="Step">The last of the steps, counted from 1 in the epoch.</param>
/// <param name="Loss">Mean cross-entropy in nats, with dropout.</param>
/// <param name="LearningRate">Mean learning rate of the highest trained group.</param>
public sealed record CurvePoint(int Step, double Loss, double LearningRate);

/// <summary>The sums behind a <see cref="CurvePoint"/>; a checkpoint in the middle of an epoch carries them.</summary>
/// <param name="Step">The last of the steps so far, counted from 1 in the epoch.</param>
/// <param name="Steps">How many steps are summed.</param>
/// <param name="LossSum">Cross-entropy in nats, summed over predictions.</param>
/// <param name="Predictions">How many predictions.</param>
/// <param name="RateSum">Learning rates of the highest trained group, summed over steps.</param>
public readonly record struct CurveBucket(int Step, int Steps, double LossSum, long Predictions, double RateSum);

/// <summary>
/// The course of an epoch in at most <see cref="MostPoints"/> points. Which steps share a point follows from the number of
/// steps alone and sums are taken step by step, so an epoch cut into slices gives the very numbers of one that was not.
/// </summary>
internal sealed class EpochCurve
{
    /// <summary>The most points that an epoch has.</summary>
    public const int MostPoints = 40;

    private readonly int steps;
    private readonly List<CurveBucket> buckets;

    /// <summary>Goes on with a curve.</summary>
    /// <param name="steps">Steps of the epoch.</param>
    /// <param name="before">What was summed before; empty at the epoch's first step.</param>
    public EpochCurve(int steps, IEnumerable<CurveBucket> before)
    {
        this.steps = steps;
        buckets = [.. before];
    }

    /// <summary>The sums so far.</summary>
    public IReadOnlyList<CurveBucket> Buckets => buckets;

    /// <summary>The means so far; steps that predict nothing, as those that only read, have none.</summary>
    public IReadOnlyList<CurvePoint> Points =>
        [.. buckets.Where(bucket => bucket.Predictions > 0).Select(bucket => new CurvePoint(bucket.Step, bucket.LossSum / bucket.Predictions, bucket.RateSum / bucket.Steps))];

    /// <summary>Adds a step; they come in order.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="rate">Its learning rate.</param>
    public void Add(int step, LossSum loss, double rate)
    {
        if (buckets.Count == 0 || IndexOf(buckets[^1].Step - 1) != IndexOf(step))
        {
            buckets.Add(default);
        }

        CurveBucket last = buckets[^1];
        buckets[^1] = new CurveBucket(step + 1, last.Steps + 1, last.LossSum + loss.Sum, last.Predictions + loss.Count, last.RateSum + rate);
    }

    private int IndexOf(int step) => (int)((long)step * Math.Min(MostPoints, steps) / steps);
}
