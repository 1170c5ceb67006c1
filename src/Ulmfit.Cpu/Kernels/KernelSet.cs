using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// The arithmetic of training for one instruction set. Every set gives the same bits. Widths are multiples of sixteen
/// unless a method says otherwise; strides are in floats; a span that is too short is an <see cref="ArgumentException"/>.
/// </summary>
internal abstract class KernelSet
{
    /// <summary>Lanes of every vector, and what widths are rounded up to.</summary>
    public const int Lanes = 16;

    /// <summary>Columns of a panel of a packed right operand.</summary>
    public const int PanelWidth = 32;

    /// <summary>512-bit registers.</summary>
    public static KernelSet Avx512 { get; } = new KernelSet<Lanes512, MatrixTile512>("avx512");

    /// <summary>256-bit registers.</summary>
    public static KernelSet Avx2 { get; } = new KernelSet<Lanes256, MatrixTile256>("avx2");

    /// <summary>128-bit registers, on whatever processor.</summary>
    public static KernelSet Vectors128 { get; } = new KernelSet<Lanes128, MatrixTile128>("vector128");

    /// <summary>No vectors.</summary>
    public static KernelSet Scalar { get; } = new KernelSet<LanesScalar, MatrixTileScalar>("scalar");

    /// <summary>The widest that this processor runs, chosen once.</summary>
    public static KernelSet Best { get; } = Supported()[0];

    /// <summary>Name of the instruction set.</summary>
    public abstract string Name { get; }

    /// <summary>Most rows of a strip of a packed left operand.</summary>
    public abstract int MaxStripRows { get; }

    /// <summary>The sets that this processor runs, widest first.</summary>
    public static IReadOnlyList<KernelSet> Supported()
    {
        var sets = new List<KernelSet>();
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            sets.Add(Avx512);
        }

        if (Vector256.IsHardwareAccelerated && Fma.IsSupported)
        {
            sets.Add(Avx2);
        }

        if (Vector128.IsHardwareAccelerated && (AdvSimd.IsSupported || Fma.IsSupported))
        {
            sets.Add(Vectors128);
        }

        sets.Add(Scalar);
        return sets;
    }

    /// <summary>The least multiple of <see cref="Lanes"/> that holds <paramref name="width"/>.</summary>
    public static int Padded(int width) => (width + Lanes - 1) & -Lanes;

    /// <summary>Floats of a packed right operand of <paramref name="columns"/> columns.</summary>
    public static int PackedRightLength(int columns, int depth) => checked(Padded(columns) * depth);

    /// <summary>
    /// One panel of a product: c = start + A·B for the strips <paramref name="firstStrip"/> to
    /// <paramref name="endStrip"/> and a range of the depth.
    /// </summary>
    /// <param name="layout">The strips of A.</param>
    /// <param name="firstStrip">First strip.</param>
    /// <param name="endStrip">Strip after the last.</param>
    /// <param name="rows">Rows of A that are there; those beyond are skipped.</param>
    /// <param name="a">Packed strips, beginning with the first.</param>
    /// <param name="packedDepth">Depth that <paramref name="a"/> is packed with.</param>
    /// <param name="depthStart">First k within <paramref name="a"/>.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="b">Panel <c>[depth, width]</c>, beginning with the first k.</param>
    /// <param name="width">32 or 16.</param>
    /// <param name="c">Output, beginning with the first strip's first row.</param>
    /// <param name="cStride">Stride of its rows.</param>
    /// <param name="start">Where the chains start, aligned with <paramref name="c"/>; empty for zero; it may be <paramref name="c"/> itself.</param>
    /// <param name="startStride">Stride of its rows; 0 repeats one row.</param>
    /// <param name="next">Floats from this panel to the one that will be multiplied next, which is brought nearer meanwhile.</param>
    public abstract void MultiplyStrips(
        in StripLayout layout, int firstStrip, int endStrip, int rows, ReadOnlySpan<float> a, int packedDepth, int depthStart, int depth,
        ReadOnlySpan<float> b, int width, Span<float> c, int cStride, ReadOnlySpan<float> start, int startStride, int next);

    /// <summary>
    /// A gradient that has vanished, running back through a long document: no sum of such moves a weight, since Adam divides
    /// by no less than its ε. Left alone it would become subnormal, with which a processor computes fifty times slower, and
    /// stay so, because the smallest number times a forget gate above a half rounds to itself.
    /// </summary>
    public const float VanishedGradient = 8.271806e-25f;

    /// <summary>
    /// The LSTM's gates of sixteen units (Hochreiter &amp; Schmidhuber 1997; PyTorch's gates): i, f, o = σ(z), g = tanh(z),
    /// c = f·c′ + i·g, h = o·tanh(c). <paramref name="gates"/> holds z as <c>[rows, i16 f16 g16 o16]</c> and the activated gates afterwards.
    /// </summary>
    public abstract void LstmForward(int rows, Span<float> gates, int gateStride, ReadOnlySpan<float> previousCell, Span<float> cell, Span<float> hidden, int stateStride);

    /// <summary>
    /// The backward pass of <see cref="LstmForward"/>. <paramref name="gates"/> holds the activated gates and the gradients
    /// of z afterwards. The gradient of h is <paramref name="outputGradient"/> · <paramref name="mask"/> (empty for 1) plus, in
    /// the first <paramref name="recurrentRows"/> rows, <paramref name="recurrentGradient"/>; <paramref name="cellGradient"/>
    /// is that of c, of c′ afterwards. Gradients of h and c′ below <see cref="VanishedGradient"/> become zero.
    /// </summary>
    public abstract void LstmBackward(
        int rows, Span<float> gates, int gateStride, ReadOnlySpan<float> previousCell, ReadOnlySpan<float> cell, ReadOnlySpan<float> outputGradient,
        ReadOnlySpan<float> mask, ReadOnlySpan<float> recurrentGradient, int recurrentRows, Span<float> cellGradient, int stateStride);

    /// <summary>
    /// Negative log likelihood of <paramref name="target"/> under softmax(<paramref name="logits"/>), in nats. With a
    /// <paramref name="scale"/> other than zero the logits become scale · (softmax − onehot). Any width.
    /// </summary>
    public abstract double SoftmaxCrossEntropy(Span<float> logits, int target, float scale);

    /// <summary>Σ x² in double precision, as sixteen sums added by a fixed tree.</summary>
    public abstract double SumOfSquares(ReadOnlySpan<float> x);

    /// <summary>Σ (x − y)² in double precision, as sixteen sums added by a fixed tree.</summary>
    public abstract double SumOfSquaredDifferences(ReadOnlySpan<float> x, ReadOnlySpan<float> y);

    /// <summary>The step of <see cref="Ulmfit.Engine.OptimizerStep"/> on a run of weights.</summary>
    public abstract void Adam(Span<float> weight, ReadOnlySpan<float> gradient, Span<float> first, Span<float> second, in AdamConstants constants);

    /// <summary>target = x + y.</summary>
    public abstract void Sum(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> target);

    /// <summary>target = x · y.</summary>
    public abstract void Multiply(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> target);

    /// <summary>target = x · factor.</summary>
    public abstract void Scale(ReadOnlySpan<float> x, float factor, Span<float> target);

    /// <summary>target = x · y · factor, as (x · factor) · y.</summary>
    public abstract void MultiplyScaled(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float factor, Span<float> target);

    /// <summary>target = x · factor + target.</summary>
    public abstract void AddScaled(ReadOnlySpan<float> x, float factor, Span<float> target);

    /// <summary>target = x · y · factor + target, as fma(x · factor, y, target).</summary>
    public abstract void AddProduct(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float factor, Span<float> target);

    /// <summary>target = (x − y) · factor + target.</summary>
    public abstract void AddDifference(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float factor, Span<float> target);

    /// <summary>target[j] = x · factor[j] + shift[j].</summary>
    public abstract void ScaleAndShift(ReadOnlySpan<float> x, ReadOnlySpan<float> factor, ReadOnlySpan<float> shift, Span<float> target);

    /// <summary>target[j] += Σ over rows of x[row, j], in the order of rows.</summary>
    public abstract void AddColumns(ReadOnlySpan<float> x, int rows, int stride, Span<float> target);

    /// <summary>target[r] += Σ over k of strip[k, r], in the order of k, for a packed strip <c>[depth, height]</c> of any height up to sixteen.</summary>
    public abstract void AddStripRows(ReadOnlySpan<float> strip, int height, int depth, Span<float> target);

    /// <summary>target[j] += Σ over rows of (x[row, j] − mean[j])².</summary>
    public abstract void AddSquaredDeviations(ReadOnlySpan<float> x, int rows, int stride, ReadOnlySpan<float> mean, Span<float> target);

    /// <summary>target[j] += Σ over rows of x[row, j] · y[row, j].</summary>
    public abstract void AddProductColumns(ReadOnlySpan<float> x, ReadOnlySpan<float> y, int rows, int stride, Span<float> target);

    /// <summary>target[j] = (x[j] − mean[j]) · inverse[j].</summary>
    public abstract void Normalise(ReadOnlySpan<float> x, ReadOnlySpan<float> mean, ReadOnlySpan<float> inverse, Span<float> target);

    /// <summary>target[j] = 1 / √(factor · x[j] + ε).</summary>
    public abstract void InverseDeviation(ReadOnlySpan<float> x, float factor, float epsilon, Span<float> target);

    /// <summary>
    /// The gradient of BatchNorm's input in one row: weight · inverse · (g − gradientSum / n − normalised · productSum / n).
    /// </summary>
    public abstract void BatchNormBackward(
        ReadOnlySpan<float> gradient, ReadOnlySpan<float> normalised, ReadOnlySpan<float> weight, ReadOnlySpan<float> inverse, ReadOnlySpan<float> gradientSum,
        ReadOnlySpan<float> productSum, float inverseCount, Span<float> target);

    /// <summary>x where x &gt; 0, else 0, in place.</summary>
    public abstract void Relu(Span<float> x);

    /// <summary>Zeroes the gradient where the activated x is not positive.</summary>
    public abstract void ReluBackward(ReadOnlySpan<float> x, Span<float> gradient);

    /// <summary>One time step of concat pooling: sum += h; where h &gt; max: max = h and argmax = time.</summary>
    public abstract void Pool(ReadOnlySpan<float> hidden, float time, Span<float> sum, Span<float> max, Span<float> argmax);

    /// <summary>The gradient that concat pooling gives to one time step: mean · factor, plus max where argmax = time.</summary>
    public abstract void PoolBackward(ReadOnlySpan<float> mean, float factor, ReadOnlySpan<float> max, ReadOnlySpan<float> argmax, float time, Span<float> target);

    /// <summary>A chain of fused multiply-adds that nothing but the arithmetic units can slow down; for measuring their peak. Returns the operations done.</summary>
    public abstract long Peak(long rounds, Span<float> sixteen);

    /// <summary>
    /// The same with one factor of every two vectors read from memory, sixteen floats that stay in the first-level cache, as
    /// the tiles of a product read them. Returns the operations done.
    /// </summary>
    public abstract long PeakFromCache(long rounds, Span<float> sixteen);

    /// <summary>Throws where a span is shorter than what is about to be read or written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void Need(int length, long needed)
    {
        if (length < needed)
        {
            ThrowShort(length, needed);
        }
    }

    /// <summary>Throws where a width is not whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void NeedWholeVectors(int width)
    {
        if ((width & (Lanes - 1)) != 0)
        {
            ThrowRagged(width);
        }
    }

    /// <summary>Throws where the rows of an operand would go backwards in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void NeedForward(int stride)
    {
        if (stride < 0)
        {
            ThrowBackwards(stride);
        }
    }

    // Apart, so that the compiler does not put the making of a message into the midst of a kernel: that costs registers.
    private static void ThrowShort(int length, long needed) => throw new ArgumentException($"A span of {needed} floats is needed, but {length} were given.");

    private static void ThrowRagged(int width) => throw new ArgumentException($"A width of {width} is not a multiple of {Lanes}.");

    private static void ThrowBackwards(int stride) => throw new ArgumentException($"A stride of {stride} is negative.");
}

/// <summary>What the Adam kernel needs of a step, the same for every weight of a group.</summary>
/// <param name="GradientScale">Factor of the gradient, from clipping.</param>
/// <param name="Beta1">β1.</param>
/// <param name="Beta2">β2.</param>
/// <param name="StepSize">η / (1 − β1ⁿ).</param>
/// <param name="SecondCorrection">1 / (1 − β2ⁿ).</param>
/// <param name="Epsilon">ε.</param>
/// <param name="Decay">η · wd, or 0.</param>
internal readonly record struct AdamConstants(float GradientScale, float Beta1, float Beta2, float StepSize, float SecondCorrection, float Epsilon, float Decay);
