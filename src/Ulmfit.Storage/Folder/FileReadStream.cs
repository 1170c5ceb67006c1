namespace Ulmfit.Storage.Folder;

/// <summary>
/// Reads one version of a file. The store replaces files and so leaves an open one alone; a program that writes into the file in
/// place is noticed, and the read throws instead of giving a mixture.
/// </summary>
internal sealed class FileReadStream(FileStream file, FileVersion version, string shown) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => version.Length;

    public override long Position
    {
        get => file.Position;
        set => file.Position = value;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var read = file.Read(buffer);
        Check();
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Check();
        return read;
    }

    public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("A blob opened for reading.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A blob opened for reading.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Check()
    {
        if (!FileVersion.Of(file.SafeFileHandle, file.Name).HasContentOf(version))
        {
            throw new IOException($"{shown} was changed in place by another program while it was being read. Read it again.");
        }
    }
}
