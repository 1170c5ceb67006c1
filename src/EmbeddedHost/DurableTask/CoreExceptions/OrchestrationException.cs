namespace DurableTask.Core.Exceptions;

/// <summary>The base of what the orchestration engine throws.</summary>
public class OrchestrationException : Exception
{
    /// <summary>An exception without a message.</summary>
    public OrchestrationException()
    {
    }

    /// <summary>An exception with a message.</summary>
    /// <param name="message">The message.</param>
    public OrchestrationException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public OrchestrationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The sequence number of the event that it is about.</summary>
    public int EventId { get; set; }
}
