using System.Text.Json.Nodes;

namespace EmbeddedHost.Durable;

/// <summary>Host plumbing: the answer to <c>GET /runtime/webhooks/durabletask/instances/{id}</c>.</summary>
/// <param name="StatusCode">202 while the instance is active, 200 when it has ended.</param>
/// <param name="Body">
/// <c>{name, instanceId, runtimeStatus, input, customStatus, output, createdTime, lastUpdatedTime}</c>.
/// </param>
public sealed record ManagementStatus(int StatusCode, JsonObject Body);
