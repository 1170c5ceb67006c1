using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Serving;

namespace Ulmfit.Functions.Http;

/// <summary>Loads the models that answer while the host starts, beside it.</summary>
internal sealed partial class ChampionPreload(ModelCache cache, ILogger<ChampionPreload> logger) : BackgroundService
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when every champion is loaded or cannot be. It does not fail.</summary>
    public Task Completion => done.Task;

    /// <inheritdoc/>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "A storage that does not answer at the start may later; it is logged, and requests load what they ask for.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await cache.PreloadAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception e)
        {
            LogNotListed(e);
        }
        finally
        {
            done.TrySetResult();
        }
    }

    [LoggerMessage(4, LogLevel.Error, "The champions cannot be listed at the start; each is loaded with the first request for it.")]
    private partial void LogNotListed(Exception exception);
}
