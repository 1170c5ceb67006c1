namespace Ulmfit.Text;

/// <summary>
/// Carries what a model knows of its words over to another vocabulary, as fastai's <c>match_embeds</c> does: a word that
/// both have keeps its row, a new one begins with the mean of all old rows.
/// </summary>
public sealed class VocabularyTransfer
{
    private readonly int sourceCount;

    /// <summary>Matches two vocabularies by their tokens.</summary>
    public VocabularyTransfer(Vocabulary source, Vocabulary target)
        : this((source ?? throw new ArgumentNullException(nameof(source))).Tokens, target)
    {
    }

    /// <summary>Matches a list of tokens in any order, as other tools save them, to a vocabulary.</summary>
    /// <param name="sourceTokens">The old tokens, by row. Of a token that occurs twice the first row counts.</param>
    /// <param name="target">The new vocabulary.</param>
    public VocabularyTransfer(IReadOnlyList<string> sourceTokens, Vocabulary target)
    {
        ArgumentNullException.ThrowIfNull(sourceTokens);
        ArgumentNullException.ThrowIfNull(target);
        sourceCount = sourceTokens.Count;
        var rows = new Dictionary<string, int>(sourceTokens.Count, StringComparer.Ordinal);
        for (int row = 0; row < sourceTokens.Count; row++)
        {
            if (sourceTokens[row] != SpecialTokens.Filler)
            {
                rows.TryAdd(sourceTokens[row], row);
            }
        }

        SourceRow = new int[target.Count];
        for (int id = 0; id < SourceRow.Length; id++)
        {
            SourceRow[id] = rows.TryGetValue(target.Tokens[id], out int row) ? row : -1;
        }
    }

    /// <summary>For each new id the old row, −1 for a new word.</summary>
    public int[] SourceRow { get; }

    /// <summary>How many of the new vocabulary's tokens the old one has.</summary>
    public int KnownCount => SourceRow.Count(row => row >= 0);

    /// <summary>
    /// The new rows of an embedding (or, with width 1, of a decoder's bias). The mean is taken in double precision, row after
    /// row, so that it has the same bits on every machine.
    /// </summary>
    /// <param name="oldRows">[old tokens, width].</param>
    /// <param name="width">Values per token.</param>
    /// <returns>[new tokens, width].</returns>
    /// <exception cref="ArgumentException">The length of the rows does not fit the old vocabulary.</exception>
    public float[] TransferRows(ReadOnlySpan<float> oldRows, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (oldRows.Length != (long)sourceCount * width)
        {
            throw new ArgumentException(
                $"{sourceCount} rows of {width} values were expected, {oldRows.Length} values were given.", nameof(oldRows));
        }

        float[] mean = MeanRow(oldRows, width);
        var rows = new float[checked(SourceRow.Length * width)];
        for (int id = 0; id < SourceRow.Length; id++)
        {
            int source = SourceRow[id];
            ReadOnlySpan<float> row = source >= 0 ? oldRows.Slice(source * width, width) : mean;
            row.CopyTo(rows.AsSpan(id * width, width));
        }

        return rows;
    }

    private float[] MeanRow(ReadOnlySpan<float> rows, int width)
    {
        var sums = new double[width];
        for (int row = 0; row < sourceCount; row++)
        {
            ReadOnlySpan<float> values = rows.Slice(row * width, width);
            for (int i = 0; i < width; i++)
            {
                sums[i] += values[i];
            }
        }

        var mean = new float[width];
        for (int i = 0; i < width; i++)
        {
            mean[i] = sourceCount == 0 ? 0f : (float)(sums[i] / sourceCount);
        }

        return mean;
    }
}
