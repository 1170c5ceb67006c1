using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu.Tests;

/// <summary>Each kernel of each instruction set against its scalar twin, bit for bit, on odd sizes and tails.</summary>
public sealed class KernelTwinTests
{
    public static TheoryData<string> Vectors => [.. KernelSet.Supported().Select(k => k.Name)];

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

    // A gradient that vanishes over a long document must become zero and not a subnormal number, and one that is none must not.
    [Theory]
    [InlineData(1f, false)]
    [InlineData(1e-20f, false)]
    [InlineData(5e-25f, true)]
    [InlineData(-5e-25f, true)]
    [InlineData(1e-40f, true)]
    [InlineData(float.NaN, false)]
    public void LstmBackward_OfAVanishedGradient_GivesZeroAndKeepsWhatIsNoNumber(float gradient, bool vanishes)
    {
        foreach (KernelSet kernels in KernelSet.Supported())
        {
            float[] gates = [.. Enumerable.Repeat(0.5f, 64)], cell = [.. Enumerable.Repeat(0.25f, 16)], cellGradient = new float[16];
            kernels.LstmBackward(1, gates, 64, cell, cell, [.. Enumerable.Repeat(gradient, 16)], default, default, 0, cellGradient, 16);
            Assert.All(gates, value => Assert.Equal(vanishes, value == 0f));
            Assert.All(cellGradient, value => Assert.Equal(vanishes, value == 0f));
            Assert.All(cellGradient, value => Assert.Equal(float.IsNaN(gradient), float.IsNaN(value)));
            Array.Fill(cellGradient, gradient);
            kernels.LstmBackward(1, [.. Enumerable.Repeat(0.5f, 64)], 64, cell, cell, new float[16], default, default, 0, cellGradient, 16);
            Assert.All(cellGradient, value => Assert.Equal(vanishes, value == 0f));
        }
    }

    private static KernelSet Named(string name) => KernelSet.Supported().Single(k => k.Name == name);

    private static float[] Floats(Random random, int count, float range = 1f) => [.. Enumerable.Range(0, count).Select(_ => range * ((2f * random.NextSingle()) - 1f))];
}
