namespace Ulmfit.Pipeline.Datasets;

/// <summary>A drop sent in is larger than the largest that is taken.</summary>
public sealed class DropTooLargeException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="limit">The largest drop, bytes.</param>
    public DropTooLargeException(long limit)
        : base($"The drop has more than {limit} bytes, the most that are taken. Send it in parts, or compressed (.gz).") => Limit = limit;

    /// <summary>The largest drop, bytes.</summary>
    public long Limit { get; }
}
