using System.Runtime.InteropServices;
using Google.Protobuf;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Export;

/// <summary>
/// An ONNX file as its metadata and its constants, read in place: a constant is where it stands in the file, so that a model of
/// hundreds of megabytes is neither copied nor parsed to be taken apart.
/// </summary>
internal sealed class OnnxFile
{
    private const int GraphField = 7, MetadataField = 14, InitializerField = 5;

    private readonly byte[] file;
    private readonly Dictionary<string, OnnxConstant> constants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> metadata = new(StringComparer.Ordinal);

    /// <summary>Finds what is in a file.</summary>
    /// <param name="file">The file, kept and not to be changed.</param>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model.</exception>
    public OnnxFile(byte[] file)
    {
        this.file = file;
        try
        {
            ReadModel();
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"The file is no ONNX model: {e.Message}", e);
        }
    }

    /// <summary>The bytes as an array of their own, copied only where they are part of a larger one.</summary>
    public static byte[] BytesOf(ReadOnlyMemory<byte> model) =>
        MemoryMarshal.TryGetArray(model, out ArraySegment<byte> segment) && segment.Array is { } array && segment.Offset == 0 && segment.Count == array.Length
            ? array
            : model.ToArray();

    /// <summary>The first entry of each key in <c>metadata_props</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>The first constant of each name.</summary>
    public IReadOnlyDictionary<string, OnnxConstant> Constants => constants;

    /// <summary>The values of a constant, as they stand in the file.</summary>
    public ReadOnlySpan<byte> DataOf(OnnxConstant constant) => file.AsSpan(constant.Data);

    /// <summary>Keeps the file where it is in memory until the handle is freed.</summary>
    public GCHandle Pin() => GCHandle.Alloc(file, GCHandleType.Pinned);

    /// <summary>A model of other nodes over this file's constants, which are copied as they stand.</summary>
    /// <param name="model">The model without its graph.</param>
    /// <param name="graph">Its graph without the constants.</param>
    /// <param name="names">The constants that belong to it.</param>
    /// <returns>The serialised model.</returns>
    public byte[] Compose(ModelProto model, GraphProto graph, IReadOnlyCollection<string> names)
    {
        OnnxConstant[] used = [.. names.Select(name => constants[name])];
        byte[] head = model.ToByteArray(), nodes = graph.ToByteArray();
        long graphSize = nodes.Length + used.Sum(constant => 1L + CodedOutputStream.ComputeLengthSize(Length(constant.Message)) + Length(constant.Message));
        byte[] composed = GC.AllocateUninitializedArray<byte>(checked((int)(head.Length + 1 + CodedOutputStream.ComputeLengthSize(checked((int)graphSize)) + graphSize)));
        int position = 0;
        Append(head);
        AppendHeader(GraphField, (int)graphSize);
        Append(nodes);
        foreach (OnnxConstant constant in used)
        {
            AppendHeader(InitializerField, Length(constant.Message));
            Append(file.AsSpan(constant.Message));
        }

        return composed;

        void Append(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(composed.AsSpan(position));
            position += bytes.Length;
        }

        // A field below 16 that is length-delimited has a tag of one byte.
        void AppendHeader(int field, int length)
        {
            composed[position++] = (byte)((field << 3) | (int)WireFormat.WireType.LengthDelimited);
            for (; length >= 0x80; length >>= 7)
            {
                composed[position++] = (byte)(length | 0x80);
            }

            composed[position++] = (byte)length;
        }
    }

    private static int Length(Range range) => range.End.Value - range.Start.Value;

    private void ReadModel()
    {
        bool hasGraph = false;
        using var model = new CodedInputStream(file);
        while (model.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case GraphField when IsLengthDelimited(tag):
                    hasGraph = true;
                    ReadGraph(Skip(model, file.Length));
                    break;
                case MetadataField when IsLengthDelimited(tag):
                    var entry = StringStringEntryProto.Parser.ParseFrom(file.AsSpan(Skip(model, file.Length)));
                    metadata.TryAdd(entry.Key, entry.Value);
                    break;
                default:
                    model.SkipLastField();
                    break;
            }
        }

        if (!hasGraph)
        {
            throw new InvalidDataException("The file is no ONNX model: it has no graph.");
        }
    }

    private void ReadGraph(Range range)
    {
        using var graph = new CodedInputStream(file, range.Start.Value, Length(range));
        while (graph.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == InitializerField && IsLengthDelimited(tag))
            {
                var constant = ReadConstant(Skip(graph, range.End.Value));
                constants.TryAdd(constant.Name, constant);
            }
            else
            {
                graph.SkipLastField();
            }
        }
    }

    private OnnxConstant ReadConstant(Range range)
    {
        int start = range.Start.Value, end = range.End.Value;
        using var message = new CodedInputStream(file, start, end - start);
        string name = "";
        var type = TensorProto.Types.DataType.Undefined;
        var shape = new List<int>();
        Range data = new(end, end);
        while (message.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag), IsLengthDelimited(tag))
            {
                case (1, false):
                    shape.Add(Extent(message.ReadInt64()));
                    break;
                case (1, true):
                    // Packed, as other writers may have it.
                    Range packed = Skip(message, end);
                    using (var extents = new CodedInputStream(file, packed.Start.Value, Length(packed)))
                    {
                        while (!extents.IsAtEnd)
                        {
                            shape.Add(Extent(extents.ReadInt64()));
                        }
                    }

                    break;
                case (2, false):
                    type = (TensorProto.Types.DataType)message.ReadInt32();
                    break;
                case (8, true):
                    name = message.ReadString();
                    break;
                case (9, true):
                    data = Skip(message, end);
                    break;
                default:
                    message.SkipLastField();
                    break;
            }
        }

        return new OnnxConstant(name, type, shape, data, range);
    }

    private static int Extent(long extent) => extent is >= 0 and <= int.MaxValue
        ? (int)extent
        : throw new InvalidDataException($"The file is no ONNX model that can be read here: a constant has an extent of {extent}.");

    private static bool IsLengthDelimited(uint tag) => WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited;

    // Where the field's content stands in the file; the stream goes on behind it. A stream over part of an array counts from the array's start.
    private Range Skip(CodedInputStream stream, int end)
    {
        int length = ReadLength((int)stream.Position, end, out int content);
        stream.SkipLastField();
        return length >= 0 && content + (long)length <= end && stream.Position == content + length
            ? new Range(content, content + length)
            : throw new InvalidDataException("The file is no ONNX model: a field ends behind the message that it is part of.");
    }

    private int ReadLength(int position, int end, out int content)
    {
        uint length = 0;
        for (int shift = 0; shift < 35 && position < end; shift += 7)
        {
            byte part = file[position++];
            length |= (uint)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                break;
            }
        }

        content = position;
        return unchecked((int)length);
    }
}

/// <summary>A constant of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its values.</param>
/// <param name="Shape">Its extents, outermost first.</param>
/// <param name="Data">Where its values stand in the file.</param>
/// <param name="Message">Where the message that describes it stands in the file.</param>
internal sealed record OnnxConstant(string Name, TensorProto.Types.DataType Type, IReadOnlyList<int> Shape, Range Data, Range Message);
