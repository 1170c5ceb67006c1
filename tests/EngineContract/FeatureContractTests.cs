using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>What an encoder that gives pooled states promises, whatever engine it is on.</summary>
public sealed class FeatureContractTests
{
    [Fact]
    public void CreateFeatures_OfWeightsWithoutAHead_PoolsTheLastOutputTheMaximumAndTheMean()
    {
        using var engine = TestEngine.Create();
        StateDict encoder = Samples.ClassifierWeights(Samples.Classifier).Where(name => name.StartsWith(AwdLstmNames.ClassifierEncoder, StringComparison.Ordinal));
        int[] document = [.. Enumerable.Range(0, 31).Select(i => (i * 13) % 61)];
        int width = Samples.Encoder.EmbeddingSize;
        using IFeatureNetwork network = engine.CreateFeatures(Samples.Classifier, encoder);

        // What is pooled of a beginning of the document has as its last output the output at that place.
        float[][] beginnings = [.. Enumerable.Range(1, document.Length).Select(length => Pooled(document[..length]))];
        float[] pooled = beginnings[^1];
        float[][] counted = [.. beginnings[^Samples.Classifier.MaxLength..].Select(features => features[..width])];
        for (int j = 0; j < width; j++)
        {
            Assert.Equal(counted.Max(output => output[j]), pooled[width + j], TestEngine.RoundingOfAnOutput);
            Assert.Equal(counted.Average(output => (double)output[j]), pooled[(2 * width) + j], 1e-6);
        }

        float[] Pooled(int[] tokens)
        {
            var features = new float[3 * width];
            network.Pool([tokens], features);
            return features;
        }
    }

    [Fact]
    public void Pool_InAnyBatch_GivesADocumentTheSameBits()
    {
        using var engine = TestEngine.Create();
        using IFeatureNetwork network = engine.CreateFeatures(Samples.Classifier, Samples.ClassifierWeights(Samples.Classifier));
        IReadOnlyList<int[]> documents = [.. Samples.Documents(Samples.Classifier, 9, 40, 3).Documents.Reverse()];
        int width = Samples.Classifier.PooledSize;
        var together = new float[documents.Count * width];
        network.Pool(documents, together);
        for (int i = 0; i < documents.Count; i++)
        {
            var alone = new float[width];
            network.Pool([documents[i]], alone);
            Assert.Equal(alone, together[(i * width)..((i + 1) * width)]);
        }
    }

    [Fact]
    public void Features_AskedForWrongly_AreRefused()
    {
        using var engine = TestEngine.Create();
        StateDict weights = Samples.ClassifierWeights(Samples.Classifier);
        var features = ClassifierConfig.Features(Samples.Encoder, 5);
        Assert.Throws<ArgumentException>(() => engine.CreateClassifier(new ClassifierOptions(features, DropoutRates.None), weights));
        Assert.Throws<InvalidDataException>(() => engine.CreateFeatures(features, weights.Where(name => name != "0.module.rnns.1.weight_hh_l0_raw")));

        using IFeatureNetwork network = engine.CreateFeatures(features, weights);
        var room = new float[features.PooledSize];
        Assert.Throws<ArgumentException>(() => network.Pool([[]], room));
        Assert.Throws<ArgumentException>(() => network.Pool([[61]], room));
        Assert.Throws<ArgumentException>(() => network.Pool([[1], [2]], room));
    }
}
