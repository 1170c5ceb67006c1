using System.Security.Cryptography;

namespace Ulmfit.Pipeline.Documents;

/// <summary>Reads another stream, digests and counts what it reads, and ends the reading when there is too much.</summary>
/// <param name="inner">What is read; not closed.</param>
/// <param name="hash">Takes what is read.</param>
/// <param name="limit">The most bytes.</param>
/// <param name="tooMuch">Makes the exception that ends the reading.</param>
internal sealed class DigestingStream(Stream inner, IncrementalHash hash, long limit = long.MaxValue, Func<Exception>? tooMuch = null) : Stream
{
    private long total;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => total;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer) => Took(buffer[..inner.Read(buffer)]);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return Took(buffer.Span[..read]);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Took(ReadOnlySpan<byte> bytes)
    {
        total += bytes.Length;
        if (total > limit)
        {
            throw tooMuch?.Invoke() ?? new IOException($"There are more than {limit} bytes.");
        }
        hash.AppendData(bytes);
        return bytes.Length;
    }
}
