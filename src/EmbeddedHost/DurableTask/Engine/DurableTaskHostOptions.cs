using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;

namespace EmbeddedHost.Durable;

/// <summary>Host plumbing: the settings of a <see cref="DurableTaskHost"/>.</summary>
public sealed record DurableTaskHostOptions
{
    /// <summary>The folder that holds the task hubs, such as <c>.data/durable</c>; made if absent.</summary>
    public required string Folder { get; init; }

    /// <summary>The task hub, a sub-folder: host.json's <c>durableTask.hubName</c>.</summary>
    public string HubName { get; init; } = "TestHubName";

    /// <summary>How many activities run at a time: host.json's <c>maxConcurrentActivityFunctions</c>, by default ten a processor.</summary>
    public int MaxConcurrentActivityFunctions { get; init; } = 10 * Environment.ProcessorCount;

    /// <summary>How many orchestrators run at a time: host.json's <c>maxConcurrentOrchestratorFunctions</c>, by default ten a processor.</summary>
    public int MaxConcurrentOrchestratorFunctions { get; init; } = 10 * Environment.ProcessorCount;

    /// <summary>The version of instances that are scheduled without one: host.json's <c>defaultVersion</c>.</summary>
    public string? DefaultVersion { get; init; }

    /// <summary>Which orchestrations the host runs, compared with <see cref="DefaultVersion"/>: host.json's <c>versionMatchStrategy</c>.</summary>
    public VersionMatchStrategy VersionMatch { get; init; }

    /// <summary>What becomes of the others: host.json's <c>versionFailureStrategy</c>.</summary>
    public VersionFailureStrategy VersionFailure { get; init; }

    /// <summary>
    /// What writes and reads payloads. By default as the isolated worker does: System.Text.Json, property names as declared,
    /// read without regard to case.
    /// </summary>
    public DataConverter DataConverter { get; init; } =
        new JsonDataConverter(new JsonSerializerOptions { PropertyNameCaseInsensitive = true });
}
