using System.Collections.Concurrent;
using Ulmfit.Model;

namespace Ulmfit.Onnx.Tests;

public sealed class BatchInvarianceTests
{
    private const int Vocabulary = 60;

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(HeadKind.ConcatPooling)]
    [InlineData(HeadKind.Features)]
    public void PredictTokens_InABatch_GivesTheBitsOfEachDocumentAlone(HeadKind head)
    {
        ClassifierConfig config = head == HeadKind.Features ? TestModel.FeaturesConfig(Vocabulary) : TestModel.Config(Vocabulary);
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(config, 1), TestModel.Direction(config, 2));
        int[][] documents = Documents(64);
        float[][] alone = [.. documents.Select(document => classifier.PredictTokens([document], TestToken)[0])];

        AssertSameBits(alone, classifier.PredictTokens(documents, TestToken));

        int[] order = [.. Enumerable.Range(0, 64)];
        new Random(5).Shuffle(order);
        AssertSameBits([.. order.Select(i => alone[i])], classifier.PredictTokens([.. order.Select(i => documents[i])], TestToken));
    }

    [Fact]
    public async Task PredictTokens_From32Threads_GivesTheBitsOfEachDocumentAlone()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall(new OnnxClassifierOptions { Workers = 3 });
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

    [Fact]
    public void PredictTokens_SeveralThreadsWithinADocument_IsBatchInvariantToo()
    {
        // Wide enough that ONNX Runtime does share a product out among its threads.
        var config = TestModel.Config(Vocabulary, 128, 256);
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(config, 1), null, new OnnxClassifierOptions { IntraOpThreads = 3 });
        int[][] documents = Documents(16);
        float[][] alone = [.. documents.Select(document => classifier.PredictTokens([document], TestToken)[0])];
        AssertSameBits(alone, classifier.PredictTokens(documents, TestToken));
    }

    [Fact]
    public void Predict_TextAmongOthers_GivesTheBitsOfTheTextAlone()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        string[] texts = ["w1 w2 w3", "", "   \t\n ", "W5 w5 w5 w5 unknown", "w1 w2 w3", string.Join(' ', Enumerable.Range(0, 500).Select(i => $"w{i % 50}"))];
        float[][] alone = [.. texts.Select(text => classifier.Predict([text], TestToken)[0])];
        AssertSameBits(alone, classifier.Predict(texts, TestToken));
    }

    private static int[][] Documents(int count)
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, count).Select(i => TestModel.Document(random, i % 9 == 0 ? 1 : random.Next(1, 200), Vocabulary))];
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
