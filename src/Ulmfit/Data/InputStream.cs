using System.IO.Compression;
using System.Text;
using System.Text.Unicode;

namespace Ulmfit.Data;

/// <summary>Opens a file's bytes: decompresses .gz within bounds, refuses what is no text, turns UTF-16 into UTF-8.</summary>
internal static class InputStream
{
    private const int SampleSize = 64 * 1024;

    /// <summary>
    /// <see cref="GZipStream"/> takes the end of its input for the end of the content, so that half a file reads as a whole
    /// one. Therefore another gzip member is put behind the file's bytes: what it holds comes out only if all before it was
    /// complete.
    /// </summary>
    private static readonly byte[] EndMark = "\u0001end of the compressed file\u0004"u8.ToArray();

    private static readonly byte[] EndMember = Compress(EndMark);

    private static readonly (byte[] Magic, string Name)[] BinaryFormats =
    [
        ([0x1F, 0x8B], "a gzip file; its name must end in .gz"),
        ("PK\u0003\u0004"u8.ToArray(), "a zip file or office document; save it as UTF-8 .csv or compress it with gzip"),
        ("%PDF-"u8.ToArray(), "a PDF document"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "a PNG picture"),
        ([0xFF, 0xD8, 0xFF], "a JPEG picture"),
        ("PAR1"u8.ToArray(), "a Parquet file"),
        ("SQLite format 3"u8.ToArray(), "an SQLite database"),
    ];

    /// <summary>The file's text as UTF-8 without a byte order mark. The caller keeps ownership of <paramref name="content"/>.</summary>
    /// <exception cref="FileRefusedException">The file cannot be text, or is empty; also thrown while reading.</exception>
    internal static Stream Open(Stream content, string fileName, LabeledDataOptions options)
    {
        var counted = new CountingStream(content);
        Stream input = counted;
        bool compressed = fileName.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        if (compressed)
        {
            var packed = new SampledStream(counted, SampleSize);
            if (packed.Sample.IsEmpty)
            {
                throw new FileRefusedException("The file is empty.");
            }

            if (!packed.Sample.StartsWith(new byte[] { 0x1F, 0x8B }))
            {
                throw new FileRefusedException("The name ends in .gz, but the content is not gzip.");
            }

            input = new CompleteStream(new GZipStream(new FollowedStream(packed, EndMember), CompressionMode.Decompress), EndMark);
        }

        var text = new SampledStream(new BoundedStream(input, compressed ? counted : null, options), SampleSize);
        ReadOnlySpan<byte> sample = text.Sample;
        Encoding? wide = sample.StartsWith(new byte[] { 0xFF, 0xFE }) ? Encoding.Unicode
            : sample.StartsWith(new byte[] { 0xFE, 0xFF }) ? Encoding.BigEndianUnicode
            : null;
        if (wide is not null)
        {
            text = new SampledStream(Encoding.CreateTranscodingStream(text, wide, Encoding.UTF8), SampleSize);
            sample = text.Sample;
        }

        if (sample.StartsWith(Encoding.UTF8.Preamble))
        {
            text.Skip(Encoding.UTF8.Preamble.Length);
            sample = text.Sample;
        }

        CheckIsText(sample);
        return text;
    }

    private static void CheckIsText(ReadOnlySpan<byte> sample)
    {
        if (sample.IsEmpty)
        {
            throw new FileRefusedException("The file is empty.");
        }

        foreach ((byte[] magic, string name) in BinaryFormats)
        {
            if (sample.StartsWith(magic))
            {
                throw new FileRefusedException($"The file is {name}.");
            }
        }

        int zeros = sample.Count((byte)0);
        int controls = 0;
        foreach (byte b in sample)
        {
            controls += (b < 32 && b is not (byte)'\t' and not (byte)'\n' and not (byte)'\r') || b == 127 ? 1 : 0;
        }

        if (zeros * 4L >= sample.Length && sample.Length >= 8)
        {
            throw new FileRefusedException(
                "The file is binary, or UTF-16 without a byte order mark: a quarter of its bytes are zero. Save it as UTF-8.");
        }

        // A stray control character rejects its line; a file full of them is no text.
        if (zeros * 100L >= sample.Length || controls * 20L > sample.Length)
        {
            throw new FileRefusedException(
                $"The file is binary, not text: {controls} of its first {sample.Length} bytes are control characters.");
        }

        int invalid = CountInvalid(sample);
        if (invalid * 4L > sample.Length)
        {
            throw new FileRefusedException(
                $"The file is not UTF-8: {invalid} of its first {sample.Length} bytes fit no character. Save it as UTF-8.");
        }
    }

    private static byte[] Compress(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    private static int CountInvalid(ReadOnlySpan<byte> sample)
    {
        if (Utf8.IsValid(sample))
        {
            return 0;
        }

        int invalid = 0;
        while (!sample.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(sample, out _, out int length) != System.Buffers.OperationStatus.Done)
            {
                invalid += length;
            }

            sample = sample[length..];
        }

        return invalid;
    }

    /// <summary>Counts what is read from a stream that belongs to someone else.</summary>
    private sealed class CountingStream(Stream inner) : ReadOnlyStream
    {
        internal long Count { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            Count += read;
            return read;
        }
    }

    /// <summary>A stream with some bytes behind it.</summary>
    private sealed class FollowedStream(Stream inner, byte[] after) : ReadOnlyStream
    {
        private int position = -1;

        public override int Read(Span<byte> buffer)
        {
            if (position < 0)
            {
                int read = inner.Read(buffer);
                if (read > 0 || buffer.IsEmpty)
                {
                    return read;
                }

                position = 0;
            }

            int count = Math.Min(buffer.Length, after.Length - position);
            after.AsSpan(position, count).CopyTo(buffer);
            position += count;
            return count;
        }
    }

    /// <summary>Takes the mark off the end of a stream, which is damaged if it has none.</summary>
    private sealed class CompleteStream(Stream inner, byte[] mark) : ReadOnlyStream
    {
        private readonly byte[] buffer = new byte[32 * 1024];
        private int begin;
        private int end;
        private bool finished;

        public override int Read(Span<byte> buffer)
        {
            while (!finished && end - begin <= mark.Length)
            {
                this.buffer.AsSpan(begin, end - begin).CopyTo(this.buffer);
                end -= begin;
                begin = 0;
                int read = inner.Read(this.buffer.AsSpan(end));
                end += read;
                if (read == 0)
                {
                    finished = true;
                    if (!this.buffer.AsSpan(0, end).SequenceEqual(mark))
                    {
                        throw new InvalidDataException("The compressed data is not complete.");
                    }
                }
            }

            if (finished)
            {
                return 0;
            }

            int count = Math.Min(buffer.Length, end - begin - mark.Length);
            this.buffer.AsSpan(begin, count).CopyTo(buffer);
            begin += count;
            return count;
        }
    }

    /// <summary>Ends reading when the content grows beyond the bounds, and names what gzip finds wrong.</summary>
    private sealed class BoundedStream(Stream inner, CountingStream? compressed, LabeledDataOptions options) : ReadOnlyStream
    {
        private const long FreeOfRatio = 16L << 20;

        private long count;

        public override int Read(Span<byte> buffer)
        {
            int read;
            try
            {
                read = inner.Read(buffer);
            }
            catch (InvalidDataException e) when (compressed is not null)
            {
                throw new FileRefusedException(
                    $"The gzip data is damaged or ends too early, somewhere behind {count} bytes of content; upload it again ({e.Message})");
            }

            count += read;
            if (count > options.MaxBytes)
            {
                throw new FileRefusedException($"The file has more than the {options.MaxBytes} bytes allowed.");
            }

            if (compressed is not null && count > FreeOfRatio && count / Math.Max(1, compressed.Count) > options.MaxCompressionRatio)
            {
                throw new FileRefusedException(
                    $"The gzip data unpacks to more than {options.MaxCompressionRatio} times its size, which text does not: refused as a zip bomb.");
            }

            return read;
        }
    }

    /// <summary>Reads the beginning ahead, so that it can be looked at before it is read.</summary>
    private sealed class SampledStream : ReadOnlyStream
    {
        private readonly Stream inner;
        private readonly byte[] sample;
        private readonly int length;
        private int position;

        internal SampledStream(Stream inner, int size)
        {
            this.inner = inner;
            sample = new byte[size];
            length = inner.ReadAtLeast(sample, size, throwOnEndOfStream: false);
        }

        internal ReadOnlySpan<byte> Sample => sample.AsSpan(position, length - position);

        internal void Skip(int count) => position += count;

        public override int Read(Span<byte> buffer)
        {
            if (position == length)
            {
                return inner.Read(buffer);
            }

            int count = Math.Min(buffer.Length, length - position);
            sample.AsSpan(position, count).CopyTo(buffer);
            position += count;
            return count;
        }
    }

    private abstract class ReadOnlyStream : Stream
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

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public abstract override int Read(Span<byte> buffer);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
