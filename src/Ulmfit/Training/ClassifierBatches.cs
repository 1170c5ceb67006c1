using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// One epoch of classifier batches, as fastai's <c>SortedDL</c>: documents are shuffled, sorted by length within blocks
/// of fifty batches so that a batch holds documents of like length, and the batches are shuffled; the one with the
/// longest document comes first, so that an epoch that would exhaust memory does so at once. Batches differ in size by
/// one at most: none is too small for BatchNorm, and no document is left out. Batches of a handful of documents are each
/// sorted by themselves: BatchNorm's statistics of so few would otherwise be those of one length.
/// </summary>
public sealed class ClassifierBatches
{
    private const int BatchesPerBlock = 50;

    // Of TREC-6's questions, batches of 8 lead to better classifiers when their lengths are mixed; of 15 it makes no difference.
    private const int FewestSorted = 12;

    private readonly IReadOnlyList<Document> documents;
    private readonly int[][] batches;

    /// <summary>The batches of an epoch.</summary>
    /// <param name="documents">The documents, already in the direction of reading.</param>
    /// <param name="batch">Documents of a batch.</param>
    /// <param name="key">The epoch; its step is ignored.</param>
    public ClassifierBatches(IReadOnlyList<Document> documents, int batch, RandomKey key)
    {
        ArgumentNullException.ThrowIfNull(documents);
        this.documents = documents;
        key = key with { Step = 0 };
        int[] order = Shuffle.Order(documents.Count, key);
        int count = StepsOf(documents.Count, batch);
        int blockBatches = batch < FewestSorted ? 1 : BatchesPerBlock;
        for (int first = 0; first < count; first += blockBatches)
        {
            int begin = Boundary(first, count), end = Boundary(Math.Min(count, first + blockBatches), count);

            // A stable sort: equal lengths keep their shuffled order.
            int[] block = [.. order[begin..end].OrderByDescending(index => documents[index].Tokens.Length)];
            block.CopyTo(order, begin);
        }

        int[] places = Shuffle.Order(count, key, layer: 1);
        batches = [.. places.Select(place => order[Boundary(place, count)..Boundary(place + 1, count)])];
        int most = documents.Max(document => document.Tokens.Length);
        int longest = Array.FindIndex(batches, b => documents[b[0]].Tokens.Length == most);
        (batches[0], batches[longest]) = (batches[longest], batches[0]);
    }

    /// <summary>Batches, and so training steps, of an epoch.</summary>
    public int Steps => batches.Length;

    /// <summary>Batch <paramref name="step"/>, longest document first.</summary>
    public ClassifierBatch this[int step]
    {
        get
        {
            int[] rows = batches[step];
            return new ClassifierBatch([.. rows.Select(row => documents[row].Tokens)], rows.Select(row => documents[row].Label).ToArray());
        }
    }

    /// <summary>How many batches an epoch of <paramref name="documents"/> documents has.</summary>
    public static int StepsOf(int documents, int batch) => Math.Max(1, (int)Math.Round((double)documents / batch, MidpointRounding.AwayFromZero));

    private int Boundary(int batch, int count) => (int)((long)documents.Count * batch / count);
}
