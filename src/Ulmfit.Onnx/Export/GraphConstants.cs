using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Ulmfit.Model;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Export;

/// <summary>The constants of a graph by name, as <see cref="GraphBuilder"/> wrote them.</summary>
internal sealed class GraphConstants
{
    private readonly Dictionary<string, TensorProto> constants;

    public GraphConstants(GraphProto? graph) =>
        constants = (graph?.Initializer ?? []).DistinctBy(constant => constant.Name, StringComparer.Ordinal).ToDictionary(constant => constant.Name, StringComparer.Ordinal);

    /// <summary>Looks a tensor of floats up.</summary>
    /// <exception cref="InvalidDataException">It holds something else.</exception>
    public bool TryRead(string name, [MaybeNullWhen(false)] out Tensor tensor)
    {
        tensor = null;
        if (!constants.TryGetValue(name, out TensorProto? constant))
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = Bytes(constant, TensorProto.Types.DataType.Float, sizeof(float));
        tensor = new Tensor([.. constant.Dims.Select(extent => (int)extent)], MemoryMarshal.Cast<byte, float>(bytes).ToArray());
        return true;
    }

    /// <summary>The tensor of floats of that name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public Tensor Read(string name) => TryRead(name, out Tensor? tensor) ? tensor : throw new InvalidDataException($"The ONNX file lacks the constant '{name}'.");

    /// <summary>The integer of that name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public long ReadInteger(string name) => constants.TryGetValue(name, out TensorProto? constant)
        && MemoryMarshal.Cast<byte, long>(Bytes(constant, TensorProto.Types.DataType.Int64, sizeof(long))) is [long value]
            ? value
            : throw new InvalidDataException($"The ONNX file lacks the number '{name}'.");

    private static ReadOnlySpan<byte> Bytes(TensorProto constant, TensorProto.Types.DataType type, int size)
    {
        long count = 1;
        foreach (long extent in constant.Dims)
        {
            if (extent is < 0 or > int.MaxValue || (extent > 0 && count > Array.MaxLength / extent))
            {
                throw new InvalidDataException($"The constant '{constant.Name}' has the impossible shape [{string.Join(", ", constant.Dims)}].");
            }

            count *= extent;
        }

        return constant.DataType == (int)type && constant.RawData.Length == count * size
            ? constant.RawData.Span
            : throw new InvalidDataException($"The constant '{constant.Name}' does not hold {count} values of the type {type}.");
    }
}
