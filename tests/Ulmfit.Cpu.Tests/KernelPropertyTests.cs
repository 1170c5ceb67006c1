using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu.Tests;

/// <summary>
/// Every kernel of every instruction set against its scalar twin, bit for bit, wherever its arguments lie and whatever
/// they hold. All kernels take all numbers, infinities and the NaN that arithmetic makes among them; of a NaN the sign and
/// the payload are not promised.
/// </summary>
public sealed class KernelPropertyTests
{
    private static readonly Dictionary<string, Kernel> kernelsByName = new()
    {
        ["Sum"] = (k, a, c) => k.Sum(a.In(c.Width), a.In(c.Width), a.Out(c.Width)),
        ["Multiply"] = (k, a, c) => k.Multiply(a.In(c.Width), a.In(c.Width), a.Out(c.Width)),
        ["Scale"] = (k, a, c) => k.Scale(a.In(c.Width), a.Next(), a.Out(c.Width)),
        ["MultiplyScaled"] = (k, a, c) => k.MultiplyScaled(a.In(c.Width), a.In(c.Width), a.Next(), a.Out(c.Width)),
        ["AddScaled"] = (k, a, c) => k.AddScaled(a.In(c.Width), a.Next(), a.Out(c.Width)),
        ["AddProduct"] = (k, a, c) => k.AddProduct(a.In(c.Width), a.In(c.Width), a.Next(), a.Out(c.Width)),
        ["AddDifference"] = (k, a, c) => k.AddDifference(a.In(c.Width), a.In(c.Width), a.Next(), a.Out(c.Width)),
        ["ScaleAndShift"] = (k, a, c) => k.ScaleAndShift(a.In(c.Width), a.In(c.Width), a.In(c.Width), a.Out(c.Width)),
        ["AddColumns"] = (k, a, c) => k.AddColumns(a.In(c.Length), c.Rows, c.Stride, a.Out(c.Width)),
        ["AddSquaredDeviations"] = (k, a, c) => k.AddSquaredDeviations(a.In(c.Length), c.Rows, c.Stride, a.In(c.Width), a.Out(c.Width)),
        ["AddProductColumns"] = (k, a, c) => k.AddProductColumns(a.In(c.Length), a.In(c.Length), c.Rows, c.Stride, a.Out(c.Width)),
        ["Normalise"] = (k, a, c) => k.Normalise(a.In(c.Width), a.In(c.Width), a.In(c.Width), a.Out(c.Width)),
        ["InverseDeviation"] = (k, a, c) => k.InverseDeviation(a.In(c.Width), a.Next(), a.Next(), a.Out(c.Width)),
        ["BatchNormBackward"] = (k, a, c) =>
            k.BatchNormBackward(a.In(c.Width), a.In(c.Width), a.In(c.Width), a.In(c.Width), a.In(c.Width), a.In(c.Width), a.Next(), a.Out(c.Width)),
        ["Relu"] = (k, a, c) => k.Relu(a.Out(c.Width)),
        ["ReluBackward"] = (k, a, c) => k.ReluBackward(a.In(c.Width), a.Out(c.Width)),
        ["Pool"] = (k, a, c) => k.Pool(a.In(c.Width), c.Rows, a.Out(c.Width), a.Out(c.Width), a.Out(c.Width)),
        ["PoolBackward"] = (k, a, c) => k.PoolBackward(a.In(c.Width), a.Next(), a.In(c.Width), a.In(c.Width, x => x > 0f ? 1f : x < -0.5f ? float.NaN : 2f), 1f, a.Out(c.Width)),
        ["Adam"] = (k, a, c) => k.Adam(
            a.Out(c.Width), a.In(c.Width), a.Out(c.Width), a.Out(c.Width), new AdamConstants(a.Next(), a.Next(), a.Next(), a.Next(), a.Next(), a.Next(), a.Next())),
        ["SumOfSquares"] = (k, a, c) => Keep(a, k.SumOfSquares(a.In(c.Width))),
        ["SumOfSquaredDifferences"] = (k, a, c) => Keep(a, k.SumOfSquaredDifferences(a.In(c.Width), a.In(c.Width))),
        ["SoftmaxCrossEntropy"] = (k, a, c) => Keep(a, k.SoftmaxCrossEntropy(a.Out(c.Odd), c.Seed % c.Odd, a.Next())),
        ["SoftmaxCrossEntropy without gradients"] = (k, a, c) => Keep(a, k.SoftmaxCrossEntropy(a.In(c.Odd), c.Seed % c.Odd, 0f)),
        ["LstmForward"] = (k, a, c) =>
            k.LstmForward(c.Rows, a.Out(c.Rows, c.GateStride, 64), c.GateStride, a.In(c.States), a.Out(c.Rows, c.StateStride, 16), a.Out(c.Rows, c.StateStride, 16), c.StateStride),
        ["LstmBackward"] = (k, a, c) => k.LstmBackward(
            c.Rows, a.Out(c.Rows, c.GateStride, 64), c.GateStride, a.In(c.States), a.In(c.States), a.In(c.States), c.Flag ? a.In(c.States) : default, a.In(c.States),
            c.Seed % (c.Rows + 1), a.Out(c.Rows, c.StateStride, 16), c.StateStride),
    };

    private delegate void Kernel(KernelSet kernels, Arena arena, Case @case);

    public static TheoryData<string, string> Kernels()
    {
        var data = new TheoryData<string, string>();
        foreach (KernelSet set in KernelSet.Supported().Where(s => s.Name != "scalar"))
        {
            foreach (string kernel in kernelsByName.Keys)
            {
                data.Add(set.Name, kernel);
            }
        }

        // Where there are no vectors, the twins are held against themselves.
        if (data.Count == 0)
        {
            foreach (string kernel in kernelsByName.Keys)
            {
                data.Add("scalar", kernel);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Kernel_OfAnyArguments_HasTheBitsOfItsScalarTwin(string set, string kernel)
    {
        KernelSet kernels = Named(set);
        Law.Holds<Case>(120, c =>
        {
            Arena expected = new(c.Numbers, c.Seed), actual = new(c.Numbers, c.Seed);
            kernelsByName[kernel](KernelSet.Scalar, expected, c);
            kernelsByName[kernel](kernels, actual, c);
            actual.AssertNothingElseWritten();
            Arena.AssertSame(expected, actual);
        });
    }

    [Theory]
    [MemberData(nameof(KernelTwinTests.Vectors), MemberType = typeof(KernelTwinTests))]
    public void MultiplyStrips_OfAnyArguments_IsOneChainOfFusedMultiplyAdds(string set)
    {
        KernelSet kernels = Named(set);
        Law.Holds<Strips>(250, c =>
        {
            var layout = new StripLayout(c.Lanes, kernels.MaxStripRows);
            int rows = Math.Min(c.Rows, c.Lanes), width = c.Narrow ? 16 : 32, stride = width + c.Gap, packedDepth = c.DepthStart + c.Depth + c.DepthAfter;
            int firstStrip = c.Seed % layout.Count, endStrip = firstStrip + 1 + (c.Seed / 64 % (layout.Count - firstStrip)), firstRow = layout.Start(firstStrip);
            int present = Math.Min(rows, layout.Start(endStrip)) - firstRow, written = Math.Max(present, 0);
            var arena = new Arena(c.Numbers, c.Seed);
            Span<float> a = arena.In((layout.Start(endStrip) - firstRow) * packedDepth), b = arena.In(c.Depth * width), output = arena.Out(written, stride, width);
            int startStride = c.Start == ChainsOf.OneRow ? 0 : c.Start == ChainsOf.Output ? stride : width + c.StartGap;
            Span<float> start = c.Start switch
            {
                ChainsOf.Zero => default,
                ChainsOf.Output => output,
                _ => arena.In(written == 0 ? width : ((written - 1) * startStride) + width),
            };
            var expected = new float[written * width];
            for (int row = 0; row < written; row++)
            {
                int strip = layout.StripOf(firstRow + row), height = layout.HeightOf(strip), top = layout.Start(strip) - firstRow;
                for (int j = 0; j < width; j++)
                {
                    float sum = start.IsEmpty ? 0f : start[(row * startStride) + j];
                    for (int k = 0; k < c.Depth; k++)
                    {
                        sum = MathF.FusedMultiplyAdd(a[(top * packedDepth) + ((c.DepthStart + k) * height) + row - top], b[(k * width) + j], sum);
                    }

                    expected[(row * width) + j] = sum;
                }
            }

            kernels.MultiplyStrips(layout, firstStrip, endStrip, rows, a, packedDepth, c.DepthStart, c.Depth, b, width, output, stride, start, startStride, c.Seed % 5000);
            arena.AssertNothingElseWritten();
            for (int row = 0; row < written; row++)
            {
                Arena.AssertSame(expected.AsSpan(row * width, width), output.Slice(row * stride, width), $"row {row}");
            }
        });
    }

    [Theory]
    [MemberData(nameof(KernelTwinTests.Vectors), MemberType = typeof(KernelTwinTests))]
    public void Kernel_OfBadArguments_ThrowsAndWritesNothing(string set)
    {
        KernelSet k = Named(set);
        var layout = new StripLayout(9, Math.Min(4, k.MaxStripRows));
        (string What, Action<Arena> Call)[] calls =
        [
            ("a width of 20", a => k.Sum(a.In(20), a.In(20), a.Out(20))),
            ("a short left operand", a => k.Sum(a.In(16), a.In(32), a.Out(32))),
            ("a short right operand", a => k.Multiply(a.In(32), a.In(31), a.Out(32))),
            ("a short operand", a => k.Scale(a.In(8), 2f, a.Out(16))),
            ("a short mask", a => k.MultiplyScaled(a.In(16), a.In(0), 2f, a.Out(16))),
            ("a width of 8", a => k.AddScaled(a.In(8), 2f, a.Out(8))),
            ("a short product", a => k.AddProduct(a.In(15), a.In(16), 2f, a.Out(16))),
            ("a short difference", a => k.AddDifference(a.In(16), a.In(15), 2f, a.Out(16))),
            ("a short shift", a => k.ScaleAndShift(a.In(16), a.In(16), a.In(15), a.Out(16))),
            ("missing rows", a => k.AddColumns(a.In(47), 3, 16, a.Out(16))),
            ("a stride that goes back", a => k.AddColumns(a.In(48), 3, -16, a.Out(16))),
            ("a short mean", a => k.AddSquaredDeviations(a.In(48), 3, 16, a.In(15), a.Out(16))),
            ("missing rows of a factor", a => k.AddProductColumns(a.In(48), a.In(47), 3, 16, a.Out(16))),
            ("a short inverse", a => k.Normalise(a.In(16), a.In(16), a.In(15), a.Out(16))),
            ("a short variance", a => k.InverseDeviation(a.In(15), 1f, 1f, a.Out(16))),
            ("a short sum", a => k.BatchNormBackward(a.In(16), a.In(16), a.In(16), a.In(16), a.In(16), a.In(15), 1f, a.Out(16))),
            ("a width of 17", a => k.Relu(a.Out(17))),
            ("a short activation", a => k.ReluBackward(a.In(15), a.Out(16))),
            ("a short maximum", a => k.Pool(a.In(16), 1f, a.Out(16), a.Out(15), a.Out(16))),
            ("a short position", a => k.Pool(a.In(16), 1f, a.Out(16), a.Out(16), a.Out(15))),
            ("a short position backwards", a => k.PoolBackward(a.In(16), 1f, a.In(16), a.In(15), 1f, a.Out(16))),
            ("a short moment", a => k.Adam(a.Out(16), a.In(16), a.Out(16), a.Out(15), default)),
            ("a width of 15", a => k.SumOfSquares(a.In(15))),
            ("a short subtrahend", a => k.SumOfSquaredDifferences(a.In(16), a.In(15))),
            ("a target beyond the logits", a => k.SoftmaxCrossEntropy(a.Out(16), 16, 1f)),
            ("a target before the logits", a => k.SoftmaxCrossEntropy(a.Out(16), -1, 1f)),
            ("no logits", a => k.SoftmaxCrossEntropy(a.Out(0), 0, 1f)),
            ("short gates", a => k.LstmForward(2, a.Out(127), 64, a.In(32), a.Out(32), a.Out(32), 16)),
            ("short cells", a => k.LstmForward(2, a.Out(128), 64, a.In(32), a.Out(31), a.Out(32), 16)),
            ("gates that go back", a => k.LstmForward(2, a.Out(128), -64, a.In(32), a.Out(32), a.Out(32), 16)),
            ("states that go back", a => k.LstmForward(2, a.Out(128), 64, a.In(32), a.Out(32), a.Out(32), -16)),
            ("a short recurrent gradient", a => k.LstmBackward(2, a.Out(128), 64, a.In(32), a.In(32), a.In(32), a.In(32), a.In(31), 2, a.Out(32), 16)),
            ("a short dropout mask", a => k.LstmBackward(2, a.Out(128), 64, a.In(32), a.In(32), a.In(32), a.In(31), a.In(32), 2, a.Out(32), 16)),
            ("gradients that go back", a => k.LstmBackward(2, a.Out(128), 64, a.In(32), a.In(32), a.In(32), a.In(32), a.In(32), 2, a.Out(32), -16)),
            ("a panel of 24 columns", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 0, 5, a.In(120), 24, a.Out(216), 24, default, 0, 0)),
            ("a short strip", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(44), 5, 0, 5, a.In(80), 16, a.Out(144), 16, default, 0, 0)),
            ("a short panel", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 0, 5, a.In(79), 16, a.Out(144), 16, default, 0, 0)),
            ("a short output", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 0, 5, a.In(80), 16, a.Out(143), 16, default, 0, 0)),
            ("a short start", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 0, 5, a.In(80), 16, a.Out(144), 16, a.In(143), 16, 0)),
            ("more depth than is packed", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 1, 5, a.In(80), 16, a.Out(144), 16, default, 0, 0)),
            ("a depth before the first", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, -1, 5, a.In(80), 16, a.Out(144), 16, default, 0, 0)),
            ("a negative depth", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 0, -1, a.In(80), 16, a.Out(144), 16, default, 0, 0)),
            ("an output that goes back", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 0, 5, a.In(80), 16, a.Out(144), -16, default, 0, 0)),
            ("a start that goes back", a => k.MultiplyStrips(layout, 0, 3, 9, a.In(45), 5, 0, 5, a.In(80), 16, a.Out(144), 16, a.In(144), -16, 0)),
            ("a strip after the last", a => k.MultiplyStrips(layout, 0, 4, 99, a.In(450), 5, 0, 5, a.In(80), 16, a.Out(1440), 16, default, 0, 0)),
            ("a strip before the first", a => k.MultiplyStrips(layout, -1, 3, 9, a.In(450), 5, 0, 5, a.In(80), 16, a.Out(1440), 16, default, 0, 0)),
            ("more rows than the layout has", a => k.MultiplyStrips(layout, 0, 3, 10, a.In(450), 5, 0, 5, a.In(80), 16, a.Out(1440), 16, default, 0, 0)),
            ("strips that are too high", a => k.MultiplyStrips(new StripLayout(30, 30), 0, 1, 30, a.In(150), 5, 0, 5, a.In(80), 16, a.Out(480), 16, default, 0, 0)),
        ];
        foreach ((string what, Action<Arena> call) in calls)
        {
            var arena = new Arena(Numbers.Ordinary, 1);
            Exception? thrown = Record.Exception(() => call(arena));
            Assert.True(thrown is ArgumentException, $"{what}: {thrown?.ToString() ?? "nothing was thrown"}");
            arena.AssertNothingWritten();
        }
    }

    private static KernelSet Named(string name) => KernelSet.Supported().Single(k => k.Name == name);

    /// <summary>A result in double precision, as four floats of sixteen bits each that say all its bits.</summary>
    private static void Keep(Arena arena, double result)
    {
        long bits = double.IsNaN(result) ? long.MaxValue : BitConverter.DoubleToInt64Bits(result);
        Span<float> kept = arena.Out(4);
        for (int i = 0; i < 4; i++)
        {
            kept[i] = (ushort)(bits >> (16 * i));
        }
    }

    internal enum ChainsOf
    {
        Zero,
        OneRow,
        Rows,
        Output,
    }

    internal sealed record Case([Between(0, 13)] int Vectors, [Between(0, 9)] int Rows, [Between(0, 9)] int Gap, [Between(0, 15)] int Tail, bool Flag, Numbers Numbers, int Seed)
    {
        public int Width => 16 * Vectors;

        public int Stride => Width + Gap;

        public int Length => Rows == 0 ? 0 : ((Rows - 1) * Stride) + Width;

        public int Odd => Math.Max(1, Width + Tail);

        public int GateStride => 64 + Gap;

        public int StateStride => 16 + Gap;

        public int States => Rows == 0 ? 0 : ((Rows - 1) * StateStride) + 16;
    }

    internal sealed record Strips(
        [Between(1, 60)] int Lanes, [Between(1, 60)] int Rows, [Between(0, 300)] int Depth, [Between(0, 4)] int DepthStart, [Between(0, 4)] int DepthAfter, bool Narrow,
        [Between(0, 9)] int Gap, [Between(0, 9)] int StartGap, ChainsOf Start, Numbers Numbers, int Seed);
}
