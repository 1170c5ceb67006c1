using System.Text.Json.Serialization;

namespace Ulmfit.Features;

/// <summary>How features are made fewer before they are classified.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FeatureReduction>))]
public enum FeatureReduction
{
    /// <summary>Not at all.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Principal component analysis: the directions in which the training rows vary most.</summary>
    [JsonStringEnumMemberName("pca")]
    Pca,

    /// <summary>Linear discriminant analysis: the directions that separate the classes of the training rows best.</summary>
    [JsonStringEnumMemberName("lda")]
    Lda,
}

/// <summary>Settings of the method <c>features</c>: a linear classifier on the pooled states of an encoder that is not trained with it.</summary>
public sealed record FeatureSettings
{
    /// <summary>How features are made fewer.</summary>
    public FeatureReduction Reduction { get; init; } = FeatureReduction.None;

    /// <summary>
    /// To how many; fewer where the training rows vary in fewer directions (of LDA, at most the classes less one). When
    /// absent as many as <see cref="ExplainedVariance"/> asks for, and with LDA all.
    /// </summary>
    public int? Components { get; init; }

    /// <summary>Of PCA without <see cref="Components"/>: the share of the total variance that the components explain together, in (0, 1].</summary>
    public double ExplainedVariance { get; init; } = 0.95;

    /// <summary>
    /// Of LDA: how far the covariance within classes is shrunk towards a multiple of the identity, in [0.000001, 1]; when
    /// absent as far as Ledoit and Wolf's estimate says.
    /// </summary>
    public double? Shrinkage { get; init; }

    /// <summary>λ of the linear classifier: the penalty λ/2·‖W‖² beside the mean cross-entropy over rows of standardised features.</summary>
    public double L2 { get; init; } = 0.01;

    internal void Check(Action<bool, string, string> check)
    {
        check(Components is null or (>= 1 and <= 100_000), "features.components", "must lie in [1, 100000]");
        check(Components is null || Reduction != FeatureReduction.None, "features.components", "is for the reductions \"pca\" and \"lda\"");
        check(ExplainedVariance is > 0 and <= 1, "features.explainedVariance", "must lie in (0, 1]");
        check(Shrinkage is null or (>= LinearDiscriminants.LeastShrinkage and <= 1), "features.shrinkage", "must lie in [0.000001, 1]");
        check(Shrinkage is null || Reduction == FeatureReduction.Lda, "features.shrinkage", "is for the reduction \"lda\"");
        check(L2 is >= 1e-6 and <= 1e6, "features.l2", "must lie in [0.000001, 1000000]");
    }
}
