namespace Microsoft.Azure.Functions.Worker;

/// <summary>The recorded occurrences of a timer, in local time.</summary>
public class ScheduleStatus
{
    /// <summary>The last occurrence; the default value where there was none.</summary>
    public DateTime Last { get; set; }

    /// <summary>The next expected occurrence.</summary>
    public DateTime Next { get; set; }

    /// <summary>When this record was written.</summary>
    public DateTime LastUpdated { get; set; }
}
