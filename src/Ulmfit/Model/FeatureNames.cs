namespace Ulmfit.Model;

/// <summary>
/// Names of what is fitted to an encoder's pooled states: they are standardised, <c>(x − mean) / deviation</c>, projected
/// where there is a projection, and classified by a linear layer with a bias. Beside them lies the encoder, as in any classifier.
/// </summary>
public static class FeatureNames
{
    /// <summary>Mean of each feature over the training rows: <c>[3·embedding]</c>, in the order last, max, mean.</summary>
    public const string Mean = "1.features.mean";

    /// <summary>Deviation of each feature over the training rows: <c>[3·embedding]</c>.</summary>
    public const string Deviation = "1.features.deviation";

    /// <summary>The projection, where there is one: <c>[components, 3·embedding]</c>.</summary>
    public const string Projection = "1.features.projection";

    /// <summary>Weights of the linear layer: <c>[classes, components or 3·embedding]</c>.</summary>
    public const string Weight = "1.features.weight";

    /// <summary>Bias of the linear layer: <c>[classes]</c>.</summary>
    public const string Bias = "1.features.bias";
}
