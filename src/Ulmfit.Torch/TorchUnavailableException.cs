namespace Ulmfit.Torch;

/// <summary>libtorch, the native library that does the arithmetic, cannot be loaded here. The message says what to do.</summary>
public sealed class TorchUnavailableException : Exception
{
    /// <summary>An exception with a message.</summary>
    public TorchUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message, and what kept the library from being loaded.</summary>
    public TorchUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
