namespace KillMatrix.Agent;

/// <summary>Content of which the store gets half, or all but the word that this was all, when the process ends.</summary>
/// <param name="inner">The content.</param>
/// <param name="torn">Whether it is to be half only.</param>
/// <param name="kill">Ends the process.</param>
internal sealed class KillingStream(Stream inner, bool torn, Action kill) : Stream
{
    // Of content that does not tell its length, a body that is being received, this many bytes stand for half.
    private const int HalfOfUnknown = 1000;

    private long left = !torn ? long.MaxValue : inner.CanSeek ? (inner.Length - inner.Position) / 2 : HalfOfUnknown;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer) => Took(inner.Read(buffer[..Allowed(buffer.Length)]));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Took(await inner.ReadAsync(buffer[..Allowed(buffer.Length)], cancellationToken).ConfigureAwait(false));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Allowed(int wanted)
    {
        if (left == 0)
        {
            kill();
        }
        return (int)Math.Min(wanted, left);
    }

    private int Took(int read)
    {
        if (read == 0)
        {
            kill();
        }
        left -= read;
        return read;
    }
}
