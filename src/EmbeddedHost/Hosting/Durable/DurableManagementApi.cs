using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using EmbeddedHost.Durable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>The HTTP API of Durable Functions under <c>/runtime/webhooks/durabletask</c>; it needs the system key where keys are on.</summary>
internal sealed class DurableManagementApi(DurableWork work, DurableFunctionInvoker functions, KeyGate gate, ILogger<DurableManagementApi> logger)
{
    private const string Base = "/runtime/webhooks/durabletask";

    /// <summary>The largest message that the Durable Task Scheduler takes.</summary>
    private const long MaxBody = 1 << 20;

    /// <summary>Lays out the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        Add("GET", "instances", ListAsync);
        Add("DELETE", "instances", PurgeManyAsync);
        Add("GET", "instances/{instanceId}", GetAsync);
        Add("DELETE", "instances/{instanceId}", PurgeAsync);
        Add("POST", "instances/{instanceId}/raiseEvent/{eventName}", RaiseEventAsync);
        Add("POST", "instances/{instanceId}/terminate", (http, id) => ChangeAsync(http, id, (client, reason) => client.TerminateInstanceAsync(id, reason, http.RequestAborted)));
        Add("POST", "instances/{instanceId}/suspend", (http, id) => ChangeAsync(http, id, (client, reason) => client.SuspendInstanceAsync(id, reason, http.RequestAborted)));
        Add("POST", "instances/{instanceId}/resume", (http, id) => ChangeAsync(http, id, (client, reason) => client.ResumeInstanceAsync(id, reason, http.RequestAborted)));
        Add("POST", "orchestrators/{functionName}/{instanceId?}", StartAsync);

        void Add(string method, string path, Func<HttpContext, string, Task> handle) =>
            routes.MapMethods($"{Base}/{path}", [method], http => GuardAsync(http, handle)).WithDisplayName($"durabletask {method} {path}");
    }

    private async Task GuardAsync(HttpContext http, Func<HttpContext, string, Task> handle)
    {
        if (!await gate.AdmitAsync(http, AuthorizationLevel.System, null))
        {
            return;
        }

        try
        {
            await handle(http, http.Request.RouteValues["instanceId"] as string ?? "");
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone.
        }
        catch (HostStandsByException e)
        {
            await ProblemAnswer.StandsByAsync(http, e);
        }
        catch (BadHttpRequestException e)
        {
            await ProblemAnswer.WriteAsync(http, e.StatusCode, "The request is not valid", e.Message);
        }
        catch (Exception e) when (e is ArgumentException or JsonException)
        {
            await ProblemAnswer.WriteAsync(http, StatusCodes.Status400BadRequest, "One or more of the arguments submitted is incorrect", e.Message);
        }
#pragma warning disable CA1031 // Whatever fails is answered with 500 and logged; the host goes on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            HostLog.ManagementFailed(logger, e);
            await ProblemAnswer.WriteAsync(http, StatusCodes.Status500InternalServerError, "Something went wrong while processing your request");
        }
    }

    private async Task GetAsync(HttpContext http, string instanceId)
    {
        if (await work.Host.GetManagementStatusAsync(instanceId, http.RequestAborted) is not { } status)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        JsonObject body = status.Body;
        if (Query<bool>(http, "showInput", bool.TryParse) == false)
        {
            body["input"] = null;
        }

        int code = status.StatusCode;
        if (Query<bool>(http, "returnInternalServerErrorOnFailure", bool.TryParse) == true && (string?)body["runtimeStatus"] == nameof(OrchestrationRuntimeStatus.Failed))
        {
            code = StatusCodes.Status500InternalServerError;
        }

        if (code == StatusCodes.Status202Accepted)
        {
            http.Response.Headers.Location = Address(http, instanceId);
            http.Response.Headers.RetryAfter = "5";
        }

        await WriteAsync(http, code, body);
    }

    private async Task ListAsync(HttpContext http, string none)
    {
        var query = new OrchestrationQuery
        {
            CreatedFrom = Query<DateTimeOffset>(http, "createdTimeFrom", ParseTime),
            CreatedTo = Query<DateTimeOffset>(http, "createdTimeTo", ParseTime),
            Statuses = Statuses(http),
            InstanceIdPrefix = http.Request.Query["instanceIdPrefix"].FirstOrDefault(),
            PageSize = Query<int>(http, "top", int.TryParse) ?? 100,
            ContinuationToken = http.Request.Headers["x-ms-continuation-token"].FirstOrDefault(),
        };
        var instances = new JsonArray();
        await foreach (Page<OrchestrationMetadata> page in work.Client.GetAllInstancesAsync(query).AsPages(query.ContinuationToken))
        {
            foreach (OrchestrationMetadata instance in page.Values)
            {
                if (await work.Host.GetManagementStatusAsync(instance.InstanceId, http.RequestAborted) is { } status)
                {
                    if (Query<bool>(http, "showInput", bool.TryParse) == false)
                    {
                        status.Body["input"] = null;
                    }

                    instances.Add(status.Body);
                }
            }

            http.Response.Headers["x-ms-continuation-token"] = page.ContinuationToken;
            break;
        }

        await WriteAsync(http, StatusCodes.Status200OK, instances);
    }

    private async Task PurgeAsync(HttpContext http, string instanceId)
    {
        if (await work.Client.GetInstanceAsync(instanceId, false, http.RequestAborted) is null)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        PurgeResult result = await work.Client.PurgeInstanceAsync(instanceId, http.RequestAborted);
        await WriteAsync(http, StatusCodes.Status200OK, new JsonObject { ["instancesDeleted"] = result.PurgedInstanceCount });
    }

    private async Task PurgeManyAsync(HttpContext http, string none)
    {
        if (Query<DateTimeOffset>(http, "createdTimeFrom", ParseTime) is not { } from)
        {
            throw new ArgumentException("Please provide value for 'createdTimeFrom' parameter.");
        }

        PurgeResult result = await work.Client.PurgeAllInstancesAsync(
            new PurgeInstancesFilter(from, Query<DateTimeOffset>(http, "createdTimeTo", ParseTime), Statuses(http)), http.RequestAborted);
        if (result.PurgedInstanceCount == 0)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        await WriteAsync(http, StatusCodes.Status200OK, new JsonObject { ["instancesDeleted"] = result.PurgedInstanceCount });
    }

    private async Task RaiseEventAsync(HttpContext http, string instanceId)
    {
        string text = await ReadAsync(http);
        if (!http.Request.HasJsonContentType())
        {
            throw new BadHttpRequestException("Only application/json request content is supported");
        }

        JsonNode? payload = text.Length == 0 ? null : JsonNode.Parse(text);
        await ChangeAsync(http, instanceId, (client, _) => client.RaiseEventAsync(
            instanceId, (string)http.Request.RouteValues["eventName"]!, payload, http.RequestAborted));
    }

    // 202 for an instance that is active, 410 for one that has ended, 404 for none.
    private async Task ChangeAsync(HttpContext http, string instanceId, Func<DurableTaskClient, string?, Task> change)
    {
        OrchestrationMetadata? instance = await work.Client.GetInstanceAsync(instanceId, false, http.RequestAborted);
        if (instance is null || instance.IsCompleted)
        {
            http.Response.StatusCode = instance is null ? StatusCodes.Status404NotFound : StatusCodes.Status410Gone;
            return;
        }

        await change(work.Client, http.Request.Query["reason"].FirstOrDefault());
        http.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    private async Task StartAsync(HttpContext http, string instanceId)
    {
        string name = (string)http.Request.RouteValues["functionName"]!;
        if (!functions.OrchestratorNames.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new ArgumentException($"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function. The available orchestrators are: {string.Join(", ", functions.OrchestratorNames)}.");
        }

        string text = await ReadAsync(http);
        string id = await work.Client.ScheduleNewOrchestrationInstanceAsync(
            name,
            text.Length == 0 ? null : JsonNode.Parse(text),
            new StartOrchestrationOptions(instanceId.Length == 0 ? null : instanceId),
            http.RequestAborted);
        string address = Address(http, id);
        http.Response.Headers.Location = address;
        http.Response.Headers.RetryAfter = "10";
        await WriteAsync(http, StatusCodes.Status202Accepted, new JsonObject
        {
            ["id"] = id,
            ["statusQueryGetUri"] = address,
            ["sendEventPostUri"] = address + "/raiseEvent/{eventName}",
            ["terminatePostUri"] = address + "/terminate?reason={text}",
            ["suspendPostUri"] = address + "/suspend?reason={text}",
            ["resumePostUri"] = address + "/resume?reason={text}",
            ["purgeHistoryDeleteUri"] = address,
        });
    }

    /// <summary>A body: the input of an instance, the payload of an event.</summary>
    private static async Task<string> ReadAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBody;
        }

        using var reader = new StreamReader(http.Request.Body);
        return await reader.ReadToEndAsync(http.RequestAborted);
    }

    private static string Address(HttpContext http, string instanceId) =>
        $"{http.Request.Scheme}://{http.Request.Host}{Base}/instances/{Uri.EscapeDataString(instanceId)}";

    private static Task WriteAsync(HttpContext http, int status, JsonNode body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        return http.Response.WriteAsync(body.ToJsonString(), http.RequestAborted);
    }

    private static List<OrchestrationRuntimeStatus>? Statuses(HttpContext http)
    {
        List<OrchestrationRuntimeStatus> statuses =
            [.. from value in http.Request.Query["runtimeStatus"]
                from name in (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                select Enum.TryParse(name, ignoreCase: true, out OrchestrationRuntimeStatus status)
                    ? status
                    : throw new ArgumentException($"'{name}' is no runtime status.")];
        return statuses.Count == 0 ? null : statuses;
    }

    private delegate bool Parser<T>(string? text, out T value);

    private static T? Query<T>(HttpContext http, string name, Parser<T> parse)
        where T : struct
    {
        string? text = http.Request.Query[name];
        return string.IsNullOrEmpty(text) ? null
            : parse(text, out T value) ? value
            : throw new ArgumentException($"The value '{text}' of '{name}' is not valid.");
    }

    private static bool ParseTime(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
}
