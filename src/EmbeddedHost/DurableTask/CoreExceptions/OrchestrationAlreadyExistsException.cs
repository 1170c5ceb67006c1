namespace DurableTask.Core.Exceptions;

/// <summary>An instance with the given id exists, in a status that the id may not be reused in.</summary>
public class OrchestrationAlreadyExistsException : InvalidOperationException
{
    /// <summary>An exception without a message.</summary>
    public OrchestrationAlreadyExistsException()
    {
    }

    /// <summary>An exception with a message.</summary>
    /// <param name="message">The message.</param>
    public OrchestrationAlreadyExistsException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public OrchestrationAlreadyExistsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
