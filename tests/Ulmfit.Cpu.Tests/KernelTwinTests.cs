using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu.Tests;

/// <summary>Each kernel of each instruction set against its scalar twin, bit for bit, on odd sizes and tails.</summary>
public sealed class KernelTwinTests
{
    public static TheoryData<string> Vectors => [.. KernelSet.Supported().Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void MultiplyStrips_AnySize_IsOneChainOfFusedMultiplyAdds(string name)
    {
        KernelSet kernels = Named(name);
        var random = new Random(1);
        for (int round = 0; round < 120; round++)
        {
            int lanes = random.Next(1, 45), rows = random.Next(1, lanes + 1), depth = random.Next(1, 40), extra = random.Next(0, 5), width = random.Next(2) == 0 ? 16 : 32;
            int depthStart = random.Next(0, extra + 1), packedDepth = depth + extra, stride = width + random.Next(0, 9);
            var layout = new StripLayout(lanes, kernels.MaxStripRows);
            int firstStrip = random.Next(0, layout.Count), endStrip = random.Next(firstStrip + 1, layout.Count + 1), firstRow = layout.Start(firstStrip);
            float[] a = Floats(random, lanes * packedDepth), b = Floats(random, depth * width), start = Floats(random, lanes * stride), c = Floats(random, lanes * stride);
            var packed = new float[lanes * packedDepth];
            for (int strip = 0; strip < layout.Count; strip++)
            {
                int height = layout.HeightOf(strip), row = layout.Start(strip);
                Packing.Transpose(a.AsSpan(row * packedDepth), packedDepth, height, height, packedDepth, packed.AsSpan(row * packedDepth));
            }

            float[] expected = [.. c];
            int mode = random.Next(3), startStride = mode == 1 ? 0 : stride;
            ReadOnlySpan<float> starts = mode == 0 ? default : start;
            for (int row = firstRow; row < Math.Min(rows, layout.Start(endStrip)); row++)
            {
                for (int j = 0; j < width; j++)
                {
                    float sum = mode == 0 ? 0f : starts[((row - firstRow) * startStride) + j];
                    for (int k = 0; k < depth; k++)
                    {
                        sum = MathF.FusedMultiplyAdd(a[(row * packedDepth) + depthStart + k], b[(k * width) + j], sum);
                    }

                    expected[((row - firstRow) * stride) + j] = sum;
                }
            }

            kernels.MultiplyStrips(layout, firstStrip, endStrip, rows, packed.AsSpan(firstRow * packedDepth), packedDepth, depthStart, depth, b, width, c, stride, starts, startStride, random.Next(-5, 5000));
            Assert.Equal(expected, c);
        }
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void LstmForwardAndBackward_AnyRows_EqualTheScalarTwin(string name)
    {
        KernelSet kernels = Named(name);
        foreach (int rows in new[] { 1, 2, 7, 33 })
        {
            foreach (bool masked in new[] { false, true })
            {
                float[][] expected = Run(KernelSet.Scalar, rows, masked), actual = Run(kernels, rows, masked);
                Assert.Equal(expected, actual);
            }
        }

        static float[][] Run(KernelSet kernels, int rows, bool masked)
        {
            var random = new Random(rows);
            const int GateStride = 80, StateStride = 19;
            float[] gates = Floats(random, rows * GateStride, 6f), previous = Floats(random, rows * StateStride), cell = new float[rows * StateStride], hidden = new float[rows * StateStride];
            float[] gradient = Floats(random, rows * StateStride), mask = Floats(random, rows * StateStride), recurrent = Floats(random, rows * StateStride), cellGradient = Floats(random, rows * StateStride);
            kernels.LstmForward(rows, gates, GateStride, previous, cell, hidden, StateStride);
            float[] activated = [.. gates];
            kernels.LstmBackward(rows, gates, GateStride, previous, cell, gradient, masked ? mask : default, recurrent, rows / 2, cellGradient, StateStride);
            return [activated, cell, hidden, gates, cellGradient];
        }
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void SoftmaxCrossEntropy_AnyWidth_EqualsTheScalarTwinAndTheFormula(string name)
    {
        KernelSet kernels = Named(name);
        var random = new Random(4);
        foreach (int width in new[] { 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000, 1009 })
        {
            float[] logits = Floats(random, width, 9f);
            int target = random.Next(width);
            float[] expected = [.. logits], actual = [.. logits], untouched = [.. logits];
            double loss = KernelSet.Scalar.SoftmaxCrossEntropy(expected, target, 0.25f);
            Assert.Equal(loss, kernels.SoftmaxCrossEntropy(actual, target, 0.25f));
            Assert.Equal(expected, actual);
            Assert.Equal(loss, kernels.SoftmaxCrossEntropy(untouched, target, 0f));
            Assert.Equal(logits, untouched);
            double sum = logits.Sum(x => Math.Exp(x));
            Assert.Equal(Math.Log(sum) - logits[target], loss, 1e-5);
            for (int j = 0; j < width; j++)
            {
                Assert.Equal(0.25 * ((Math.Exp(logits[j]) / sum) - (j == target ? 1 : 0)), actual[j], 1e-6);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void ElementwiseKernels_AnyWidth_EqualTheScalarTwin(string name)
    {
        KernelSet kernels = Named(name);
        foreach (int width in new[] { 16, 32, 48, 160 })
        {
            for (int seed = 0; seed < 3; seed++)
            {
                Assert.Equal(All(KernelSet.Scalar, width, seed), All(kernels, width, seed));
            }
        }

        static List<float[]> All(KernelSet k, int n, int seed)
        {
            var random = new Random(seed);
            var results = new List<float[]>();
            float[] x = Floats(random, n * 5), y = Floats(random, n * 5), z = Floats(random, n), u = Floats(random, n), v = [.. Floats(random, n).Select(Math.Abs)];
            Keep(t => k.Sum(x, y, t));
            Keep(t => k.Multiply(x, y, t));
            Keep(t => k.Scale(x, 0.7f, t));
            Keep(t => k.MultiplyScaled(x, y, 1.3f, t));
            Keep(t => k.AddScaled(x, 0.7f, t));
            Keep(t => k.AddProduct(x, y, 0.7f, t));
            Keep(t => k.AddDifference(x, y, 0.7f, t));
            Keep(t => k.ScaleAndShift(x, y, u, t));
            Keep(t => k.Normalise(x, y, u, t));
            Keep(t => k.AddColumns(x, 5, n, t));
            Keep(t => k.AddSquaredDeviations(x, 5, n, z, t));
            Keep(t => k.AddProductColumns(x, y, 5, n, t));
            Keep(t => k.InverseDeviation(v, 0.9f, 1e-5f, t));
            Keep(t => k.BatchNormBackward(x, y, z, u, v, z, 0.2f, t));
            Keep(t => k.Relu(t));
            Keep(t => k.ReluBackward(x, t));
            Keep(t => k.PoolBackward(x, 0.3f, y, [.. z.Select(w => w > 0 ? 3f : 2f)], 3f, t));
            float[] sum = [.. z], max = [.. u], at = new float[n];
            k.Pool(x.AsSpan(0, n), 7f, sum, max, at);
            results.AddRange([sum, max, at]);
            float[] weight = [.. z], first = [.. u.Select(w => w * 1e-38f)], second = [.. v.Select(w => w * 2e-38f)];
            k.Adam(weight, [.. x[..n].Select(w => w * 1e-20f)], first, second, new AdamConstants(0.9f, 0.7f, 0.99f, 0.01f, 1.5f, 1e-5f, 0.001f));
            results.AddRange([weight, first, second]);
            weight = [.. z];
            first = [.. u];
            second = [.. v];
            k.Adam(weight, x.AsSpan(0, n), first, second, new AdamConstants(0.9f, 0.7f, 0.99f, 0.01f, 1.5f, 1e-5f, 0.001f));
            results.AddRange([weight, first, second]);
            results.Add([(float)k.SumOfSquares(x), (float)k.SumOfSquaredDifferences(x, y)]);
            Assert.Equal(x.Sum(w => (double)w * w), k.SumOfSquares(x), 1e-9 * x.Length);
            return results;

            void Keep(Action<float[]> kernel)
            {
                float[] target = Floats(random, n);
                kernel(target);
                results.Add(target);
            }
        }
    }

    [Fact]
    public void Adam_OneStep_IsTheFormula()
    {
        float[] weight = Enumerable.Repeat(0.5f, 16).ToArray(), gradient = Enumerable.Repeat(-0.2f, 16).ToArray(), first = new float[16], second = new float[16];
        KernelSet.Best.Adam(weight, gradient, first, second, new AdamConstants(0.5f, 0.9f, 0.99f, 0.01f / 0.1f, 1f / 0.01f, 1e-5f, 0.01f * 0.1f));
        double g = -0.1, m = 0.1 * g, v = 0.01 * g * g, w = 0.5 - (0.01 * 0.1 * 0.5);
        Assert.Equal(w - (0.01 * (m / 0.1) / (Math.Sqrt(v / 0.01) + 1e-5)), weight[3], 1e-6);
        Assert.Equal(m, first[3], 1e-8);
        Assert.Equal(v, second[3], 1e-8);
    }

    [Fact]
    public void TooShortSpans_AreRefused()
    {
        KernelSet kernels = KernelSet.Best;
        Assert.Throws<ArgumentException>(() => kernels.Multiply(new float[16], new float[8], new float[16]));
        Assert.Throws<ArgumentException>(() => kernels.Multiply(new float[20], new float[20], new float[20]));
        Assert.Throws<ArgumentException>(() => kernels.LstmForward(2, new float[64], 64, new float[32], new float[32], new float[32], 16));
        Assert.Throws<ArgumentException>(() => kernels.MultiplyStrips(new StripLayout(4, 4), 0, 1, 4, new float[15], 4, 0, 4, new float[64], 16, new float[64], 16, default, 0, 0));
        Assert.Throws<ArgumentException>(() => kernels.MultiplyStrips(new StripLayout(4, 4), 0, 1, 4, new float[16], 4, 0, 4, new float[64], 16, new float[63], 16, default, 0, 0));
        Assert.Throws<ArgumentException>(() => Packing.Transpose(new float[10], 4, 3, 3, 4, new float[12]));
        Assert.Throws<ArgumentException>(() => Packing.Copy(new float[12], 4, 3, 3, 4, new float[11]));
        Assert.Throws<ArgumentException>(() => Packing.Gather(new float[12], 4, [0, 3], 4, 4, new float[8]));
    }

    private static KernelSet Named(string name) => KernelSet.Supported().Single(k => k.Name == name);

    private static float[] Floats(Random random, int count, float range = 1f) => [.. Enumerable.Range(0, count).Select(_ => range * ((2f * random.NextSingle()) - 1f))];
}
