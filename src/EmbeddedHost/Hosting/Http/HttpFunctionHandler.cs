using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>Serves a request by a function.</summary>
internal sealed class HttpFunctionHandler(
    FunctionPipeline pipeline, HttpResultWriter results, KeyGate gate, StopSignal stop, ILogger<HttpFunctionHandler> logger)
{
    /// <summary>Serves a request.</summary>
    /// <param name="http">The request.</param>
    /// <param name="function">The function that its route leads to.</param>
    public async Task HandleAsync(HttpContext http, HostedFunction function)
    {
        if (!await gate.AdmitAsync(http, ((HttpTriggerAttribute)function.Trigger).AuthLevel, function.Name))
        {
            return;
        }

        long started = Stopwatch.GetTimestamp();
        var data = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, object? value) in http.Request.RouteValues)
        {
            data[name] = value;
        }

        // The function's own token tells of the stop at once; the request goes on for a moment, so that short ones end well.
        CancellationToken callerGone = http.RequestAborted;
        using var request = CancellationTokenSource.CreateLinkedTokenSource(callerGone, stop.RequestsEnd);
        using var invocation = CancellationTokenSource.CreateLinkedTokenSource(request.Token, stop.Stopping);
        http.RequestAborted = request.Token;
        var context = new HostFunctionContext(function, http, http.RequestServices, data, cancellationToken: invocation.Token);
        context.Items[FunctionContextExtensions.HttpContextKey] = http;
        try
        {
            await results.WriteAsync(http, await pipeline.InvokeAsync(context));
            HostLog.RequestServed(logger, function.Name, context.InvocationId, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (OperationCanceledException) when (callerGone.IsCancellationRequested)
        {
            // The caller is gone: there is nobody to answer and nothing went wrong here.
        }
        catch (OperationCanceledException) when (invocation.IsCancellationRequested)
        {
            http.RequestAborted = callerGone;
            await FailAsync(http, StatusCodes.Status503ServiceUnavailable, "The host is stopping");
        }
        catch (HostStandsByException e)
        {
            HostLog.RequestRejected(logger, function.Name, context.InvocationId, e.Message);
            await ProblemAnswer.StandsByAsync(http, e);
        }
        catch (BadHttpRequestException e)
        {
            HostLog.RequestRejected(logger, function.Name, context.InvocationId, e.Message);
            await FailAsync(http, e.StatusCode, "The request is not valid", e.Message);
        }
        catch (BindingValueException e)
        {
            HostLog.RequestRejected(logger, function.Name, context.InvocationId, e.Message);
            await FailAsync(http, StatusCodes.Status400BadRequest, "A value of the request does not fit", e.Message);
        }
#pragma warning disable CA1031 // Whatever a function throws is answered with 500 and logged; the host goes on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            HostLog.RequestFailed(logger, function.Name, context.InvocationId, e);
            await FailAsync(http, StatusCodes.Status500InternalServerError, "The function failed", $"Invocation {context.InvocationId}; the host's log tells more.");
        }
    }

    private static Task FailAsync(HttpContext http, int status, string title, string? detail = null)
    {
        if (http.Response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            http.Abort();
            return Task.CompletedTask;
        }

        return ProblemAnswer.WriteAsync(http, status, title, detail);
    }
}
