using Ulmfit.Features;

namespace Ulmfit.Tests.Features;

public sealed class LogisticRegressionTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fit_GoldenRows_AgreesWithNewtonInNumpy(int index)
    {
        var golden = FeatureGolden.Load();
        LogisticGolden expected = golden.Logistic[index];
        var options = new LogisticRegressionOptions(expected.L2) { ClassWeights = [.. expected.ClassWeights.Select(weight => (float)weight)], LabelSmoothing = expected.Smoothing, Tolerance = 1e-10 };

        var fitted = LogisticRegression.Fit(golden.Matrix(), golden.Labels, golden.Classes, options);

        Assert.Equal(expected.Objective, fitted.Objective, 1e-12);
        Assert.All(expected.Weights.Zip(fitted.Weights), pair => Assert.Equal(pair.First, pair.Second, 1e-7));
        Assert.All(expected.Bias.Zip(fitted.Bias), pair => Assert.Equal(pair.First, pair.Second, 1e-7));
    }

    [Fact]
    public void Fit_AnyRows_EndsWhereTheGradientVanishes()
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(501, 30, 5);
        var options = new LogisticRegressionOptions(1e-3);
        var fitted = LogisticRegression.Fit(features, labels, 5, options);

        var gradient = new double[5 * 31];
        double value = new LogisticObjective(features, labels, 5, options).Evaluate([.. fitted.Weights, .. fitted.Bias], gradient);

        Assert.Equal(fitted.Objective, value);
        Assert.InRange(Math.Sqrt(gradient.Sum(g => g * g)), 0, options.Tolerance);
        Assert.Equal(fitted.GradientNorm, Math.Sqrt(gradient.Sum(g => g * g)), 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void Objective_AnyPoint_HasTheGradientOfItsFiniteDifferences(double smoothing)
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(43, 7, 3);
        var objective = new LogisticObjective(features, labels, 3, new LogisticRegressionOptions(0.05) { ClassWeights = [1f, 3f, 0.5f], LabelSmoothing = smoothing });
        double[] point = [.. Enumerable.Range(0, objective.Size).Select(i => ((i * 7 % 11) - 5) / 20.0)], gradient = new double[objective.Size], unused = new double[objective.Size];
        objective.Evaluate(point, gradient);

        for (int i = 0; i < point.Length; i++)
        {
            const double Step = 1e-5;
            double[] up = [.. point], down = [.. point];
            up[i] += Step;
            down[i] -= Step;
            Assert.Equal((objective.Evaluate(up, unused) - objective.Evaluate(down, unused)) / (2 * Step), gradient[i], 1e-8);
        }
    }

    [Fact]
    public void Fit_RowsInAnotherOrder_GivesTheSameUpToRounding()
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(301, 20, 4);
        int[] order = [.. Enumerable.Range(0, 301).OrderBy(row => row * 7919 % 301)];
        var options = new LogisticRegressionOptions(0.01) { Tolerance = 1e-10 };

        var one = LogisticRegression.Fit(features, labels, 4, options);
        var other = LogisticRegression.Fit(Made.Copy(features, order), [.. order.Select(row => labels[row])], 4, options);

        Assert.All(one.Weights.Zip(other.Weights), pair => Assert.Equal(pair.First, pair.Second, 1e-7));
    }

    [Fact]
    public void Fit_FeaturesBeyondMeasure_SaysThatItDidNotConverge()
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(60, 5, 3);
        for (int i = 0; i < features.Data.Length; i++)
        {
            features.Data[i] *= 1e30f;
        }

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => LogisticRegression.Fit(features, labels, 3, new LogisticRegressionOptions(1e-6)));
        Assert.Contains("features.l2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PortableExponential_AnyArgument_IsTheExponential()
    {
        for (double x = -700; x < 700; x += 0.37)
        {
            Assert.Equal(Math.Exp(x), PortableExponential.Of(x), Math.Exp(x) * 4e-16);
        }

        Assert.Equal(1, PortableExponential.Of(0));
        Assert.InRange(PortableExponential.Of(-1e9), 0, 1e-300);
    }
}
