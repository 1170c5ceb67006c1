using System.Diagnostics.Metrics;
using Ulmfit.Diagnostics;

namespace Ulmfit.Onnx.Tests;

public sealed class ClassificationWorkersTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PredictAsync_QueueFull_IsRefusedUntilThereIsRoom()
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 1, MaxDocuments = 1 });
        using OnnxTextClassifier classifier = Slow(workers);
        using var cancellation = new CancellationTokenSource();
        Task<float[][]> first = classifier.PredictTokensAsync([Long()], cancellation.Token);

        ClassifierBusyException busy = await Assert.ThrowsAsync<ClassifierBusyException>(() => classifier.PredictAsync(["w1"], TestToken));

        Assert.InRange(busy.RetryAfter, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.Contains("1 documents of 60000 tokens", busy.Message, StringComparison.Ordinal);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        SpinWait.SpinUntil(() => workers.Documents == 0);
        Assert.Single(await classifier.PredictAsync(["w1"], TestToken));
    }

    [Fact]
    public async Task PredictAsync_MoreTokensThanMayWait_IsRefused()
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 1, MaxTokens = 100 });
        using OnnxTextClassifier classifier = Slow(workers);
        using var cancellation = new CancellationTokenSource();

        // Alone it may be larger than all that may wait, else nobody could ever ask for it.
        Task<float[][]> first = classifier.PredictTokensAsync([Long()], cancellation.Token);
        await Assert.ThrowsAsync<ClassifierBusyException>(() => classifier.PredictAsync(["w1"], TestToken));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    [Fact]
    public async Task PredictAsync_CancelledWhileItWaits_EndsAtOnceAndMakesRoom()
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 1 });
        using OnnxTextClassifier classifier = Slow(workers);
        using CancellationTokenSource running = new(), queued = new();
        Task<float[][]> first = classifier.PredictTokensAsync([Long()], running.Token);
        Task<float[][]> second = classifier.PredictTokensAsync([Long(), Long()], queued.Token);
        Assert.Equal(3, workers.Documents);

        await queued.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        SpinWait.SpinUntil(() => workers.Documents == 1);
        Assert.Equal(60_000, workers.Tokens);
        Assert.False(first.IsCompleted);
        await running.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    [Fact]
    public async Task PredictAsync_CancelledInABatch_LeavesTheOthersTheirAnswers()
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 1 });
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(TestModel.Config(), 1), null, workers: workers);
        int[][] documents = [.. Enumerable.Range(0, 40).Select(i => TestModel.Document(new Random(i), 50 + i, 60))];
        float[][] expected = classifier.PredictTokens(documents, TestToken);
        for (int round = 0; round < 20; round++)
        {
            CancellationTokenSource[] cancellations = [.. documents.Select(_ => new CancellationTokenSource())];
            Task<float[][]>[] calls = [.. documents.Select((document, i) => classifier.PredictTokensAsync([document], cancellations[i].Token))];
            for (int i = round % 3; i < calls.Length; i += 3)
            {
                await cancellations[i].CancelAsync();
            }

            for (int i = 0; i < calls.Length; i++)
            {
                if (i % 3 != round % 3)
                {
                    Assert.Equal(expected[i], (await calls[i])[0]);
                }
            }

            Array.ForEach(cancellations, cancellation => cancellation.Dispose());
        }

        SpinWait.SpinUntil(() => workers.Documents == 0);
        Assert.Equal(0, workers.Tokens);
    }

    [Fact]
    public async Task PredictAsync_ShortBesideLong_DoesNotWaitForItsEnd()
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 1 });
        using OnnxTextClassifier classifier = Slow(workers);
        using var cancellation = new CancellationTokenSource();
        Task<float[][]> longer = classifier.PredictTokensAsync([Long()], cancellation.Token);

        Assert.Single(await classifier.PredictTokensAsync([[1, 2, 3]], TestToken));

        Assert.False(longer.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => longer);
    }

    [Fact]
    public async Task Predict_TwoClassifiersOnTheSameWorkers_GiveTheirOwnAnswers()
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 2 });
        DirectionWeights one = TestModel.Direction(TestModel.Config(), 1), two = TestModel.Direction(TestModel.Config(), 2);
        using OnnxTextClassifier first = TestModel.Load(one, two, workers: workers), second = TestModel.Load(two, one, workers: workers);
        using OnnxTextClassifier firstAlone = TestModel.Load(one, two), secondAlone = TestModel.Load(two, one);
        int[][] documents = [.. Enumerable.Range(0, 30).Select(i => TestModel.Document(new Random(i), 1 + i, 60))];

        float[][][] answers = await Task.WhenAll(first.PredictTokensAsync(documents, TestToken), second.PredictTokensAsync(documents, TestToken));

        Assert.Equal(firstAlone.PredictTokens(documents, TestToken), answers[0]);
        Assert.Equal(secondAlone.PredictTokens(documents, TestToken), answers[1]);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(400, false)]
    public void Predict_LoneShortDocument_IsComputedByItsCallerAtOnce(int words, bool warmedUp)
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 2 });
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(TestModel.Config(), 1), null, workers: workers);
        if (warmedUp)
        {
            classifier.WarmUp();
        }

        string text = string.Join(' ', Enumerable.Range(0, words).Select(word => $"w{word % 50}"));
        var measured = new ModelAttributes($"{nameof(Predict_LoneShortDocument_IsComputedByItsCallerAtOnce)} {words} {warmedUp}", 1);
        int computedBy = 0, runs = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument is { Meter.Name: UlmfitMeter.Name, Name: "ulmfit.classify.compute.duration" })
            {
                listening.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            foreach (KeyValuePair<string, object?> tag in tags)
            {
                if (measured.Model.Equals(tag.Value))
                {
                    Volatile.Write(ref computedBy, Environment.CurrentManagedThreadId);
                    Interlocked.Increment(ref runs);
                }
            }
        });
        listener.Start();

        // The first answers are computed by the workers' threads, until one of them is asleep again.
        bool byItsCaller = SpinWait.SpinUntil(
            () =>
            {
                Interlocked.Exchange(ref runs, 0);
                classifier.PredictAsync([text], tally: null, measured, TestToken).GetAwaiter().GetResult();
                return Volatile.Read(ref computedBy) == Environment.CurrentManagedThreadId && Volatile.Read(ref runs) == 1;
            },
            TimeSpan.FromMinutes(1));

        Assert.True(byItsCaller);
    }

    [Fact]
    public async Task PredictAsync_LoneLongDocument_KeepsNoCaller()
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 2 });
        using OnnxTextClassifier classifier = Slow(workers);
        using var cancellation = new CancellationTokenSource();
        _ = classifier.Predict(["w1"], TestToken);

        Task<float[][]> call = classifier.PredictTokensAsync([Long()], cancellation.Token);

        Assert.False(call.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task PredictAsync_ManyCallersOfOneDocumentEach_AllGetTheirAnswers(int count)
    {
        using var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = count });
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(TestModel.Config(), 1), TestModel.Direction(TestModel.Config(), 2), workers: workers);
        classifier.WarmUp();
        int[][] documents = [.. Enumerable.Range(0, 40).Select(i => TestModel.Document(new Random(i), 1 + (i % 7 == 0 ? 600 : i), 60))];
        float[][] expected = classifier.PredictTokens(documents, TestToken);

        // Now alone, now beside others: threads that sleep, their places taken by callers, and requests that end in the middle.
        Task[] callers = [.. Enumerable.Range(0, 4).Select(caller => Task.Run(
            async () =>
            {
                var random = new Random(caller);
                for (int i = 0; i < 500; i++)
                {
                    int asked = random.Next(documents.Length);
                    if (random.Next(5) == 0)
                    {
                        using var cancellation = new CancellationTokenSource();
                        Task<float[][]> call = classifier.PredictTokensAsync([documents[asked]], cancellation.Token);
                        await cancellation.CancelAsync();
                        await Task.WhenAny(call);
                    }

                    Assert.Equal(expected[asked], (await classifier.PredictTokensAsync([documents[asked]], TestToken))[0]);
                }
            },
            TestToken))];

        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromMinutes(2), TestToken);
        SpinWait.SpinUntil(() => workers.Documents == 0);
        Assert.Equal(0, workers.Tokens);
    }

    [Fact]
    public async Task Dispose_WhileItComputes_EndsWithTheAnswers()
    {
        var workers = new ClassificationWorkers(new ClassificationWorkersOptions { Workers = 2 });
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(TestModel.Config(), 1), null, workers: workers);
        Task<float[][]> call = classifier.PredictTokensAsync([.. Enumerable.Range(0, 50).Select(i => TestModel.Document(new Random(i), 100, 60))], TestToken);

        workers.Dispose();
        workers.Dispose();

        Assert.Equal(50, (await call).Length);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => classifier.PredictAsync(["w1"], TestToken));
    }

    [Fact]
    public void WarmUp_BeforeAndBesideRequests_ChangesNoAnswer()
    {
        using OnnxTextClassifier cold = TestModel.LoadSmall(), warm = TestModel.LoadSmall();
        warm.WarmUp();
        warm.WarmUp();
        Assert.Equal(cold.Predict(["w1 w2", "w3"], TestToken), warm.Predict(["w1 w2", "w3"], TestToken));
    }

    [Fact]
    public void MeasureSpeed_AnyModel_GivesTimesAndCanBeCancelled()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();

        ClassifierSpeed speed = classifier.MeasureSpeed(20, TimeSpan.FromMilliseconds(50), TestToken);

        Assert.Equal(20, speed.Tokens);
        Assert.True(speed is { MicrosecondsPerToken: > 0, MicrosecondsPerTokenInBatches: > 0 }, $"{speed}");
        Assert.ThrowsAny<OperationCanceledException>(() => classifier.MeasureSpeed(20, TimeSpan.FromMilliseconds(50), new CancellationToken(true)));
    }

    // A model on which the long document takes seconds.
    private static OnnxTextClassifier Slow(ClassificationWorkers workers) =>
        TestModel.Load(TestModel.Direction(TestModel.Config(60, 96, 256, 6), 1), null, workers: workers);

    private static int[] Long() => TestModel.Document(new Random(1), 60_000, 60);
}
