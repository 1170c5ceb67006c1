using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text.Json;

namespace ServingBenchmark;

/// <summary>
/// What HTTP, tokenizer and queue add to ONNX Runtime's call: one client, and the same texts through that call alone, a few of each in
/// turn, so that whatever else the machine does hits both alike. The client does not sleep while it waits, and the call runs on the host's
/// processors, which have nothing else to do then.
/// </summary>
internal sealed class OverheadMeasurement(ServingOptions options, Action<string> tell)
{
    private const int Turn = 10;

    /// <summary>Measures a model.</summary>
    /// <param name="address">Where the host listens.</param>
    /// <param name="published">The model.</param>
    /// <param name="ct">Gives up.</param>
    public IReadOnlyList<OverheadMeasure> Run(Uri address, PublishedModel published, CancellationToken ct)
    {
        var measures = new List<OverheadMeasure>();
        ExceptionDispatchInfo? failure = null;

        // A thread of its own, which is bound to one processor and another.
        var thread = new Thread(() =>
        {
            try
            {
                var texts = new TextsOfLength(published.Vocabulary);
                using var bare = new BareComputation(published.Onnx);
                WarmUp(address, published.Model, texts, ct);
                foreach (int tokens in options.Tokens)
                {
                    OverheadMeasure measure = Measure(address, published.Model, texts, bare, tokens, ct);
                    measures.Add(measure);
                    tell(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{published.Model}, {tokens} tokens: a request {measure.Request:0.000} ms, the computation alone {measure.Computation:0.000} ms, added {measure.Added:0.000} ms"));
                }
            }
#pragma warning disable CA1031 // It is thrown again on the thread that asked.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return measures;
    }

    // Until the host's code is compiled as it is on a host that has been asked for a while.
    private void WarmUp(Uri address, BenchmarkModel model, TextsOfLength texts, CancellationToken ct)
    {
        byte[][] requests = [.. options.Tokens.Select(tokens => RequestOf(address, model, texts.Make(tokens, 1)[0]))];
        using var connection = new KeepAliveConnection(address);
        long since = Stopwatch.GetTimestamp();
        for (int question = 0; Stopwatch.GetElapsedTime(since).TotalSeconds < options.HostWarmUpSeconds; question++)
        {
            ct.ThrowIfCancellationRequested();
            _ = connection.Exchange(requests[question % requests.Length], out _);
        }
    }

    private static byte[] RequestOf(Uri address, BenchmarkModel model, string text) =>
        KeepAliveConnection.Post(address, $"api/models/{model.Name}/classify", JsonSerializer.SerializeToUtf8Bytes(new { inputs = text }));

    private OverheadMeasure Measure(Uri address, BenchmarkModel model, TextsOfLength texts, BareComputation bare, int tokens, CancellationToken ct)
    {
        IReadOnlyList<string> asked = texts.Make(tokens, options.Texts);
        byte[][] requests = [.. asked.Select(text => RequestOf(address, model, text))];
        BareComputation.Call[] calls = [.. asked.Select(text => bare.Prepare(texts.Ids(text)))];
        var requestTimes = new List<double>();
        var callTimes = new List<double>();
        using var connection = new KeepAliveConnection(address, looks: true);
        try
        {
            long since = Stopwatch.GetTimestamp();
            for (int turn = 0; requestTimes.Count < options.OverheadRequests && (turn < 2 || Stopwatch.GetElapsedTime(since).TotalSeconds < options.OverheadSeconds); turn++)
            {
                ct.ThrowIfCancellationRequested();
                Bind(options.ClientCores);
                Ask(turn, counts: false);
                for (int i = 0; i < Turn; i++)
                {
                    Ask((turn * Turn) + i, counts: turn > 0);
                }
                Bind(options.HostCores);
                calls[turn % calls.Length].Run();
                for (int i = 0; i < Turn; i++)
                {
                    long began = Stopwatch.GetTimestamp();
                    calls[((turn * Turn) + i) % calls.Length].Run();
                    Keep(callTimes, began, turn > 0);
                }
            }
        }
        finally
        {
            Array.ForEach(calls, call => call.Dispose());
        }
        return new OverheadMeasure(model, tokens, Percentiles.Median(requestTimes), Percentiles.Median(callTimes));

        void Ask(int question, bool counts)
        {
            long began = Stopwatch.GetTimestamp();
            int status = connection.Exchange(requests[question % requests.Length], out _);
            Keep(requestTimes, began, counts);
            if (status != 200)
            {
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"The host answered {status}."));
            }
        }
    }

    private static void Keep(List<double> times, long began, bool counts)
    {
        if (counts)
        {
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
    }

    private static void Bind(IReadOnlyList<int>? cores)
    {
        if (cores is not null)
        {
            ProcessorAffinity.BindThread(cores);
        }
    }
}
