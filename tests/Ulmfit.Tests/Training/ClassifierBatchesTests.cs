using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class ClassifierBatchesTests
{
    [Theory]
    [InlineData(2, 64)]
    [InlineData(65, 64)]
    [InlineData(640, 64)]
    [InlineData(7001, 16)]
    public void Epoch_AnySize_HoldsEveryDocumentOnceInBatchesOfNearlyOneSize(int count, int batch)
    {
        Document[] documents = Documents(count);
        var batches = new ClassifierBatches(documents, batch, new RandomKey(1, 0, 0, 0));
        ClassifierBatch[] all = [.. Enumerable.Range(0, batches.Steps).Select(step => batches[step])];

        Assert.Equal(ClassifierBatches.StepsOf(count, batch), batches.Steps);
        Assert.Equal(Enumerable.Range(0, count), all.SelectMany(b => b.Documents.Select(tokens => tokens[0])).Order());
        Assert.InRange(all.Max(b => b.Documents.Count) - all.Min(b => b.Documents.Count), 0, 1);
        Assert.All(all, b => Assert.True(b.Documents.Count >= 2));
        Assert.All(all, b => Assert.Equal(b.Documents.Select(tokens => documents[tokens[0]].Label), b.Labels.ToArray()));
    }

    [Fact]
    public void Epoch_Batches_AreSortedAndTheLongestDocumentComesFirst()
    {
        Document[] documents = Documents(5000);
        var batches = new ClassifierBatches(documents, 32, new RandomKey(1, 0, 3, 0));

        Assert.Equal(documents.Max(document => document.Tokens.Length), batches[0].Documents[0].Length);
        for (int step = 0; step < batches.Steps; step++)
        {
            int[] lengths = [.. batches[step].Documents.Select(tokens => tokens.Length)];
            Assert.Equal(lengths.OrderDescending(), lengths);
        }
    }

    [Fact]
    public void Epoch_SortedWithinBlocks_PadsLittle()
    {
        Document[] documents = Documents(5000);
        var batches = new ClassifierBatches(documents, 32, new RandomKey(1, 0, 3, 0));
        long padded = 0, real = 0;
        for (int step = 0; step < batches.Steps; step++)
        {
            ClassifierBatch batch = batches[step];
            padded += (long)batch.Documents[0].Length * batch.Documents.Count;
            real += batch.Documents.Sum(tokens => tokens.Length);
        }

        Assert.True(padded < 1.1 * real, $"{padded} padded tokens for {real} real ones");
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(11, true)]
    [InlineData(12, false)]
    [InlineData(16, false)]
    public void Epoch_BatchesOfAHandful_MixLengths(int batch, bool mixes)
    {
        var batches = new ClassifierBatches(Documents(20 * batch), batch, new RandomKey(1, 0, 3, 0));
        ClassifierBatch[] all = [.. Enumerable.Range(0, batches.Steps).Select(step => batches[step])];
        double spread = all.Average(b => b.Documents[0].Length - b.Documents[^1].Length);

        // Of lengths that are drawn from 1 to 60, eight are 46 apart in the mean, and neighbours in 160 sorted ones 3.
        Assert.True(mixes ? spread > 30 : spread < 10, $"the lengths of a batch are {spread} apart");
        Assert.Equal(all.Max(b => b.Documents[0].Length), batches[0].Documents[0].Length);
        Assert.All(all, b => Assert.Equal(b.Documents.Select(tokens => tokens.Length).OrderDescending(), b.Documents.Select(tokens => tokens.Length)));
    }

    private static Document[] Documents(int count)
    {
        var random = new Philox(new RandomKey(9, 0, 0, 0), RandomPurpose.Shuffle);
        return [.. Enumerable.Range(0, count).Select(i => new Document([i, .. new int[random.Below(60, i)]], i % 3))];
    }
}
