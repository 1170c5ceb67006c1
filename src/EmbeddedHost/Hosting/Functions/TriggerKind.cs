namespace EmbeddedHost;

/// <summary>What starts a function.</summary>
internal enum TriggerKind
{
    Http,
    Blob,
    Timer,
    Orchestration,
    Activity,
}
