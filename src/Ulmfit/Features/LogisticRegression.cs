using Ulmfit.Training;

namespace Ulmfit.Features;

/// <summary>What a multinomial logistic regression is fitted with.</summary>
/// <param name="L2">λ: the penalty is λ/2·‖W‖², beside a loss that is a mean over rows.</param>
internal sealed record LogisticRegressionOptions(double L2)
{
    /// <summary>Weight of each class in the loss, as of a classifier; null for equal weights.</summary>
    public IReadOnlyList<float>? ClassWeights { get; init; }

    /// <summary>ε of label smoothing, as of a classifier.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Norm of the objective's gradient at which the fit ends.</summary>
    public double Tolerance { get; init; } = 1e-7;
}

/// <summary>
/// Multinomial logistic regression with an ℓ2 penalty: logits <c>W·x + b</c>, and W and b minimise the weighted mean of the
/// cross-entropies plus λ/2·‖W‖²; b bears no penalty. With weights w and smoothing ε a row of label y has the loss
/// (1 − ε)·w_y·(−log p_y) + ε/C · Σ_c w_c·(−log p_c), and all rows their sum over Σ w_y, as PyTorch's cross-entropy.
/// </summary>
/// <param name="Weights">W <c>[classes, features]</c>.</param>
/// <param name="Bias">b <c>[classes]</c>.</param>
/// <param name="Objective">The least value.</param>
/// <param name="GradientNorm">ℓ2 norm of the gradient there.</param>
/// <param name="Iterations">Steps of L-BFGS.</param>
internal sealed record LogisticRegression(double[] Weights, double[] Bias, double Objective, double GradientNorm, int Iterations)
{
    private const int MostIterations = 5_000;

    /// <summary>Fits to labelled rows.</summary>
    /// <param name="features">The rows.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="options">Penalty, weights and tolerance.</param>
    /// <exception cref="InvalidDataException">The tolerance was not reached: features are not finite or far too large, or the penalty is too small for them.</exception>
    public static LogisticRegression Fit(FeatureMatrix features, IReadOnlyList<int> labels, int classes, LogisticRegressionOptions options)
    {
        var objective = new LogisticObjective(features, labels, classes, options);
        Minimum minimum = LimitedMemoryBfgs.Minimize(objective.Evaluate, new double[objective.Size], options.Tolerance, MostIterations);
        return minimum.GradientNorm <= options.Tolerance
            ? new LogisticRegression(minimum.Point[..(classes * features.Columns)], minimum.Point[(classes * features.Columns)..], minimum.Value, minimum.GradientNorm, minimum.Iterations)
            : throw new InvalidDataException($"The linear classifier did not converge: after {minimum.Iterations} iterations its gradient has the norm {minimum.GradientNorm:g3} and not {options.Tolerance:g3}. A larger \"features.l2\" (now {options.L2:g3}) makes it converge sooner.");
    }
}

/// <summary>
/// The objective with its gradient. Rows are cut into a fixed number of parts whose sums are added in order, so that the
/// result does not depend on threads.
/// </summary>
internal sealed class LogisticObjective
{
    private const int Parts = 16;

    /// <summary>Rows that are computed side by side.</summary>
    private const int Lanes = 4;

    private readonly FeatureMatrix features;
    private readonly IReadOnlyList<int> labels;
    private readonly LogisticRegressionOptions options;
    private readonly int classes;
    private readonly double[] classWeights;
    private readonly double allWeights;
    private readonly double rowWeights;
    private readonly Part[] parts;

    /// <summary>The objective of labelled rows.</summary>
    public LogisticObjective(FeatureMatrix features, IReadOnlyList<int> labels, int classes, LogisticRegressionOptions options)
    {
        this.features = features;
        this.labels = labels;
        this.classes = classes;
        this.options = options;
        classWeights = [.. Enumerable.Range(0, classes).Select(c => (double)(options.ClassWeights?[c] ?? 1f))];
        allWeights = classWeights.Sum();
        rowWeights = labels.Sum(label => classWeights[label]);
        parts = [.. Enumerable.Range(0, Math.Min(Parts, Math.Max(1, features.Rows / Lanes))).Select(_ => new Part(Size, features.Columns, classes))];
    }

    /// <summary>Numbers of a point: W <c>[classes, features]</c>, then b <c>[classes]</c>.</summary>
    public int Size => classes * (features.Columns + 1);

    /// <summary>The value at a point; the gradient is written.</summary>
    public double Evaluate(double[] point, double[] gradient)
    {
        Parallel.For(0, parts.Length, part => Sum(point, part));
        gradient.AsSpan().Clear();
        double loss = 0, square = 0;
        foreach (Part part in parts)
        {
            loss += part.Loss;
            for (int i = 0; i < gradient.Length; i++)
            {
                gradient[i] += part.Gradient[i];
            }
        }

        for (int i = 0; i < gradient.Length; i++)
        {
            gradient[i] /= rowWeights;
            if (i < classes * features.Columns)
            {
                gradient[i] += options.L2 * point[i];
                square += point[i] * point[i];
            }
        }

        return (loss / rowWeights) + (options.L2 / 2 * square);
    }

    private void Sum(double[] point, int index)
    {
        Part part = parts[index];
        part.Gradient.AsSpan().Clear();
        part.Loss = 0;
        int end = (int)((long)features.Rows * (index + 1) / parts.Length);
        for (int row = (int)((long)features.Rows * index / parts.Length); row < end; row += Lanes)
        {
            int rows = Math.Min(Lanes, end - row);
            Load(part, row, rows);
            Logits(part, point);
            part.Errors.AsSpan().Clear();
            for (int lane = 0; lane < rows; lane++)
            {
                part.Loss += Errors(part, lane, labels[row + lane]);
            }

            AddGradient(part);
        }
    }

    // Lanes without a row are zeros, which add nothing.
    private void Load(Part part, int row, int rows)
    {
        part.Rows.AsSpan().Clear();
        for (int lane = 0; lane < rows; lane++)
        {
            ReadOnlySpan<float> x = features.Row(row + lane);
            Span<double> target = part.Rows.AsSpan(lane * x.Length, x.Length);
            for (int j = 0; j < x.Length; j++)
            {
                target[j] = x[j];
            }
        }
    }

    private void Logits(Part part, double[] point)
    {
        int width = features.Columns;
        ReadOnlySpan<double> x0 = part.Rows.AsSpan(0, width), x1 = part.Rows.AsSpan(width, width), x2 = part.Rows.AsSpan(2 * width, width), x3 = part.Rows.AsSpan(3 * width, width);
        for (int c = 0; c < classes; c++)
        {
            ReadOnlySpan<double> weights = point.AsSpan(c * width, width);
            double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (int j = 0; j < weights.Length; j++)
            {
                double weight = weights[j];
                s0 += weight * x0[j];
                s1 += weight * x1[j];
                s2 += weight * x2[j];
                s3 += weight * x3[j];
            }

            double bias = point[(classes * width) + c];
            part.Logits[c] = s0 + bias;
            part.Logits[classes + c] = s1 + bias;
            part.Logits[(2 * classes) + c] = s2 + bias;
            part.Logits[(3 * classes) + c] = s3 + bias;
        }
    }

    /// <summary>The gradient of a row's loss by its logits, and the loss.</summary>
    private double Errors(Part part, int lane, int label)
    {
        ReadOnlySpan<double> logits = part.Logits.AsSpan(lane * classes, classes);
        Span<double> errors = part.Errors.AsSpan(lane * classes, classes);
        double greatest = logits[0], sum = 0;
        foreach (double logit in logits)
        {
            greatest = Math.Max(greatest, logit);
        }

        for (int c = 0; c < classes; c++)
        {
            errors[c] = PortableExponential.Of(logits[c] - greatest);
            sum += errors[c];
        }

        double logSum = PortableLogarithm.Of(sum) + greatest, spread = options.LabelSmoothing / classes, own = (1 - options.LabelSmoothing) * classWeights[label];
        double mass = own + (spread * allWeights), loss = own * (logSum - logits[label]);
        for (int c = 0; c < classes; c++)
        {
            double target = (spread * classWeights[c]) + (c == label ? own : 0);
            loss += spread * classWeights[c] * (logSum - logits[c]);
            errors[c] = (mass * errors[c] / sum) - target;
        }

        return loss;
    }

    private void AddGradient(Part part)
    {
        int width = features.Columns;
        ReadOnlySpan<double> x0 = part.Rows.AsSpan(0, width), x1 = part.Rows.AsSpan(width, width), x2 = part.Rows.AsSpan(2 * width, width), x3 = part.Rows.AsSpan(3 * width, width);
        for (int c = 0; c < classes; c++)
        {
            Span<double> gradient = part.Gradient.AsSpan(c * width, width);
            double e0 = part.Errors[c], e1 = part.Errors[classes + c], e2 = part.Errors[(2 * classes) + c], e3 = part.Errors[(3 * classes) + c];
            for (int j = 0; j < gradient.Length; j++)
            {
                gradient[j] += (e0 * x0[j]) + (e1 * x1[j]) + ((e2 * x2[j]) + (e3 * x3[j]));
            }

            part.Gradient[(classes * width) + c] += e0 + e1 + (e2 + e3);
        }
    }

    /// <summary>What a part of the rows adds up, and what it works with.</summary>
    private sealed class Part(int size, int columns, int classes)
    {
        public double[] Gradient { get; } = new double[size];

        public double[] Rows { get; } = new double[Lanes * columns];

        public double[] Logits { get; } = new double[Lanes * classes];

        public double[] Errors { get; } = new double[Lanes * classes];

        public double Loss { get; set; }
    }
}
