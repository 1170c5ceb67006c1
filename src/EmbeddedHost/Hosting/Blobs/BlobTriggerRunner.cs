using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EmbeddedHost;

/// <summary>Runs a listener for each blob function.</summary>
internal sealed class BlobTriggerRunner(
    FunctionCatalog catalog,
    FunctionPipeline pipeline,
    IServiceScopeFactory scopes,
    IBlobTriggerSource source,
    PoisonList poison,
    HostSettings settings,
    IOptions<BlobTriggerOptions> options,
    StopSignal stop,
    TimeProvider time,
    ILogger<BlobTriggerRunner> logger) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(Math.Max(1, options.Value.MaxDegreeOfParallelism));
    private readonly List<BlobListener> _listeners = [];
    private Task _running = Task.CompletedTask;

    public void Start()
    {
        foreach (HostedFunction function in catalog.OfKind(TriggerKind.Blob))
        {
            var trigger = (BlobTriggerAttribute)function.Trigger;
            BlobReceipts receipts = trigger.Source == BlobTriggerSource.EventGrid
                ? BlobReceipts.InMemory()
                : BlobReceipts.Open(Path.Combine(settings.HostDirectory, "blobreceipts", function.Name.ToLowerInvariant() + ".jsonl"), logger);
            _listeners.Add(new BlobListener(function, receipts, pipeline, scopes, source, poison, _slots, options.Value, time, logger));
        }

        _running = Task.WhenAll(_listeners.Select(l => l.RunAsync(stop.Stopping)));
    }

    /// <summary>Waits until the invocations that run have ended; the stop signal has told them to.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Completion.WaitAsync(_running, cancellationToken);

    public void Dispose()
    {
        _listeners.ForEach(l => l.Dispose());
        _slots.Dispose();
    }
}
