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
    TimeProvider time,
    ILogger<BlobTriggerRunner> logger) : IDisposable
{
    private readonly SemaphoreSlim slots = new(Math.Max(1, options.Value.MaxDegreeOfParallelism));
    private readonly List<BlobListener> listeners = [];
    private Task running = Task.CompletedTask;

    /// <summary>Begins; again only after the end of the time before.</summary>
    /// <param name="stopping">Fires at the end.</param>
    public void Start(CancellationToken stopping)
    {
        DisposeListeners();
        foreach (HostedFunction function in catalog.OfKind(TriggerKind.Blob))
        {
            var trigger = (BlobTriggerAttribute)function.Trigger;
            BlobReceipts receipts = trigger.Source == BlobTriggerSource.EventGrid
                ? BlobReceipts.InMemory()
                : BlobReceipts.Open(Path.Combine(settings.HostDirectory, "blobreceipts", function.Name.ToLowerInvariant() + ".jsonl"), logger);
            listeners.Add(new BlobListener(function, receipts, pipeline, scopes, source, poison, slots, options.Value, time, logger));
        }

        running = Task.WhenAll(listeners.Select(l => l.RunAsync(stopping)));
    }

    /// <summary>Waits until the invocations that run have ended; the token has told them to.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Completion.WaitAsync(running, cancellationToken);

    public void Dispose()
    {
        DisposeListeners();
        slots.Dispose();
    }

    private void DisposeListeners()
    {
        listeners.ForEach(l => l.Dispose());
        listeners.Clear();
    }
}
