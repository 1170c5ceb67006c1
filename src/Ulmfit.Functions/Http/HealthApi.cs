using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Http;

/// <summary>Whether the host lives, and whether it can do its work.</summary>
internal sealed partial class HealthApi(ApiGuard guard, IBlobStore store, ChampionPreload preload, ILogger<HealthApi> logger)
{
    // Less than the second that a probe waits as a rule.
    private static readonly TimeSpan LoadedWithin = TimeSpan.FromSeconds(0.5);

    /// <summary>The process answers.</summary>
    [Function("Live")]
    public static IResult Live([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "api/health/live")] HttpRequest request) =>
        ApiJson.Result(new { status = "live" });

    /// <summary>The storage answers, and the champions that there were at the start are loaded or cannot be.</summary>
    [Function("Ready")]
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever the storage fails with, the answer is that the host is not ready; the failure is logged.")]
    public Task<IResult> Ready([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "api/health/ready")] HttpRequest request) =>
        guard.HandleAsync(request, async ct =>
        {
            try
            {
                await store.ExistsAsync(Containers.State, "health", ct);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogNotReady(e);
                throw new ProblemException(503, "not-ready", "Not ready", "The storage does not answer.");
            }
            try
            {
                await preload.Completion.WaitAsync(LoadedWithin, ct);
            }
            catch (TimeoutException)
            {
                throw new ProblemException(503, "not-ready", "Not ready", "The models that answer are being loaded.");
            }
            return ApiJson.Result(new { status = "ready" });
        });

    [LoggerMessage(101, LogLevel.Error, "Not ready: the storage does not answer.")]
    private partial void LogNotReady(Exception exception);
}
