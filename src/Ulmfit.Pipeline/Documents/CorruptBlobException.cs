namespace Ulmfit.Pipeline.Documents;

/// <summary>A blob is not what was written: its checksum or digest does not fit its content. It is never used.</summary>
public sealed class CorruptBlobException : PipelineException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="blob">Container and name.</param>
    /// <param name="finding">What does not fit.</param>
    /// <param name="cause">The cause, if another exception told it.</param>
    public CorruptBlobException(string blob, string finding, Exception? cause = null)
        : base($"{blob} is damaged: {finding}. {DamageRemedy.Of(blob)}", cause) => Blob = blob;

    /// <summary>Container and name.</summary>
    public string Blob { get; }
}
