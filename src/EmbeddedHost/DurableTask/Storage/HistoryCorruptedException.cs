namespace EmbeddedHost.Durable;

/// <summary>
/// The history of an orchestration instance is damaged at a place that no interrupted write explains. The instance is set aside:
/// it does not run, and every operation on it but purging throws this.
/// </summary>
public sealed class HistoryCorruptedException : IOException
{
    /// <summary>Damage found in a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offset">Where in the file, in bytes.</param>
    /// <param name="found">What is wrong there.</param>
    public HistoryCorruptedException(string path, long offset, string found)
        : base($"The orchestration history '{path}' is damaged at byte {offset}: {found}. Restore the file from a copy, or purge the instance.")
    {
        Path = path;
        Offset = offset;
        Found = found;
    }

    /// <summary>The damaged file.</summary>
    public string Path { get; }

    /// <summary>What is wrong there.</summary>
    public string Found { get; }

    /// <summary>Where the damage begins, in bytes.</summary>
    public long Offset { get; }
}
