using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>Finds the blobs of one function and has each version processed once, or given up after its tries.</summary>
internal sealed class BlobListener(
    HostedFunction function,
    BlobReceipts receipts,
    FunctionPipeline pipeline,
    IServiceScopeFactory scopes,
    IBlobTriggerSource source,
    PoisonList poison,
    SemaphoreSlim slots,
    BlobTriggerOptions options,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    private readonly BlobPathPattern pattern = function.BlobPattern!;
    private readonly ConcurrentDictionary<string, Task> inFlight = new(StringComparer.Ordinal);

    // One waiting wish for a scan stands for any number of changes.
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Scans until the stop, then waits for what is being processed.</summary>
    /// <param name="stopping">Fires at the stop.</param>
    public async Task RunAsync(CancellationToken stopping)
    {
        // The first scan must not hold up whoever starts the host.
        await Task.Yield();
        using IDisposable? watch = source.Watch(pattern.Container, Wake);
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                long started = time.GetTimestamp();
                await ScanAsync(stopping);

                // While many files are copied in, each tells of itself; a rest as long as the scan keeps half of a processor free.
                await Task.Delay(time.GetElapsedTime(started), time, stopping);
                await NextScanAsync(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The stop.
        }

        await Task.WhenAll(inFlight.Values);
    }

    public void Dispose() => receipts.Dispose();

    private void Wake() => wake.Writer.TryWrite(true);

    private async Task NextScanAsync(CancellationToken stopping)
    {
        using var interval = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task<bool> wake = this.wake.Reader.WaitToReadAsync(interval.Token).AsTask();
        Task due = Task.Delay(options.ScanInterval, time, interval.Token);
        await Task.WhenAny(wake, due);
        await interval.CancelAsync();
        stopping.ThrowIfCancellationRequested();
        this.wake.Reader.TryRead(out _);
    }

    private async Task ScanAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (TriggerBlob blob in source.ListAsync(pattern.Container, pattern.Prefix, stopping))
            {
                if (pattern.Match(blob.Name) is { } values
                    && receipts.Find(blob.Name, blob.ETag) is null or { State: BlobState.Trying }
                    && !inFlight.ContainsKey(blob.Name))
                {
                    Begin(blob, values, stopping);
                }
            }
        }
#pragma warning disable CA1031 // A storage that cannot be reached now may be reached at the next scan; the reason is logged.
        catch (Exception e) when (e is not OperationCanceledException || !stopping.IsCancellationRequested)
#pragma warning restore CA1031
        {
            HostLog.ListingFailed(logger, pattern.Container, function.Name, e);
        }
    }

    private void Begin(TriggerBlob blob, IReadOnlyDictionary<string, string> values, CancellationToken stopping)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task processing = ProcessAfterAsync(begun.Task);
        inFlight[blob.Name] = processing;
        begun.SetResult();

        async Task ProcessAfterAsync(Task start)
        {
            await start;
            try
            {
                await ProcessAsync(blob, values, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The stop came before or between tries; the blob is found again at the next start.
            }
#pragma warning disable CA1031 // A receipt that could not be written (a full disk) must not end the listener; the reason is logged.
            catch (Exception e)
#pragma warning restore CA1031
            {
                HostLog.BlobRecordFailed(logger, function.Name, PathOf(blob), e);
            }
            finally
            {
                inFlight.TryRemove(blob.Name, out _);

                // A version that came while this one was processed waits for a scan.
                Wake();
            }
        }
    }

    private async Task ProcessAsync(TriggerBlob blob, IReadOnlyDictionary<string, string> values, CancellationToken stopping)
    {
        string path = PathOf(blob);
        int limit = options.PoisonBlobThreshold;
        string reason = "the process ended while it was tried";
        for (int attempts = receipts.Find(blob.Name, blob.ETag)?.Attempts ?? 0; attempts < limit;)
        {
            await slots.WaitAsync(stopping);
            try
            {
                await using Stream? content = await source.OpenReadAsync(pattern.Container, blob.Name, blob.ETag, stopping);
                if (content is null)
                {
                    HostLog.BlobGone(logger, path, function.Name);
                    return;
                }

                // Counted before the try, so that a blob that kills the process is given up in the end too.
                receipts.Write(new BlobReceipt(blob.Name, blob.ETag, BlobState.Trying, ++attempts));
                HostLog.BlobStarting(logger, function.Name, path, attempts, limit);
                long started = Stopwatch.GetTimestamp();
                if (await TryAsync(blob, values, content, attempts, limit, stopping) is not { } failure)
                {
                    receipts.Write(new BlobReceipt(blob.Name, blob.ETag, BlobState.Done, attempts));
                    HostLog.BlobDone(logger, function.Name, path, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                    return;
                }

                if (stopping.IsCancellationRequested && failure is OperationCanceledException)
                {
                    // Told to stop is not failed.
                    receipts.Write(new BlobReceipt(blob.Name, blob.ETag, BlobState.Trying, attempts - 1));
                    return;
                }

                HostLog.BlobFailed(logger, function.Name, path, attempts, limit, failure);
                reason = $"{failure.GetType().Name}: {failure.Message}";
            }
            finally
            {
                slots.Release();
            }

            if (attempts < limit)
            {
                await Task.Delay(options.RetryDelay * Math.Pow(2, Math.Min(attempts - 1, 10)), time, stopping);
            }
        }

        poison.Add(new PoisonMessage(
            "BlobTrigger", $"Host.Functions.{function.Name}", "BlockBlob", pattern.Container, blob.Name, blob.ETag, reason, time.GetUtcNow()));
        receipts.Write(new BlobReceipt(blob.Name, blob.ETag, BlobState.Poisoned, limit));
        HostLog.BlobPoisoned(logger, path, limit, function.Name, reason);
    }

    private async Task<Exception?> TryAsync(
        TriggerBlob blob, IReadOnlyDictionary<string, string> values, Stream content, int attempt, int limit, CancellationToken stopping)
    {
        var data = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase)
        {
            ["blobTrigger"] = PathOf(blob),
            ["uri"] = new UriBuilder("file", "") { Path = PathOf(blob) }.Uri,
        };
        foreach ((string name, string value) in values)
        {
            data[name] = value;
        }

        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        var context = new HostFunctionContext(
            function, content, scope.ServiceProvider, data, new RetryState(attempt - 1, limit - 1), stopping);
        try
        {
            await pipeline.InvokeAsync(context);
            return null;
        }
#pragma warning disable CA1031 // Whatever a function throws is a failed try, which the caller logs and counts.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }

    private string PathOf(TriggerBlob blob) => $"{pattern.Container}/{blob.Name}";
}
