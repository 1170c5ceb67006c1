using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>A step of a learning-rate range test.</summary>
/// <param name="LearningRate">The rate of the highest group.</param>
/// <param name="Loss">The step's mean cross-entropy in nats.</param>
/// <param name="SmoothedLoss">The losses so far as an exponential mean, freed of its bias towards zero.</param>
public sealed record LearningRatePoint(double LearningRate, double Loss, double SmoothedLoss);

/// <summary>What a learning-rate range test found.</summary>
/// <param name="Points">The steps in their order.</param>
/// <param name="Steepest">The rate at which the smoothed loss falls fastest over the logarithm of the rate; null where it never falls.</param>
/// <param name="Valley">The rate in the middle of the longest fall of the smoothed loss; null where it never falls.</param>
public sealed record LearningRateRange(IReadOnlyList<LearningRatePoint> Points, double? Steepest, double? Valley);

/// <summary>
/// The learning-rate range test (Smith 2017, 3.3), as fastai's <c>lr_find</c>: the rate rises by the same factor every step,
/// from far too low until training diverges; a good maximal rate lies where the loss falls. Groups keep the ratios of their
/// rates.
/// </summary>
public sealed record LearningRateRangeTest
{
    private const double Smoothing = 0.98;
    private const double Divergence = 4;

    /// <summary>Steps from the lowest rate to the highest.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>Rate of the first step.</summary>
    public double LowestRate { get; init; } = 1e-7;

    /// <summary>Rate of the last step.</summary>
    public double HighestRate { get; init; } = 10;

    /// <summary>This test, if its values make sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than two steps, or the rates are not positive and rising.</exception>
    public LearningRateRangeTest Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(LowestRate);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HighestRate, LowestRate);
        return this;
    }

    /// <summary>
    /// Runs until the smoothed loss is four times the best one, a loss is no longer finite, or the highest rate is reached.
    /// An epoch that is shorter is begun again.
    /// </summary>
    internal LearningRateRange Run(IEpochNetwork network, EpochPlan plan, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        var points = new List<LearningRatePoint>();
        double factor = RootOf(HighestRate / LowestRate, Steps - 1), rate = LowestRate, mean = 0, weight = 1, best = double.PositiveInfinity;
        for (int i = 0; i < Steps; i++, rate *= factor)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int step = i % network.Steps;
            var key = new RandomKey(plan.Seed, plan.Position.Stage, i / network.Steps, step);
            (StepResult result, _) = network.TrainStep(step, plan.StepOf(key, i + 1, rate / plan.Stage.TopLearningRate * network.RateScale(step)));
            if (!double.IsFinite(result.Loss) || !double.IsFinite(result.GradientNorm))
            {
                break;
            }

            mean = (Smoothing * mean) + ((1 - Smoothing) * result.Loss);
            weight *= Smoothing;
            double smoothed = mean / (1 - weight);
            points.Add(new LearningRatePoint(rate, result.Loss, smoothed));
            progress?.Report(new TrainingProgress(plan.Stage.Name, 1, 1, i + 1, Steps, smoothed, rate, 0));
            best = Math.Min(best, smoothed);
            if (smoothed > Divergence * best)
            {
                break;
            }
        }

        return Judge(points);
    }

    /// <summary>Reads the suggestions off the points; the first tenth of the steps and the last five, where the mean has yet to settle and where it explodes, do not count.</summary>
    internal LearningRateRange Judge(IReadOnlyList<LearningRatePoint> points)
    {
        const int Exploding = 5;
        LearningRatePoint[] judged = [.. points.Skip(Steps / 10).SkipLast(Exploding)];
        return new LearningRateRange(points, SteepestOf(judged), ValleyOf(judged));
    }

    // Equal factors make equal distances on the logarithmic axis, so the differences alone tell the slopes apart.
    private static double? SteepestOf(LearningRatePoint[] points)
    {
        int steepest = -1;
        double most = 0;
        for (int i = 0; i + 1 < points.Length; i++)
        {
            double fall = points[i].SmoothedLoss - points[i + 1].SmoothedLoss;
            if (fall > most)
            {
                (steepest, most) = (i, fall);
            }
        }

        return steepest < 0 ? null : points[steepest].LearningRate;
    }

    // The longest falling subsequence, so that a small bump on the way down does not end the valley; of equally long ones the
    // one that begins last, so that the plain before it does not count.
    private static double? ValleyOf(LearningRatePoint[] points)
    {
        var length = new int[points.Length];
        var start = new int[points.Length];
        int deepest = -1;
        for (int i = 0; i < points.Length; i++)
        {
            (length[i], start[i]) = (1, i);
            for (int before = 0; before < i; before++)
            {
                if (points[i].SmoothedLoss < points[before].SmoothedLoss && length[before] + 1 >= length[i])
                {
                    (length[i], start[i]) = (length[before] + 1, start[before]);
                }
            }

            deepest = deepest < 0 || length[i] > length[deepest] ? i : deepest;
        }

        return deepest < 0 || length[deepest] == 1 ? null : points[(start[deepest] + deepest) / 2].LearningRate;
    }

    // By bisection, in correctly rounded arithmetic: Math.Pow may differ in the last bit between platforms.
    private static double RootOf(double value, int degree)
    {
        double low = 1, high = Math.Max(1, value);
        for (int i = 0; i < 100 && degree > 0; i++)
        {
            double middle = low + ((high - low) / 2), power = 1;
            for (int n = 0; n < degree && power <= value; n++)
            {
                power *= middle;
            }

            (low, high) = power <= value ? (middle, high) : (low, middle);
        }

        return low;
    }
}
