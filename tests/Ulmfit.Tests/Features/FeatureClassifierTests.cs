using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Tests.Features;

public sealed class FeatureClassifierTests
{
    private static readonly (FeatureMatrix Features, int[] Labels) Rows = Made.Classes(240, 24, 4);

    private static readonly LogisticRegressionOptions Options = new(0.01) { Tolerance = 1e-9 };

    [Fact]
    public void Standardization_RowsItWasFittedTo_HaveMeanZeroAndDeviationOne()
    {
        FeatureMatrix features = Made.Copy(Rows.Features);
        Standardization.Fit(features).Apply(features);

        for (int j = 0; j < features.Columns; j++)
        {
            double[] column = [.. Enumerable.Range(0, features.Rows).Select(row => (double)features.Row(row)[j])];
            Assert.Equal(0, column.Average(), 1e-6);
            Assert.Equal(1, Math.Sqrt(column.Average(value => value * value)), 1e-5);
        }
    }

    [Fact]
    public void Standardization_AFeatureThatDoesNotVary_IsNotDividedByNothing()
    {
        FeatureMatrix features = Made.Matrix(3, 2, [0.1, 5, 0.1, 6, 0.1, 7]);
        var fitted = Standardization.Fit(features);
        fitted.Apply(features);

        Assert.Equal(1f, fitted.Deviation[0]);
        Assert.Equal([0f, 0f, 0f], [features.Row(0)[0], features.Row(1)[0], features.Row(2)[0]]);
    }

    [Theory]
    [InlineData(FeatureReduction.None)]
    [InlineData(FeatureReduction.Pca)]
    [InlineData(FeatureReduction.Lda)]
    public void Fit_SeparableClasses_ClassifiesTheRows(FeatureReduction reduction)
    {
        FeatureClassifier classifier = Fit(new FeatureSettings { Reduction = reduction });
        float[] probabilities = Predict(classifier, Rows.Features);

        Assert.True(Accuracy(probabilities) > 0.9, $"The accuracy is {Accuracy(probabilities)}.");
        Assert.Equal(reduction switch { FeatureReduction.None => 24, FeatureReduction.Lda => 3, _ => classifier.Components }, classifier.Components);
        Assert.All(probabilities.Chunk(4), row => Assert.Equal(1, row.Sum(value => (double)value), 1e-6));
    }

    // ℓ2 does not see a rotation, and all principal components are one.
    [Fact]
    public void Fit_AllPrincipalComponents_AnswersAsWithoutReduction()
    {
        float[] none = Predict(Fit(new FeatureSettings()), Rows.Features);
        float[] all = Predict(Fit(new FeatureSettings { Reduction = FeatureReduction.Pca, Components = 24 }), Rows.Features);

        Assert.All(none.Zip(all), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Theory]
    [InlineData(FeatureReduction.Pca, 5, 5)]
    [InlineData(FeatureReduction.Lda, 2, 2)]
    [InlineData(FeatureReduction.Lda, 20, 3)]
    public void Fit_Components_AreAsManyAsAskedForWhereThereAreSoMany(FeatureReduction reduction, int asked, int given) =>
        Assert.Equal(given, Fit(new FeatureSettings { Reduction = reduction, Components = asked }).Components);

    [Fact]
    public void Fit_ExplainedVariance_DecidesHowManyPrincipalComponents()
    {
        int few = Fit(new FeatureSettings { Reduction = FeatureReduction.Pca, ExplainedVariance = 0.5 }).Components;
        int many = Fit(new FeatureSettings { Reduction = FeatureReduction.Pca, ExplainedVariance = 0.99 }).Components;

        Assert.True(1 <= few && few < many && many <= 24, $"{few} and {many} components.");
    }

    [Theory]
    [InlineData(FeatureReduction.None)]
    [InlineData(FeatureReduction.Pca)]
    [InlineData(FeatureReduction.Lda)]
    public void Fit_RowsInAnotherOrder_AnswersTheSameUpToRounding(FeatureReduction reduction)
    {
        int[] order = [.. Enumerable.Range(0, 240).OrderBy(row => row * 7919 % 241)];
        var settings = new FeatureSettings { Reduction = reduction };
        var shuffled = FeatureClassifier.Fit(Made.Copy(Rows.Features, order), [.. order.Select(row => Rows.Labels[row])], 4, settings, Options).Classifier;

        Assert.All(Predict(Fit(settings), Rows.Features).Zip(Predict(shuffled, Rows.Features)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Theory]
    [InlineData(FeatureReduction.None)]
    [InlineData(FeatureReduction.Pca)]
    [InlineData(FeatureReduction.Lda)]
    public void Fit_Twice_GivesTheSameBits(FeatureReduction reduction)
    {
        var settings = new FeatureSettings { Reduction = reduction };
        StateDict one = Saved(Fit(settings));
        StateDict other = Saved(Fit(settings));

        Assert.Equal(one.Names, other.Names);
        Assert.All(one, tensor => Assert.Equal(tensor.Value.Data, other[tensor.Key].Data));
    }

    [Theory]
    [InlineData(FeatureReduction.None)]
    [InlineData(FeatureReduction.Lda)]
    public void Of_WhatWasSaved_AnswersWithTheSameBits(FeatureReduction reduction)
    {
        FeatureClassifier classifier = Fit(new FeatureSettings { Reduction = reduction });
        var read = FeatureClassifier.Of(Saved(classifier));

        Assert.Equal(Predict(classifier, Rows.Features), Predict(read, Rows.Features));
    }

    [Fact]
    public void Of_AMissingTensor_NamesIt()
    {
        StateDict saved = Saved(Fit(new FeatureSettings())).Where(name => name != FeatureNames.Deviation);

        Assert.Contains(FeatureNames.Deviation, Assert.Throws<InvalidDataException>(() => FeatureClassifier.Of(saved)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_ARowAlone_HasTheBitsThatItHasAmongOthers()
    {
        FeatureClassifier classifier = Fit(new FeatureSettings { Reduction = FeatureReduction.Pca });
        float[] all = Predict(classifier, Rows.Features);
        var alone = new float[4];
        classifier.Predict(Rows.Features.Row(17), alone);

        Assert.Equal(all[68..72], alone);
    }

    [Fact]
    public void Fit_AFeatureThatIsNotFinite_NamesTheDocument()
    {
        FeatureMatrix features = Made.Copy(Rows.Features);
        features.Row(6)[3] = float.NaN;

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => FeatureClassifier.Fit(features, Rows.Labels, 4, new FeatureSettings(), Options));
        Assert.Contains("document 7", error.Message, StringComparison.Ordinal);
    }

    // Its probability must vanish, and the fit must end all the same.
    [Fact]
    public void Fit_AClassWithoutRows_GivesItNoProbability()
    {
        FeatureClassifier classifier = FeatureClassifier.Fit(Made.Copy(Rows.Features), Rows.Labels, 5, new FeatureSettings(), Options).Classifier;
        var probabilities = new float[5];
        classifier.Predict(Rows.Features.Row(0), probabilities);

        Assert.InRange(probabilities[4], 0, 1e-6);
    }

    private static FeatureClassifier Fit(FeatureSettings settings) => FeatureClassifier.Fit(Made.Copy(Rows.Features), Rows.Labels, 4, settings, Options).Classifier;

    private static StateDict Saved(FeatureClassifier classifier)
    {
        var state = new StateDict();
        classifier.Save(state);
        return state;
    }

    private static float[] Predict(FeatureClassifier classifier, FeatureMatrix features)
    {
        var probabilities = new float[features.Rows * 4];
        classifier.Predict(features.Data, probabilities);
        return probabilities;
    }

    private static double Accuracy(float[] probabilities) => probabilities.Chunk(4).Select((row, i) => Array.IndexOf(row, row.Max()) == Rows.Labels[i] ? 1.0 : 0.0).Average();
}
