using Azure;

namespace Ulmfit.Storage;

/// <summary>Reads one version of a blob over ranged requests that name it; failures of the service become <see cref="IOException"/>.</summary>
internal sealed class AzureReadStream(Stream ranges, string shown) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => ranges.Length;

    public override long Position
    {
        get => ranges.Position;
        set => ranges.Position = value;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        try
        {
            return ranges.Read(buffer, offset, count);
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw Failure(e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await ranges.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw Failure(e);
        }
    }

    public override long Seek(long offset, SeekOrigin origin) => ranges.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("A blob opened for reading.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A blob opened for reading.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            ranges.Dispose();
        }
        base.Dispose(disposing);
    }

    private IOException Failure(Exception e) =>
        e is RequestFailedException { Status: 412 or 404 }
            ? new IOException($"{shown} was replaced or deleted while it was being read. Read it again.", e)
            : AzureFailure.Of(e, "read", shown);
}
