namespace KillMatrix.Agent;

/// <summary>Where within a write the process ends.</summary>
internal enum KillMode
{
    /// <summary>Before the first byte.</summary>
    Before,

    /// <summary>When half of the bytes are in the temporary file, or at the end of the log.</summary>
    Torn,

    /// <summary>When all bytes are in the temporary file and it does not have its name yet.</summary>
    Unnamed,

    /// <summary>When the write has taken effect and nobody has been told.</summary>
    After,
}
