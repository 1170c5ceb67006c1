namespace DurableTask.Core.Exceptions;

/// <summary>An orchestrator did something else in replay than its history says. It fails the instance.</summary>
public class NonDeterministicOrchestrationException : OrchestrationException
{
    /// <summary>An exception without a message.</summary>
    public NonDeterministicOrchestrationException()
    {
    }

    /// <summary>An exception with a message.</summary>
    /// <param name="message">The message.</param>
    public NonDeterministicOrchestrationException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public NonDeterministicOrchestrationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>An exception about one event of the history.</summary>
    /// <param name="eventId">The event's sequence number.</param>
    /// <param name="eventDetails">What differs.</param>
    public NonDeterministicOrchestrationException(int eventId, string eventDetails)
        : base("Non-Deterministic workflow detected: " + eventDetails) => EventId = eventId;
}
