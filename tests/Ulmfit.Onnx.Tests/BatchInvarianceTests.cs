using System.Collections.Concurrent;
using Ulmfit.Model;

namespace Ulmfit.Onnx.Tests;

public sealed class BatchInvarianceTests
{
    private const int Vocabulary = 60;

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    /// <summary>Both precisions of every head and of layers narrower and wider than a kernel's blocks.</summary>
    public static TheoryData<OnnxPrecision, HeadKind, int, int> Models => new(
        from precision in Enum.GetValues<OnnxPrecision>()
        from model in new[] { (HeadKind.ConcatPooling, 12, 20), (HeadKind.ConcatPooling, 1, 3), (HeadKind.ConcatPooling, 130, 257), (HeadKind.Features, 12, 20), (HeadKind.LastState, 33, 49) }
        select (precision, model.Item1, model.Item2, model.Item3));

    [Theory]
    [MemberData(nameof(Models))]
    public void PredictTokens_InABatch_GivesTheBitsOfEachDocumentAlone(OnnxPrecision precision, HeadKind head, int embedding, int hidden)
    {
        ClassifierConfig config = head switch
        {
            HeadKind.Features => TestModel.FeaturesConfig(Vocabulary, embedding, hidden, maxLength: 40),
            HeadKind.LastState => TestModel.LastStateConfig(Vocabulary, embedding, hidden, layers: 2, classes: 3),
            _ => TestModel.Config(Vocabulary, embedding, hidden, maxLength: 40),
        };
        DirectionWeights forward = TestModel.Direction(config, 1), backward = TestModel.Direction(config, 2);
        int[][] documents = Documents(64);
        float[][] alone;
        using (OnnxTextClassifier classifier = TestModel.Load(forward, backward, precision: precision))
        {
            alone = [.. documents.Select(document => classifier.PredictTokens([document], TestToken)[0])];
        }

        // One thread, so that what waits does go into batches.
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 1 });
        using OnnxTextClassifier batching = TestModel.Load(forward, backward, precision: precision, workers: workers);
        batching.WarmUp();
        var random = new Random(5);
        int[] order = [.. Enumerable.Range(0, 64)];
        for (int count = 64; count > 1; count = random.Next(1, count))
        {
            AssertSameBits([.. order.Take(count).Select(i => alone[i])], batching.PredictTokens([.. order.Take(count).Select(i => documents[i])], TestToken));
            random.Shuffle(order);
        }

        Assert.True(workers.GreatestBatch > 8, $"The greatest batch was {workers.GreatestBatch}, so nothing was tested.");
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32, 1)]
    [InlineData(OnnxPrecision.Float32, 3)]
    [InlineData(OnnxPrecision.Int8, 1)]
    [InlineData(OnnxPrecision.Int8, 3)]
    public async Task PredictTokens_From32Threads_GivesTheBitsOfEachDocumentAlone(OnnxPrecision precision, int threads)
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = threads });
        using OnnxTextClassifier classifier = TestModel.Load(
            TestModel.Direction(TestModel.Config(Vocabulary, 40, 72), 1), TestModel.Direction(TestModel.Config(Vocabulary, 40, 72), 2), precision: precision, workers: workers);
        int[][] documents = Documents(64);
        float[][] alone = [.. documents.Select(document => classifier.PredictTokens([document], TestToken)[0])];
        var results = new ConcurrentBag<(int First, float[][] Rows)>();
        using var start = new Barrier(32);

        // Each thread asks for another slice of the documents, so that no two requests have the same company.
        await Task.WhenAll(Enumerable.Range(0, 32).Select(thread => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                for (int round = 0; round < 4; round++)
                {
                    int first = ((thread * 7) + (round * 13)) % 60, count = 1 + (thread % 4);
                    results.Add((first, classifier.PredictTokens(documents[first..(first + count)], TestToken)));
                }
            },
            TestToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.Equal(128, results.Count);
        Assert.All(results, result => AssertSameBits(alone[result.First..(result.First + result.Rows.Length)], result.Rows));
        Assert.True(workers.GreatestBatch > 1, "There was no batch, so nothing was tested.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void PredictTokens_AnyNumberOfWorkers_GivesTheSameBits(int workers)
    {
        int[][] documents = Documents(20);
        using OnnxTextClassifier one = TestModel.LoadSmall();
        using OnnxTextClassifier other = TestModel.LoadSmall(new OnnxClassifierOptions { Workers = workers });
        AssertSameBits(one.PredictTokens(documents, TestToken), other.PredictTokens(documents, TestToken));
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32)]
    [InlineData(OnnxPrecision.Int8)]
    public void PredictTokens_SeveralThreadsWithinARun_IsBatchInvariantToo(OnnxPrecision precision)
    {
        // Wide enough that ONNX Runtime does share a product out among its threads.
        var config = TestModel.Config(Vocabulary, 128, 256);
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(config, 1), null, new OnnxClassifierOptions { IntraOpThreads = 3, Workers = 1 }, precision);
        int[][] documents = Documents(16);
        float[][] alone = [.. documents.Select(document => classifier.PredictTokens([document], TestToken)[0])];
        AssertSameBits(alone, classifier.PredictTokens(documents, TestToken));
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32)]
    [InlineData(OnnxPrecision.Int8)]
    public void Predict_TextAmongOthers_GivesTheBitsOfTheTextAlone(OnnxPrecision precision)
    {
        using OnnxTextClassifier classifier = TestModel.Load(
            TestModel.Direction(TestModel.Config(), 1), TestModel.Direction(TestModel.Config(), 2), new OnnxClassifierOptions { Workers = 1 }, precision);
        string[] texts = ["w1 w2 w3", "", "   \t\n ", "W5 w5 w5 w5 unknown", "w1 w2 w3", string.Join(' ', Enumerable.Range(0, 500).Select(i => $"w{i % 50}"))];
        float[][] alone = [.. texts.Select(text => classifier.Predict([text], TestToken)[0])];
        AssertSameBits(alone, classifier.Predict(texts, TestToken));
    }

    // Short ones, single tokens, and some that are longer than a run.
    private static int[][] Documents(int count)
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, count).Select(i => TestModel.Document(random, i % 9 == 0 ? 1 : i % 23 == 5 ? random.Next(250, 600) : random.Next(1, 120), Vocabulary))];
    }

    private static void AssertSameBits(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Select(BitConverter.SingleToInt32Bits), actual[i].Select(BitConverter.SingleToInt32Bits));
        }
    }
}
