using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ulmfit.Model;

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">The tensors, widened to 32-bit floats.</param>
/// <param name="Metadata">The strings under <c>__metadata__</c>.</param>
public sealed record SafetensorsFile(StateDict Tensors, IReadOnlyDictionary<string, string> Metadata);

/// <summary>
/// The safetensors format: eight bytes of header length, a JSON header that names type, shape and byte range of each
/// tensor, then the raw little-endian bytes. Equal content gives equal bytes: names are in ordinal order.
/// </summary>
public static class Safetensors
{
    private const long MaximumHeader = 100_000_000;

    /// <summary>Writes the tensors as F32, or as F16 when <paramref name="half"/>.</summary>
    public static void Write(Stream destination, StateDict tensors, IReadOnlyDictionary<string, string>? metadata = null, bool half = false)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(tensors);
        byte[] header = Header(tensors, metadata, half);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        destination.Write(length);
        destination.Write(header);
        byte[] buffer = new byte[1 << 16];
        foreach ((_, Tensor tensor) in tensors)
        {
            WriteElements(destination, tensor.Data, half, buffer);
        }
    }

    /// <summary>Reads a file whose tensors are F32, F16, BF16 or F64.</summary>
    /// <exception cref="InvalidDataException">The file is not safetensors, is cut short, or holds another type; the message says which.</exception>
    public static SafetensorsFile Read(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Span<byte> prefix = stackalloc byte[8];
        ReadExactly(source, prefix, "the header's length");
        long length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length is < 2 or > MaximumHeader)
        {
            throw new InvalidDataException($"Not a safetensors file: the header would be {length} bytes long.");
        }

        (List<Entry> entries, Dictionary<string, string> metadata) = ParseHeader(ReadHeader(source, (int)length));
        var tensors = new StateDict();
        long position = 0;
        foreach (Entry entry in entries.OrderBy(entry => entry.Begin))
        {
            if (entry.Begin != position)
            {
                throw new InvalidDataException($"The safetensors header leaves a gap or an overlap before '{entry.Name}': byte {position} was expected, {entry.Begin} found.");
            }

            tensors.Add(entry.Name, new Tensor(entry.Shape, ReadElements(source, entry)));
            position = entry.End;
        }

        if (source.ReadByte() != -1)
        {
            throw new InvalidDataException("The safetensors file goes on after its last tensor.");
        }

        return new SafetensorsFile(tensors, metadata);
    }

    private static byte[] Header(StateDict tensors, IReadOnlyDictionary<string, string>? metadata, bool half)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach ((string name, Tensor tensor) in tensors)
            {
                long end = offset + ((long)tensor.Data.Length * (half ? 2 : 4));
                json.WriteStartObject(name);
                json.WriteString("dtype", half ? "F16" : "F32");
                json.WriteStartArray("shape");
                foreach (int extent in tensor.Shape)
                {
                    json.WriteNumberValue(extent);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        // The data must begin at a multiple of eight bytes; the format pads the header with spaces.
        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    /// <summary>In growing blocks, so that a length which is a lie runs into the end of the file before it takes memory.</summary>
    private static ReadOnlyMemory<byte> ReadHeader(Stream source, int length)
    {
        const int Block = 1 << 16;
        byte[] header = new byte[Math.Min(length, Block)];
        for (int read = 0; ;)
        {
            ReadExactly(source, header.AsSpan(read), "the header");
            if (header.Length == length)
            {
                return header;
            }

            read = header.Length;
            Array.Resize(ref header, (int)Math.Min(length, 2L * read));
        }
    }

    private static (List<Entry> Entries, Dictionary<string, string> Metadata) ParseHeader(ReadOnlyMemory<byte> header)
    {
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            using var json = JsonDocument.Parse(header);
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name))
                {
                    throw new InvalidDataException($"The safetensors header names '{property.Name}' twice.");
                }

                if (property.Name == "__metadata__")
                {
                    foreach (JsonProperty pair in property.Value.EnumerateObject())
                    {
                        metadata[pair.Name] = pair.Value.GetString() ?? "";
                    }

                    continue;
                }

                int[] shape = [.. property.Value.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32())];
                JsonElement offsets = property.Value.GetProperty("data_offsets");
                var entry = new Entry(property.Name, property.Value.GetProperty("dtype").GetString() ?? "", shape, offsets[0].GetInt64(), offsets[1].GetInt64());
                entries.Add(entry.Checked());
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException)
        {
            throw new InvalidDataException("Not a safetensors file: its header is not the JSON that the format asks for.", exception);
        }

        return (entries, metadata);
    }

    private static void WriteElements(Stream destination, ReadOnlySpan<float> elements, bool half, byte[] buffer)
    {
        int size = half ? 2 : 4;
        while (!elements.IsEmpty)
        {
            int count = Math.Min(elements.Length, buffer.Length / size);
            ReadOnlySpan<float> block = elements[..count];
            if (half)
            {
                for (int i = 0; i < count; i++)
                {
                    BinaryPrimitives.WriteHalfLittleEndian(buffer.AsSpan(i * 2), (Half)block[i]);
                }
            }
            else if (BitConverter.IsLittleEndian)
            {
                MemoryMarshal.AsBytes(block).CopyTo(buffer);
            }
            else
            {
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<float, int>(block), MemoryMarshal.Cast<byte, int>(buffer.AsSpan()));
            }

            destination.Write(buffer, 0, count * size);
            elements = elements[count..];
        }
    }

    private static float[] ReadElements(Stream source, Entry entry)
    {
        // Read in blocks, so that a header which lies about sizes runs into the end of the file before it takes memory.
        const int Block = 1 << 20;
        int size = entry.ElementSize;
        long total = entry.End - entry.Begin;
        var bytes = new byte[Math.Min(Block, total)];
        var elements = new List<float>((int)Math.Min(total / size, source.CanSeek ? (source.Length - source.Position) / size : bytes.Length / size));
        for (long read = 0; read < total;)
        {
            Span<byte> block = bytes.AsSpan(0, (int)Math.Min(Block, total - read));
            ReadExactly(source, block, $"'{entry.Name}'");
            Widen(block, entry.Type, elements);
            read += block.Length;
        }

        return [.. elements];
    }

    private static void Widen(ReadOnlySpan<byte> block, string type, List<float> elements)
    {
        int start = elements.Count;
        int size = SizeOf(type);
        CollectionsMarshal.SetCount(elements, start + (block.Length / size));
        Span<float> target = CollectionsMarshal.AsSpan(elements)[start..];
        if (type == "F32" && BitConverter.IsLittleEndian)
        {
            block.CopyTo(MemoryMarshal.AsBytes(target));
            return;
        }

        for (int i = 0; i < target.Length; i++)
        {
            ReadOnlySpan<byte> element = block[(i * size)..];
            target[i] = size switch
            {
                sizeof(float) => BinaryPrimitives.ReadSingleLittleEndian(element),
                sizeof(double) => (float)BinaryPrimitives.ReadDoubleLittleEndian(element),
                _ when type == "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(element),
                _ => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(element) << 16),
            };
        }
    }

    private static void ReadExactly(Stream source, Span<byte> target, string what)
    {
        if (source.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length)
        {
            throw new InvalidDataException($"The safetensors file ends in the middle of {what}.");
        }
    }

    private static int SizeOf(string type) => type switch { "F16" or "BF16" => 2, "F32" => 4, "F64" => 8, _ => 0 };

    private sealed record Entry(string Name, string Type, int[] Shape, long Begin, long End)
    {
        public int ElementSize => SizeOf(Type);

        public Entry Checked()
        {
            if (ElementSize == 0)
            {
                throw new InvalidDataException($"The tensor '{Name}' is of the type '{Type}'; F32, F16, BF16 and F64 are read.");
            }

            long count = 1;
            foreach (int extent in Shape)
            {
                if (extent < 0 || (extent > 0 && count > Array.MaxLength / extent))
                {
                    throw new InvalidDataException($"The tensor '{Name}' has the impossible shape [{string.Join(", ", Shape)}].");
                }

                count *= extent;
            }

            return Begin >= 0 && End - Begin == count * ElementSize
                ? this
                : throw new InvalidDataException($"The tensor '{Name}' of shape [{string.Join(", ", Shape)}] cannot lie at bytes {Begin} to {End}.");
        }
    }
}
