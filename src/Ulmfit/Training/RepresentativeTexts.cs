using Ulmfit.Engine;
using Ulmfit.Features;
using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>
/// Which of many texts are worth a label first, when none has one yet: those that stand for the others. A pretrained language
/// model reads all of them, its mean states fall into as many clusters as there shall be labels (k-means), and the text in the
/// middle of each cluster is chosen. It goes by what the texts say alone; no label is looked at.
/// </summary>
public sealed class RepresentativeTexts
{
    private const int TextsAtATime = 1024;

    private readonly FeatureMatrix states;

    private RepresentativeTexts(FeatureMatrix states) => this.states = states;

    /// <summary>How many texts there are.</summary>
    public int Count => states.Rows;

    /// <summary>Reads texts with the forward model; unknown words are read as such.</summary>
    /// <param name="engine">What computes.</param>
    /// <param name="pretrained">The language model.</param>
    /// <param name="texts">The texts, one at least.</param>
    /// <param name="cancellationToken">Checked after every so many texts.</param>
    /// <exception cref="ArgumentException">There is no text.</exception>
    public static RepresentativeTexts Read(ITrainingEngine engine, PretrainedModel pretrained, IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(pretrained);
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Count == 0)
        {
            throw new ArgumentException("There is no text to choose from.", nameof(texts));
        }

        int[][] documents = new TokenizedTexts(texts, counted: 0).Encode(pretrained.Vocabulary);
        int width = pretrained.Config.OutputSize;
        var states = new FeatureMatrix(documents.Length, width);
        using IFeatureNetwork network = engine.CreateFeatures(ClassifierConfig.Features(pretrained.Config, classes: 2), AwdLstmNames.EncoderForClassifier(pretrained.Forward));
        var pooled = new float[Math.Min(documents.Length, TextsAtATime) * 3 * width];
        for (int first = 0; first < documents.Length; first += TextsAtATime)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int[][] some = documents[first..Math.Min(documents.Length, first + TextsAtATime)];
            network.Pool(some, pooled.AsSpan(0, some.Length * 3 * width));
            for (int i = 0; i < some.Length; i++)
            {
                // The last state, the maximum and the mean: the mean tells best what a text is about.
                pooled.AsSpan(((i * 3) + 2) * width, width).CopyTo(states.Row(first + i));
            }
        }

        Standardization.Fit(states).Apply(states);
        for (int row = 0; row < states.Rows; row++)
        {
            ToUnitLength(states.Row(row));
        }

        return new RepresentativeTexts(states);
    }

    /// <summary>Chooses texts, one of each cluster: that of the largest cluster, which stands for the most texts, comes first.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Draws where the clusters begin: another seed chooses others.</param>
    /// <returns>Indices of the texts.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many texts.</exception>
    public IReadOnlyList<int> Choose(int count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);

        // Before the first stage: no training of that seed draws there.
        var clusters = KMeans.Fit(states, count, new RandomKey(seed, Stage: -1, 0, 0));
        int[] middles = [.. Enumerable.Range(0, Count)
            .GroupBy(row => clusters.ClusterOf[row])
            .OrderByDescending(rows => rows.Count()).ThenBy(rows => rows.Key)
            .Select(rows => rows.MinBy(row => clusters.Distances[row]))];

        // Where texts are alike there are fewer clusters: the rest are those that are least like the chosen ones.
        var chosen = middles.ToHashSet();
        return [.. middles, .. Enumerable.Range(0, Count).Where(row => !chosen.Contains(row)).OrderByDescending(row => clusters.Distances[row]).Take(count - middles.Length)];
    }

    private static void ToUnitLength(Span<float> row)
    {
        double square = 0;
        foreach (float value in row)
        {
            square += (double)value * value;
        }

        float length = square > 0 ? (float)Math.Sqrt(square) : 1f;
        for (int j = 0; j < row.Length; j++)
        {
            row[j] /= length;
        }
    }
}
