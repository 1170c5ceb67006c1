using System.Diagnostics;
using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>A product C <c>[rows, columns]</c> = A <c>[rows, depth]</c> · B <c>[depth, columns]</c>.</summary>
/// <param name="Rows">Rows of A and C.</param>
/// <param name="Columns">Columns of B and C.</param>
/// <param name="Depth">Columns of A, rows of B.</param>
public sealed record ProductShape(int Rows, int Columns, int Depth)
{
    /// <summary>Whether A lies in memory as <c>[depth, rows]</c>, as in gradients of weights.</summary>
    public bool LeftTransposed { get; init; }

    /// <summary>
    /// Whether B is brought into the kernels' order for every product, as activations are; otherwise that is done once
    /// and not measured, as with weights, which many products share.
    /// </summary>
    public bool PacksRight { get; init; }

    /// <summary>Floating-point operations, a multiplication with an addition counting two.</summary>
    public long Operations => 2L * Rows * Columns * Depth;
}

/// <summary>How fast repeated work went.</summary>
/// <param name="GflopPerSecond">10⁹ floating-point operations a second, of the median repetition.</param>
/// <param name="BestGflopPerSecond">The same of the fastest.</param>
public readonly record struct ProductTime(double GflopPerSecond, double BestGflopPerSecond);

/// <summary>How fast the engine's matrix products are, each by itself, on the paths that a training step takes.</summary>
public static class ProductSpeed
{
    private const int FewestRuns = 3;

    /// <summary>Measures one product by the team.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="threads">Threads that compute; null for one a processor.</param>
    /// <param name="duration">How long to measure; null for half a second. At least three repetitions are measured.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size or the number of threads is not positive.</exception>
    public static ProductTime Measure(ProductShape shape, int? threads = null, TimeSpan? duration = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape.Rows, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape.Columns, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape.Depth, nameof(shape));
        using var team = new ComputeTeam(threads ?? Environment.ProcessorCount);
        using var work = new Product(team, KernelSet.Best, shape);
        return Repeat(duration, () =>
        {
            long begin = Stopwatch.GetTimestamp();
            team.Run(work);
            return [shape.Operations / Stopwatch.GetElapsedTime(begin).TotalSeconds];
        })[0];
    }

    /// <summary>
    /// Measures the recurrent products of one layer over a window, a time step's <c>[lanes, 4·units, units]</c> after
    /// another's, with the gates that are computed between them: forwards, and backwards in time.
    /// </summary>
    /// <param name="lanes">Lanes of the batch.</param>
    /// <param name="units">Units of the layer.</param>
    /// <param name="time">Time steps of the window, at least two.</param>
    /// <param name="threads">Threads that compute; null for one a processor.</param>
    /// <param name="duration">How long to measure; null for half a second. At least three windows are measured.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size or the number of threads is not positive.</exception>
    public static (ProductTime Forward, ProductTime Backward) MeasureRecurrence(int lanes, int units, int time, int? threads = null, TimeSpan? duration = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lanes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        ArgumentOutOfRangeException.ThrowIfLessThan(time, 2);
        using var team = new ComputeTeam(threads ?? Environment.ProcessorCount);
        using var work = new Recurrence(team, KernelSet.Best, lanes, units, time);
        ProductTime[] times = Repeat(duration, () =>
        {
            team.Profile.Reset();
            work.Prepare();
            team.Run(work);
            work.Packed();
            Dictionary<StepPart, PartTime> parts = team.Profile.Parts().ToDictionary(part => part.Part);
            double SpeedOf(StepPart part) => parts[part].Operations / parts[part].Time.TotalSeconds;
            return [SpeedOf(StepPart.Recurrence), SpeedOf(StepPart.RecurrenceBackward)];
        });
        return (times[0], times[1]);
    }

    /// <summary>Repeats work that tells the operations a second of each of its measurements; its first run is not counted.</summary>
    private static ProductTime[] Repeat(TimeSpan? duration, Func<double[]> run)
    {
        int count = run().Length;
        List<double>[] speeds = [.. Enumerable.Range(0, count).Select(_ => new List<double>())];
        var total = Stopwatch.StartNew();
        do
        {
            double[] measured = run();
            for (int i = 0; i < count; i++)
            {
                speeds[i].Add(measured[i]);
            }
        }
        while (speeds[0].Count < FewestRuns || total.Elapsed < (duration ?? TimeSpan.FromSeconds(0.5)));
        return [.. speeds.Select(all => new ProductTime(Median(all) / 1e9, all.Max() / 1e9))];
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>Values in [−1, 1): with zeros a processor draws less power and runs faster than in training.</summary>
    private static AlignedBuffer Filled(int length, int stream)
    {
        var buffer = new AlignedBuffer(length);
        Span<float> values = buffer.Span;
        var random = new Philox(default, RandomPurpose.Initialisation, stream);
        const int Repeated = 1 << 14;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = i < Repeated ? (2f * random.Uniform(i)) - 1f : values[i - Repeated];
        }

        return buffer;
    }

    private sealed class Product : ITeamWork, IDisposable
    {
        private readonly ComputeTeam team;
        private readonly ProductShape shape;
        private readonly MatrixProduct product;
        private readonly AlignedBuffer left;
        private readonly AlignedBuffer right;
        private readonly AlignedBuffer packed;
        private readonly AlignedBuffer output;
        private readonly int columns;
        private bool ready;

        public Product(ComputeTeam team, KernelSet kernels, ProductShape shape)
        {
            this.team = team;
            this.shape = shape;
            columns = KernelSet.Padded(shape.Columns);
            product = new MatrixProduct(team, kernels);
            left = Filled(checked(KernelSet.Padded(shape.LeftTransposed ? shape.Rows : shape.Depth) * (shape.LeftTransposed ? shape.Depth : shape.Rows)), 1);
            right = Filled(checked(shape.Depth * columns), 2);
            packed = new AlignedBuffer(KernelSet.PackedRightLength(shape.Columns, shape.Depth));
            output = new AlignedBuffer(checked(shape.Rows * columns));
        }

        public void Execute(int thread)
        {
            if (shape.PacksRight || !ready)
            {
                product.Pack(thread, right.Span, columns, shape.Columns, shape.Depth, default, packed);
                team.Barrier(thread);
            }

            var a = new LeftOperand(left, 0, KernelSet.Padded(shape.LeftTransposed ? shape.Rows : shape.Depth), shape.Rows, shape.Depth, shape.LeftTransposed);
            product.Multiply(thread, a, packed, columns, output, 0, columns, ChainStart.Zero, default);
            team.Barrier(thread);
            if (thread == 0)
            {
                ready = true;
            }
        }

        public void Dispose()
        {
            product.Dispose();
            left.Dispose();
            right.Dispose();
            packed.Dispose();
            output.Dispose();
        }
    }

    private sealed class Recurrence : ITeamWork, IDisposable
    {
        private readonly MatrixProduct product;
        private readonly LstmLayer layer;
        private readonly LstmActivations activations = new();
        private readonly LstmScratch scratch = new();
        private readonly SequenceShape shape = new();
        private readonly AlignedBuffer gradient;

        public Recurrence(ComputeTeam team, KernelSet kernels, int lanes, int units, int time)
        {
            const string Encoder = AwdLstmNames.LanguageModelEncoder;
            product = new MatrixProduct(team, kernels);

            // What goes into the layer does not matter to its recurrent products, so it is as narrow as can be.
            StateDict weights = WeightInitialization.LanguageModel(new AwdLstmConfig(KernelSet.Lanes, units, units, 1), 1);
            weights[AwdLstmNames.InputWeight(Encoder, 0)] = Tensor.Zeros(4 * units, KernelSet.Lanes);
            layer = new LstmLayer(team, kernels, product, weights, Encoder, 0, 0, KernelSet.Lanes, units);
            shape.SetUniform(time, lanes, startsAtZero: false);
            activations.Reserve(layer, lanes, shape.Rows);
            scratch.Reserve(layer, lanes, shape.Rows, backward: true);
            gradient = Filled(checked(shape.Rows * layer.Units), 3);
        }

        public void Prepare() => layer.Prepare(default, 0f, backward: true);

        public void Packed() => layer.Packed();

        public void Execute(int thread)
        {
            layer.Pack(thread);
            layer.Forward(thread, shape, activations, scratch);
            layer.Backward(thread, shape, activations, scratch, gradient, mask: null);
        }

        public void Dispose()
        {
            layer.Dispose();
            product.Dispose();
            activations.Dispose();
            scratch.Dispose();
            gradient.Dispose();
        }
    }
}
