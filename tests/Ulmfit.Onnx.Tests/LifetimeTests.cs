namespace Ulmfit.Onnx.Tests;

public sealed class LifetimeTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public void Predict_AfterDispose_Throws()
    {
        OnnxTextClassifier classifier = TestModel.LoadSmall();
        classifier.Dispose();
        classifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => classifier.Predict(["w1"], TestToken));
        Assert.False(classifier.TryLease(out _));
    }

    [Fact]
    public void Predict_DisposedWhileLeased_GoesOnUntilTheLeaseEnds()
    {
        OnnxTextClassifier classifier = TestModel.LoadSmall();
        float[] before = classifier.Predict(["w1"], TestToken)[0];
        Assert.True(classifier.TryLease(out IDisposable? lease));
        classifier.Dispose();
        Assert.Equal(before, classifier.Predict(["w1"], TestToken)[0]);

        lease.Dispose();
        lease.Dispose();
        Assert.Throws<ObjectDisposedException>(() => classifier.Predict(["w1"], TestToken));
    }

    [Fact]
    public async Task Predict_DisposedWhileItRuns_EndsWithItsAnswers()
    {
        int[][] documents = [.. Enumerable.Range(0, 200).Select(i => TestModel.Document(new Random(i), 100, 60))];
        using OnnxTextClassifier reference = TestModel.LoadSmall();
        float[][] expected = reference.PredictTokens(documents, TestToken);

        OnnxTextClassifier classifier = TestModel.LoadSmall();
        using var running = new ManualResetEventSlim();
        var watched = new Watched<int[]>(documents, running.Set);
        Task<float[][]> call = Task.Run(() => classifier.PredictTokens(watched), TestToken);
        running.Wait(TestToken);
        classifier.Dispose();
        Assert.Equal(expected, await call);
        Assert.Throws<ObjectDisposedException>(() => classifier.PredictTokens(documents, TestToken));
    }

    [Fact]
    public async Task TryLease_ModelsSwappedUnderRequests_FailsNoRequest()
    {
        OnnxTextClassifier current = TestModel.LoadSmall();
        float[] expected = current.Predict(["w1 w2"], TestToken)[0];
        using var stop = new CancellationTokenSource();
        int[] served = new int[4];
        Task[] requests = [.. Enumerable.Range(0, served.Length).Select(thread => Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    OnnxTextClassifier seen = Volatile.Read(ref current);
                    if (seen.TryLease(out IDisposable? lease))
                    {
                        using (lease)
                        {
                            Assert.Equal(expected, seen.Predict(["w1 w2"])[0]);
                        }

                        Interlocked.Increment(ref served[thread]);
                    }
                }
            },
            TestToken))];
        for (int swap = 0; swap < 20; swap++)
        {
            int before = served.Sum();
            Interlocked.Exchange(ref current, TestModel.LoadSmall()).Dispose();
            SpinWait.SpinUntil(() => served.Sum() > before + 4 || requests.Any(request => request.IsFaulted));
        }

        await stop.CancelAsync();
        await Task.WhenAll(requests);
        current.Dispose();
    }

    /// <summary>A list that tells when its last item is first read a second time, which is when the computation has begun.</summary>
    private sealed class Watched<T>(IReadOnlyList<T> items, Action begun) : IReadOnlyList<T>
    {
        private int reads;

        public int Count => items.Count;

        public T this[int index]
        {
            get
            {
                // Checking reads each item once; computing reads them again.
                if (Interlocked.Increment(ref reads) > items.Count)
                {
                    begun();
                }

                return items[index];
            }
        }

        public IEnumerator<T> GetEnumerator() => items.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
