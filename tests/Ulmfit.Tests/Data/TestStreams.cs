namespace Ulmfit.Tests.Data;

/// <summary>A beginning, very many letters, an end: a large file without its memory.</summary>
internal sealed class FillerStream(byte[] before, long filler, byte[] after) : TestStream
{
    private long position;

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, before.Length + filler + after.Length - position);
        for (int i = 0; i < count; i++, position++)
        {
            buffer[i] = position < before.Length ? before[position]
                : position < before.Length + filler ? (byte)'a'
                : after[position - before.Length - filler];
        }

        return count;
    }
}

/// <summary>Hands out its bytes a few at a time, as networks do.</summary>
internal sealed class PortionStream(byte[] content, int portion) : TestStream
{
    private int position;

    public override int Read(Span<byte> buffer)
    {
        int count = Math.Min(Math.Min(buffer.Length, portion), content.Length - position);
        content.AsSpan(position, count).CopyTo(buffer);
        position += count;
        return count;
    }
}

internal abstract class TestStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override int Read(Span<byte> buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
