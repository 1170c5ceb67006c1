using Ulmfit.Model;

namespace Ulmfit.Features;

/// <summary>
/// A linear classifier on pooled states: standardised, projected where there is a projection, multinomial logistic
/// regression. Everything in it was fitted to training rows, and everything is kept under <see cref="FeatureNames"/>.
/// </summary>
public sealed class FeatureClassifier
{
    private readonly Standardization standardization;
    private readonly Projection? projection;
    private readonly float[] weight;
    private readonly float[] bias;

    private FeatureClassifier(Standardization standardization, Projection? projection, float[] weight, float[] bias)
    {
        this.standardization = standardization;
        this.projection = projection;
        this.weight = weight;
        this.bias = bias;
    }

    /// <summary>Width of the pooled states.</summary>
    public int Features => standardization.Mean.Length;

    /// <summary>What the linear layer reads: components of the projection, or all features.</summary>
    public int Components => projection?.Components ?? Features;

    /// <summary>Number of classes.</summary>
    public int Classes => bias.Length;

    /// <summary>The classifier that a state holds.</summary>
    /// <param name="state">Tensors under <see cref="FeatureNames"/>; others are ignored.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, or its shape does not fit the others.</exception>
    public static FeatureClassifier Of(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!state.TryGet(FeatureNames.Mean, out Tensor? mean) || !state.TryGet(FeatureNames.Bias, out Tensor? bias))
        {
            throw new InvalidDataException($"The weights are not those of a classifier of features: '{FeatureNames.Mean}' or '{FeatureNames.Bias}' is missing.");
        }

        int features = mean.Data.Length, classes = bias.Data.Length, components = features;
        Projection? projection = null;
        if (state.TryGet(FeatureNames.Projection, out Tensor? directions))
        {
            components = directions.Shape[0];
            projection = new Projection(components, features, state.Require(FeatureNames.Projection, components, features).Data);
        }

        var standardization = new Standardization(state.Require(FeatureNames.Mean, features).Data, state.Require(FeatureNames.Deviation, features).Data);
        return new FeatureClassifier(standardization, projection, state.Require(FeatureNames.Weight, classes, components).Data, state.Require(FeatureNames.Bias, classes).Data);
    }

    /// <summary>Fits a classifier to training rows.</summary>
    /// <param name="features">Their pooled states; the matrix is used up.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="settings">Reduction.</param>
    /// <param name="options">Penalty and weights of the regression.</param>
    /// <returns>The classifier, and what its linear layer reads of the rows.</returns>
    /// <exception cref="InvalidDataException">A feature is not finite, or the regression did not converge.</exception>
    internal static (FeatureClassifier Classifier, FeatureMatrix Reduced) Fit(FeatureMatrix features, IReadOnlyList<int> labels, int classes, FeatureSettings settings, LogisticRegressionOptions options)
    {
        for (int row = 0; row < features.Rows; row++)
        {
            foreach (float value in features.Row(row))
            {
                if (!float.IsFinite(value))
                {
                    throw new InvalidDataException($"The encoder gives document {row + 1} of the training rows the feature {value}: its training diverged.");
                }
            }
        }

        // Each part is fitted to what the parts before it give in single precision, as they do when the model is served.
        var standardization = Standardization.Fit(features);
        standardization.Apply(features);
        Projection? projection = ProjectionOf(features, labels, classes, settings);
        FeatureMatrix reduced = projection?.Apply(features) ?? features;
        var regression = LogisticRegression.Fit(reduced, labels, classes, options);
        var classifier = new FeatureClassifier(standardization, projection, [.. regression.Weights.Select(value => (float)value)], [.. regression.Bias.Select(value => (float)value)]);
        return (classifier, reduced);
    }

    /// <summary>Adds the fitted tensors to a state.</summary>
    public void Save(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state[FeatureNames.Mean] = new Tensor([Features], standardization.Mean);
        state[FeatureNames.Deviation] = new Tensor([Features], standardization.Deviation);
        if (projection is not null)
        {
            state[FeatureNames.Projection] = new Tensor([Components, Features], projection.Weights);
        }

        state[FeatureNames.Weight] = new Tensor([Classes, Components], weight);
        state[FeatureNames.Bias] = new Tensor([Classes], bias);
    }

    /// <summary>Class probabilities of pooled states.</summary>
    /// <param name="pooled">Pooled states <c>[documents, features]</c>.</param>
    /// <param name="probabilities">Filled with <c>[documents, classes]</c>; a document's bits do not depend on the others.</param>
    /// <exception cref="ArgumentException">The two do not hold the same number of documents.</exception>
    public void Predict(ReadOnlySpan<float> pooled, Span<float> probabilities)
    {
        int documents = probabilities.Length / Classes;
        if (probabilities.Length != documents * Classes || pooled.Length != (long)documents * Features)
        {
            throw new ArgumentException($"{pooled.Length} features, {Features} a document, do not go with {probabilities.Length} probabilities of {Classes} classes.", nameof(probabilities));
        }

        float[] row = new float[Features], reduced = projection is null ? row : new float[Components];
        for (int document = 0; document < documents; document++)
        {
            pooled.Slice(document * Features, Features).CopyTo(row);
            standardization.Apply(row);
            projection?.Apply(row, reduced);
            Classify(reduced, probabilities.Slice(document * Classes, Classes));
        }
    }

    /// <summary>Class probabilities <c>[classes]</c> of what the linear layer reads of a document.</summary>
    internal void Classify(ReadOnlySpan<float> x, Span<float> probabilities)
    {
        var logits = new double[Classes];
        double greatest = double.NegativeInfinity, sum = 0;
        for (int c = 0; c < logits.Length; c++)
        {
            ReadOnlySpan<float> weights = weight.AsSpan(c * x.Length, x.Length);
            double logit = 0;
            for (int j = 0; j < weights.Length; j++)
            {
                logit += (double)weights[j] * x[j];
            }

            logits[c] = logit + bias[c];
            greatest = Math.Max(greatest, logits[c]);
        }

        for (int c = 0; c < logits.Length; c++)
        {
            logits[c] = PortableExponential.Of(logits[c] - greatest);
            sum += logits[c];
        }

        for (int c = 0; c < logits.Length; c++)
        {
            probabilities[c] = (float)(logits[c] / sum);
        }
    }

    private static Projection? ProjectionOf(FeatureMatrix features, IReadOnlyList<int> labels, int classes, FeatureSettings settings)
    {
        switch (settings.Reduction)
        {
            case FeatureReduction.Pca:
                var principal = PrincipalComponents.Of(features);
                return principal.First(settings.Components ?? principal.CountFor(settings.ExplainedVariance));
            case FeatureReduction.Lda:
                // Where no direction separates the classes, the first principal one stands in for none.
                var discriminants = LinearDiscriminants.Of(features, labels, classes, settings.Shrinkage);
                return discriminants.Ratios.Length > 0 ? discriminants.First(settings.Components ?? discriminants.Ratios.Length) : PrincipalComponents.Of(features).First(1);
            default:
                return null;
        }
    }
}
