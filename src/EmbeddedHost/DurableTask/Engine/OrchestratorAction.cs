namespace EmbeddedHost.Durable;

/// <summary>Something that an orchestrator did and that its history does not hold yet.</summary>
internal abstract record OrchestratorAction(int Id)
{
    /// <summary>What it is called in the message of a non-determinism.</summary>
    public abstract string Kind { get; }
}

internal sealed record ScheduleActivity(int Id, string Name, string? Version, string? Input) : OrchestratorAction(Id)
{
    public override string Kind => "activity task";
}

internal sealed record CreateDurableTimer(int Id, DateTime FireAt) : OrchestratorAction(Id)
{
    public override string Kind => "timer";
}

internal sealed record StartSubOrchestration(int Id, string Name, string Version, string InstanceId, string? Input, IReadOnlyDictionary<string, string>? Tags)
    : OrchestratorAction(Id)
{
    public override string Kind => "sub-orchestration task";
}

internal sealed record SendExternalEvent(int Id, string InstanceId, string Name, string? Input) : OrchestratorAction(Id)
{
    public override string Kind => "send event task";
}
