using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Ulmfit.Data;

/// <summary>A line of a file.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Text">Without its line end; null if it is too long to be held. Bytes that are no UTF-8 stand as U+FFFD.</param>
/// <param name="Problem">Why no row of it can be used; null if it is fine.</param>
/// <param name="Column">The character at which the problem is, from 1.</param>
internal readonly record struct PhysicalLine(long Number, string? Text, string? Problem = null, int? Column = null);

/// <summary>
/// Reads UTF-8 line by line in bounded memory. A line ends with \n, \r\n or \r; what is beyond the limit is passed over
/// without being kept.
/// </summary>
internal sealed class PhysicalLineReader
{
    private const int BytesPerCharacter = 3;

    private readonly Stream stream;
    private readonly int maxLength;
    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly ArrayBufferWriter<byte> line = new();
    private int position;
    private int count;
    private long number;
    private bool skipLineFeed;
    private bool ended;

    internal PhysicalLineReader(Stream stream, int maxLength)
    {
        this.stream = stream;
        this.maxLength = maxLength;
    }

    /// <summary>The next line, null at the end of the file.</summary>
    internal PhysicalLine? Next()
    {
        line.ResetWrittenCount();
        bool any = false;
        bool tooLong = false;
        while (true)
        {
            if (position == count && !Fill())
            {
                return any ? Finish(tooLong) : null;
            }

            if (skipLineFeed)
            {
                skipLineFeed = false;
                if (buffer[position] == (byte)'\n')
                {
                    position++;
                    continue;
                }
            }

            any = true;
            ReadOnlySpan<byte> rest = buffer.AsSpan(position, count - position);
            int end = rest.IndexOfAny((byte)'\n', (byte)'\r');
            ReadOnlySpan<byte> part = end < 0 ? rest : rest[..end];
            if (line.WrittenCount + (long)part.Length > (long)maxLength * BytesPerCharacter)
            {
                tooLong = true;
            }
            else if (!tooLong)
            {
                line.Write(part);
            }

            if (end < 0)
            {
                position = count;
                continue;
            }

            skipLineFeed = rest[end] == (byte)'\r';
            position += end + 1;
            return Finish(tooLong);
        }
    }

    private bool Fill()
    {
        if (ended)
        {
            return false;
        }

        position = 0;
        count = stream.Read(buffer);
        ended = count == 0;
        return !ended;
    }

    private PhysicalLine Finish(bool tooLong)
    {
        number++;
        ReadOnlySpan<byte> bytes = line.WrittenSpan;
        string? text = tooLong ? null : Encoding.UTF8.GetString(bytes);
        if (text is null || text.Length > maxLength)
        {
            return new PhysicalLine(number, null, $"The row is longer than the {maxLength} characters allowed.");
        }

        if (!Utf8.IsValid(bytes))
        {
            return InvalidByte(bytes, text);
        }

        int control = text.AsSpan().IndexOf('\0');
        return control >= 0
            ? new PhysicalLine(number, text, "The row contains a NUL character.", control + 1)
            : new PhysicalLine(number, text);
    }

    private PhysicalLine InvalidByte(ReadOnlySpan<byte> bytes, string text)
    {
        int offset = 0;
        int column = 1;
        while (Rune.DecodeFromUtf8(bytes[offset..], out Rune rune, out int length) == OperationStatus.Done)
        {
            offset += length;
            column += rune.Utf16SequenceLength;
        }

        return new PhysicalLine(
            number, text,
            $"Byte 0x{bytes[offset]:X2} (byte {offset + 1} of the line) is not UTF-8; the file may be saved in another encoding such as Latin-1.",
            column);
    }
}
