namespace Microsoft.DurableTask;

/// <summary>How an orchestration restarts itself.</summary>
public class ContinueAsNewOptions
{
    /// <summary>The input of the next execution.</summary>
    public object? NewInput { get; set; }

    /// <summary>Whether events that nobody has taken yet go on to the next execution.</summary>
    public bool PreserveUnprocessedEvents { get; set; } = true;

    /// <summary>The version of the next execution, or the present one.</summary>
    public string? NewVersion { get; set; }
}
