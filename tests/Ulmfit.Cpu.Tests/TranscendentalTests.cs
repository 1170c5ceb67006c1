using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu.Tests;

/// <summary>The engine's own functions against those of the framework in double precision.</summary>
public sealed class TranscendentalTests
{
    [Fact]
    public void Exp_OverItsRange_IsWithinTwoUnitsInTheLastPlace() => AssertClose(x => Math.Exp(x), Lanes(Transcendental<LanesScalar>.Exp), -86f, 88f, 2.0);

    [Fact]
    public void Tanh_OverItsRange_IsWithinFourUnitsInTheLastPlace()
    {
        AssertClose(Math.Tanh, Lanes(Transcendental<LanesScalar>.Tanh), -12f, 12f, 4.0);
        AssertClose(Math.Tanh, Lanes(Transcendental<LanesScalar>.Tanh), -1e-3f, 1e-3f, 4.0);
    }

    [Fact]
    public void Sigmoid_OverItsRange_IsWithinFourUnitsInTheLastPlace() => AssertClose(x => 1 / (1 + Math.Exp(-x)), Lanes(Transcendental<LanesScalar>.Sigmoid), -80f, 80f, 4.0);

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
    public void Log_OfPositiveNumbers_IsThatOfTheFramework()
    {
        for (double x = 1e-20; x < 1e20; x *= 1.37)
        {
            Assert.Equal(Math.Log(x), Transcendental.Log(x), 1e-14 * Math.Max(1, Math.Abs(Math.Log(x))));
        }
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

    private static void AssertClose(Func<double, double> expected, Func<float, float> actual, float from, float to, double units)
    {
        for (int i = 0; i <= 20_000; i++)
        {
            float x = from + ((to - from) * i / 20_000);
            double e = expected(x);
            double unit = (double)MathF.BitIncrement((float)Math.Abs(e)) - (float)Math.Abs(e);
            Assert.True(Math.Abs(actual(x) - e) <= units * unit, $"at {x:r}: {actual(x):r} instead of {e:r}");
        }
    }
}
