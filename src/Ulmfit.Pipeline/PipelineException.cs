namespace Ulmfit.Pipeline;

/// <summary>
/// Something that trying again does not mend. The message is for the person who can: it says what is wrong and what to do.
/// </summary>
public class PipelineException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="cause">The cause, if another exception told it.</param>
    public PipelineException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
