using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace EmbeddedHost.Durable;

/// <summary>
/// An append-only file of frames. A frame is a mark, the length of its payload, a checksum of both, and the payload. Every frame
/// is on disk before the next one is begun, so that an interrupted write can only damage the last one.
/// </summary>
internal sealed class LogFile : IDisposable
{
    // The mark's first two bytes never occur in the UTF-8 of a payload, so no payload can look like a frame.
    private const uint Mark = 0x3148_D7FF;
    private const int HeaderLength = 12;

    private readonly SafeFileHandle handle;

    private LogFile(string path, SafeFileHandle handle, long length)
    {
        Path = path;
        this.handle = handle;
        Length = length;
    }

    public string Path { get; }

    /// <summary>The bytes that are written and flushed.</summary>
    public long Length { get; private set; }

    /// <summary>Makes a file with its first frame, under its final name only when it is complete.</summary>
    public static LogFile Create(string path, ReadOnlySpan<byte> payload)
    {
        string temporary = path + ".tmp";
        SafeFileHandle handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        var file = new LogFile(path, handle, 0);
        try
        {
            file.Append(payload);
            File.Move(temporary, path, overwrite: true);
            DirectorySync.Flush(System.IO.Path.GetDirectoryName(path)!);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file to append behind its valid frames.</summary>
    public static LogFile Open(string path, long validLength) => new(
        path, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete), validLength);

    /// <summary>
    /// Reads the payloads of all frames. A damaged end, which an interrupted write leaves, is left out; damage with a valid
    /// frame behind it is none of that kind.
    /// </summary>
    /// <exception cref="HistoryCorruptedException">There is damage before the end.</exception>
    public static LogContent Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        var payloads = new List<ReadOnlyMemory<byte>>();
        int offset = 0;
        while (offset < bytes.Length)
        {
            if (!TryReadFrame(bytes, offset, out ReadOnlyMemory<byte> payload))
            {
                for (int later = offset + 1; later <= bytes.Length - HeaderLength; later++)
                {
                    if (TryReadFrame(bytes, later, out _))
                    {
                        throw new HistoryCorruptedException(
                            path, offset, $"no valid record there, but one at byte {later}, so this is no interrupted write");
                    }
                }

                break;
            }

            payloads.Add(payload);
            offset += HeaderLength + payload.Length;
        }

        return new LogContent(payloads, offset, bytes.Length - offset);
    }

    /// <summary>Writes a frame and waits until it is on disk.</summary>
    public void Append(ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[HeaderLength + payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Mark);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), payload.Length);
        payload.CopyTo(frame.AsSpan(HeaderLength));
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), Checksum(frame.AsSpan(4, 4), payload));

        // Length grows only when all is on disk, so a frame that could not be written whole is overwritten by the next one.
        LogWrites.Tell(LogWrites.Begins, Path, handle, Length, frame);
        RandomAccess.Write(handle, frame, Length);
        RandomAccess.FlushToDisk(handle);
        LogWrites.Tell(LogWrites.IsOnDisk, Path, handle, Length, frame);
        Length += frame.Length;
    }

    public void Dispose() => handle.Dispose();

    private static bool TryReadFrame(byte[] bytes, int offset, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        ReadOnlySpan<byte> rest = bytes.AsSpan(offset);
        if (rest.Length < HeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(rest) != Mark)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
        if (length < 0 || length > rest.Length - HeaderLength
            || BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]) != Checksum(rest.Slice(4, 4), rest.Slice(HeaderLength, length)))
        {
            return false;
        }

        payload = bytes.AsMemory(offset + HeaderLength, length);
        return true;
    }

    private static uint Checksum(ReadOnlySpan<byte> length, ReadOnlySpan<byte> payload) =>
        Crc32C.Compute(payload, Crc32C.Compute(length));
}
