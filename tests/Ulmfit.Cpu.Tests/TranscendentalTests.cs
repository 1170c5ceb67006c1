using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu.Tests;

/// <summary>The engine's own functions against those of the framework in double precision.</summary>
public sealed class TranscendentalTests
{
    [Fact]
    public void Exp_OverItsRange_IsWithinTheBound() => AssertClose(Math.Exp, Transcendental<Lanes128>.Exp, 0f, 86f, 1.1);

    [Fact]
    public void Tanh_OverItsRange_IsWithinTheBound() => AssertClose(Math.Tanh, Transcendental<Lanes128>.Tanh, 1e-30f, 20f, 2.6);

    [Fact]
    public void Sigmoid_OverItsRange_IsWithinTheBound() => AssertClose(x => 1 / (1 + Math.Exp(-x)), Transcendental<Lanes128>.Sigmoid, 1e-30f, 85f, 2.3);

    [Fact]
    public void Exp_OfASingleNumber_HasTheBitsOfTheLanes()
    {
        Func<float, float> lanes = Lanes(Transcendental<LanesScalar>.Exp);
        for (float x = -100f; x < 100f; x += 0.0917f)
        {
            Assert.Equal(lanes(x), Transcendental.Exp(x));
        }
    }

    [Theory]
    [InlineData(float.NegativeInfinity, -1f, 0f)]
    [InlineData(-1000f, -1f, 0f)]
    [InlineData(0f, 0f, 0.5f)]
    [InlineData(1000f, 1f, 1f)]
    [InlineData(float.PositiveInfinity, 1f, 1f)]
    [InlineData(float.NaN, float.NaN, float.NaN)]
    public void TanhAndSigmoid_AtTheEnds_Saturate(float x, float tanh, float sigmoid)
    {
        Assert.Equal(tanh, Lanes(Transcendental<LanesScalar>.Tanh)(x), 1e-6f);
        Assert.Equal(sigmoid, Lanes(Transcendental<LanesScalar>.Sigmoid)(x), 1e-6f);
    }

    [Fact]
    public void Log_OfPositiveNumbers_IsWithinTheBound()
    {
        double worst = 0, at = 0;
        for (double x = 1e-20; x < 1e20; x *= 1.00003)
        {
            double e = Math.Log(x), unit = Math.BitIncrement(Math.Abs(e)) - Math.Abs(e), error = Math.Abs(Transcendental.Log(x) - e) / unit;
            (worst, at) = error > worst ? (error, x) : (worst, at);
        }

        Assert.True(worst <= 3.1, $"at {at:r}: {worst} units in the last place");
    }

    [Fact]
    public void Power_OfWholeExponents_IsThatOfTheFramework()
    {
        foreach (int n in new[] { 0, 1, 2, 3, 7, 100, 12345 })
        {
            Assert.Equal(Math.Pow(0.99, n), Transcendental.Power(0.99, n), 1e-12 * Math.Pow(0.99, n));
        }
    }

    private static unsafe Func<float, float> Lanes(Func<LanesScalar, LanesScalar> function) => x =>
    {
        float* lanes = stackalloc float[16];
        LanesScalar.Store(lanes, function(LanesScalar.All(x)));
        return lanes[5];
    };

    /// <summary>
    /// Both signs of floats from <paramref name="least"/> to <paramref name="most"/>, some hundred thousand of every power
    /// of two: the error is at most so many units in the last place of the exact result.
    /// </summary>
    private static unsafe void AssertClose(Func<double, double> expected, Func<Lanes128, Lanes128> actual, float least, float most, double units)
    {
        const int Step = 1009;
        float* x = stackalloc float[16], y = stackalloc float[16];
        double worst = 0, at = 0;
        int last = BitConverter.SingleToInt32Bits(most);
        for (int bits = BitConverter.SingleToInt32Bits(least); bits <= last; bits += 8 * Step)
        {
            for (int j = 0; j < 16; j++)
            {
                float magnitude = BitConverter.Int32BitsToSingle(Math.Min(bits + ((j >> 1) * Step), last));
                x[j] = (j & 1) == 0 ? magnitude : -magnitude;
            }

            Lanes128.Store(y, actual(Lanes128.Load(x)));
            for (int j = 0; j < 16; j++)
            {
                double e = expected(x[j]);
                float rounded = (float)Math.Abs(e);
                double error = Math.Abs(y[j] - e) / ((double)MathF.BitIncrement(rounded) - rounded);
                (worst, at) = error > worst ? (error, x[j]) : (worst, at);
            }
        }

        Assert.True(worst <= units, $"at {at:r}: {worst} units in the last place");
    }
}
