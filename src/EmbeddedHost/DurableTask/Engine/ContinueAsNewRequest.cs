namespace EmbeddedHost.Durable;

/// <summary>What an orchestrator wants of its next execution.</summary>
internal sealed record ContinueAsNewRequest(string? Input, string? Version);
