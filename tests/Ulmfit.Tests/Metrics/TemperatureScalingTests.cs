using FsCheck;
using FsCheck.Fluent;
using Ulmfit.Metrics;

namespace Ulmfit.Tests.Metrics;

public sealed class TemperatureScalingTests
{
    private const int Classes = 5;

    private static readonly Gen<float[]> Row =
        Gen.Choose(1, 1000).ArrayOf(Classes).Select(weights => weights.Select(weight => (float)Math.Pow(weight / 1000.0, 6)).ToArray()).Select(Normalized);

    [Theory]
    [InlineData(0.5)]
    [InlineData(1.0)]
    [InlineData(1.7)]
    [InlineData(4.0)]
    public void Fit_LogitsThatAreTemperatureTimesTooLarge_FindsIt(double temperature)
    {
        (int[] expected, float[] said) = Drawn(20_000, temperature);

        double fitted = TemperatureScaling.Fit(Classes, expected, said);

        Assert.Equal(1, fitted / temperature, 0.03);
    }

    // Each distribution stands once a draw, so that the labels' frequencies are the probabilities themselves: nothing is left to chance.
    [Theory]
    [InlineData(0.7)]
    [InlineData(1.0)]
    [InlineData(2.5)]
    public void Fit_LabelsExactlyAsOftenAsTheProbabilitiesSay_FindsTheTemperatureToItsDigits(double temperature)
    {
        var expected = new List<int>();
        var said = new List<float>();
        foreach (int[] counts in (int[][])[[600, 300, 100], [900, 60, 40], [340, 330, 330]])
        {
            double[] raised = [.. counts.Select(count => Math.Pow(count, temperature))];
            for (int c = 0; c < counts.Length; c++)
            {
                for (int i = 0; i < counts[c] * 20; i++)
                {
                    expected.Add(c);
                    said.AddRange(raised.Select(weight => (float)(weight / raised.Sum())));
                }
            }
        }

        Assert.Equal(temperature, TemperatureScaling.Fit(3, [.. expected], [.. said]), 1e-3);
    }

    [Fact]
    public void Fit_AnyRows_IsNoWorseThanNoTemperatureAndItsSlopeIsNone() =>
        Prop.ForAll(
            Row.Zip(Gen.Choose(0, Classes - 1)).ArrayOf().Where(rows => rows.Length > 0).ToArbitrary(),
            rows =>
            {
                int[] expected = [.. rows.Select(row => row.Item2)];
                float[] said = [.. rows.SelectMany(row => row.Item1)];

                double fitted = TemperatureScaling.Fit(Classes, expected, said);

                TemperatureLoss at = TemperatureScaling.LossAt(Classes, expected, said, 1 / fitted), without = TemperatureScaling.LossAt(Classes, expected, said, 1);
                bool within = fitted is > TemperatureScaling.Lowest and < TemperatureScaling.Highest and not TemperatureScaling.None;
                return TemperatureScaling.IsValid(fitted) && at.OfRows <= without.OfRows

                    // The slope that rounding to four digits may leave.
                    && (!within || Math.Abs(at.Slope) <= (at.Curvature * 2e-3 / fitted) + 1e-9);
            }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0.3)]
    [InlineData(1.0)]
    [InlineData(3.0)]
    public void LossAt_Derivatives_AreThoseOfFiniteDifferences(double beta)
    {
        (int[] expected, float[] said) = Drawn(200, 1.5);
        const double Step = 1e-4;

        TemperatureLoss at = TemperatureScaling.LossAt(Classes, expected, said, beta);

        TemperatureLoss above = TemperatureScaling.LossAt(Classes, expected, said, beta + Step), below = TemperatureScaling.LossAt(Classes, expected, said, beta - Step);
        Assert.Equal((above.Total - below.Total) / (2 * Step), at.Slope, 1e-6);
        Assert.Equal((above.Slope - below.Slope) / (2 * Step), at.Curvature, 1e-6);
    }

    [Fact]
    public void LossAt_OfRows_IsTheLogarithmicLossOfScaledProbabilities()
    {
        (int[] expected, float[] said) = Drawn(300, 2);
        float[] scaled = [.. said];
        for (int row = 0; row < expected.Length; row++)
        {
            TemperatureScaling.Apply(scaled.AsSpan(row * Classes, Classes), 2.5);
        }

        double loss = ClassificationMetrics.FromProbabilities([.. Enumerable.Range(0, Classes).Select(c => $"{c}")], expected, scaled).LogLoss!.Value;

        Assert.Equal(loss, TemperatureScaling.LossAt(Classes, expected, said, 1 / 2.5).OfRows, 1e-6);
    }

    // Ten rows that all are right prove little: the answers become surer, not certain.
    [Fact]
    public void Fit_FewRowsThatAllAreRight_StaysModest()
    {
        int[] expected = [.. Enumerable.Repeat(0, 10)];
        float[] said = [.. expected.SelectMany(_ => new[] { 0.8f, 0.2f })];

        double fitted = TemperatureScaling.Fit(2, expected, said);
        TemperatureScaling.Apply(said.AsSpan(0, 2), fitted);

        // Ten rows that say 1 and ten that say 0.8.
        Assert.Equal(0.9, said[0], 0.001);
    }

    [Fact]
    public void Fit_NoRows_ChangesNothing() => Assert.Equal(TemperatureScaling.None, TemperatureScaling.Fit(3, [], []));

    [Fact]
    public void Fit_OtherSizesOrClasses_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => TemperatureScaling.Fit(2, [0], [1f]));
        Assert.Throws<ArgumentException>(() => TemperatureScaling.Fit(2, [2], [.5f, .5f]));
    }

    [Fact]
    public void Apply_AnyTemperature_KeepsTheBestAndTheOrderAndTheSum() =>
        Prop.ForAll(
            Row.Zip(Gen.Choose(1, 100)).ToArbitrary(),
            given =>
            {
                (float[] row, int tenths) = given;
                float[] scaled = [.. row];
                TemperatureScaling.Apply(scaled, tenths / 10.0);
                int[] order = [.. Enumerable.Range(0, Classes).OrderBy(c => row[c])];
                return Array.IndexOf(scaled, scaled.Max()) == Array.IndexOf(row, row.Max())
                    && order.Zip(order.Skip(1)).All(pair => scaled[pair.First] <= scaled[pair.Second] || row[pair.First] == row[pair.Second])
                    && Math.Abs(scaled.Sum(probability => (double)probability) - 1) < 1e-5;
            }).QuickCheckThrowOnFailure();

    // A hot temperature rounds the difference of one bit away; the first of the greatest stays it.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Apply_BestByOneBit_StaysTheBest(int best)
    {
        float[] row = [0.3f, 0.3f, 0.3f, 0.1f];
        row[best] = MathF.BitIncrement(row[best]);

        TemperatureScaling.Apply(row, TemperatureScaling.Highest);

        Assert.Equal(best, Array.IndexOf(row, row.Max()));
    }

    [Fact]
    public void Apply_NoTemperature_KeepsEveryBit()
    {
        float[] row = [0.1f, 0.7f, 0.2f, MathF.BitIncrement(0f)], before = [.. row];
        TemperatureScaling.Apply(row, TemperatureScaling.None);
        Assert.Equal(before, row);
    }

    [Fact]
    public void Apply_Temperature_IsSoftmaxOfTheLogarithmsOverIt()
    {
        float[] row = [0.5f, 0.3f, 0.2f, 0f];
        TemperatureScaling.Apply(row, 2);

        double sum = Math.Sqrt(0.5) + Math.Sqrt(0.3) + Math.Sqrt(0.2);
        Assert.Equal([Math.Sqrt(0.5) / sum, Math.Sqrt(0.3) / sum, Math.Sqrt(0.2) / sum, 0], row.Select(p => (double)p), (a, b) => Math.Abs(a - b) < 1e-7);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(11)]
    public void Apply_NoTemperatureAtAll_IsRefused(double temperature) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TemperatureScaling.Apply([1f], temperature));

    /// <summary>Labels drawn from known distributions, and those distributions as a model says that multiplies its logits.</summary>
    internal static (int[] Expected, float[] Said) Drawn(int rows, double temperature, int seed = 7)
    {
        var random = new Random(seed);
        int[] expected = new int[rows];
        float[] said = new float[rows * Classes];
        for (int row = 0; row < rows; row++)
        {
            double[] logits = [.. Enumerable.Range(0, Classes).Select(_ => 4 * random.NextDouble())];
            double[] truth = Softmax(logits, 1), model = Softmax(logits, temperature);
            double at = random.NextDouble();
            while (expected[row] < Classes - 1 && at >= truth[expected[row]])
            {
                at -= truth[expected[row]++];
            }

            for (int c = 0; c < Classes; c++)
            {
                said[(row * Classes) + c] = (float)model[c];
            }
        }

        return (expected, said);
    }

    private static double[] Softmax(double[] logits, double scale)
    {
        double[] weights = [.. logits.Select(logit => Math.Exp(scale * logit))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    private static float[] Normalized(float[] weights) => [.. weights.Select(weight => weight / weights.Sum())];
}
