using System.Text.Json;
using Ulmfit.Features;

namespace Ulmfit.Tests.Features;

/// <summary>What numpy found (see <c>Golden/make_features.py</c>).</summary>
internal sealed record FeatureGolden(
    int Rows, int Features, int Classes, double[] X, int[] Labels, double[] Variances, double Shrinkage, double[] Ratios, double[] Within, double[] Between, LogisticGolden[] Logistic)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static FeatureGolden Load() =>
        JsonSerializer.Deserialize<FeatureGolden>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Features", "Golden", "features.json")), Json)!;

    public FeatureMatrix Matrix() => Made.Matrix(Rows, Features, X);
}

internal sealed record LogisticGolden(double L2, double[] ClassWeights, double Smoothing, double Objective, double[] Weights, double[] Bias, double[] Probabilities);
