namespace Ulmfit.Features;

/// <summary>Linear combinations of features, fewer than these.</summary>
/// <param name="Components">How many.</param>
/// <param name="Features">Features that each is made of.</param>
/// <param name="Weights">Weights of the features in each component <c>[components, features]</c>.</param>
internal sealed record Projection(int Components, int Features, float[] Weights)
{
    /// <summary>The first <paramref name="components"/> rows of a matrix of directions <c>[any, features]</c>, in single precision.</summary>
    public static Projection Of(double[] directions, int components, int features) =>
        new(components, features, [.. directions.Take(components * features).Select(value => (float)value)]);

    /// <summary>Projects a row; sums are in double precision and in the order of the features.</summary>
    public void Apply(ReadOnlySpan<float> row, Span<float> projected)
    {
        for (int component = 0; component < Components; component++)
        {
            ReadOnlySpan<float> weights = Weights.AsSpan(component * Features, Features);
            double sum = 0;
            for (int j = 0; j < weights.Length; j++)
            {
                sum += (double)weights[j] * row[j];
            }

            projected[component] = (float)sum;
        }
    }

    /// <summary>Projects every row.</summary>
    public FeatureMatrix Apply(FeatureMatrix features)
    {
        var projected = new FeatureMatrix(features.Rows, Components);
        Parallel.For(0, features.Rows, row => Apply(features.Row(row), projected.Row(row)));
        return projected;
    }
}
