using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Ulmfit.Model;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Export;

/// <summary>The constants of a file by name, as <see cref="GraphBuilder"/> wrote them.</summary>
internal sealed class GraphConstants(OnnxFile file)
{
    /// <summary>Looks a tensor of floats up.</summary>
    /// <exception cref="InvalidDataException">It holds something else.</exception>
    public bool TryRead(string name, [MaybeNullWhen(false)] out Tensor tensor)
    {
        tensor = null;
        if (!file.Constants.TryGetValue(name, out OnnxConstant? constant))
        {
            return false;
        }

        if (constant.Type == TensorProto.Types.DataType.Int8)
        {
            throw new InvalidDataException($"The constant '{name}' is int8: weights that training can start at are in the float32 file beside this one.");
        }

        ReadOnlySpan<byte> bytes = Bytes(constant, TensorProto.Types.DataType.Float, sizeof(float));
        tensor = new Tensor(constant.Shape, MemoryMarshal.Cast<byte, float>(bytes).ToArray());
        return true;
    }

    /// <summary>The tensor of floats of that name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public Tensor Read(string name) => TryRead(name, out Tensor? tensor) ? tensor : throw Missing(name);

    /// <summary>The integer of that name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public long ReadInteger(string name) => file.Constants.TryGetValue(name, out OnnxConstant? constant)
        && MemoryMarshal.Cast<byte, long>(Bytes(constant, TensorProto.Types.DataType.Int64, sizeof(long))) is [long value]
            ? value
            : throw new InvalidDataException($"The ONNX file lacks the number '{name}'.");

    /// <summary>Looks up what a constant of so many dimensions is, its values unread but known to be there.</summary>
    /// <exception cref="InvalidDataException">It has other dimensions, holds neither floats nor int8, or not as many as its shape says.</exception>
    public bool TryDescribe(string name, int dimensions, [MaybeNullWhen(false)] out OnnxConstant constant)
    {
        if (!file.Constants.TryGetValue(name, out constant))
        {
            return false;
        }

        if (constant.Shape.Count != dimensions)
        {
            throw new InvalidDataException($"The constant '{name}' has the shape [{string.Join(", ", constant.Shape)}], where {dimensions} dimensions were expected.");
        }

        bool isInt8 = constant.Type == TensorProto.Types.DataType.Int8;
        Bytes(constant, isInt8 ? TensorProto.Types.DataType.Int8 : TensorProto.Types.DataType.Float, isInt8 ? sizeof(sbyte) : sizeof(float));
        return true;
    }

    /// <summary>What the constant of that name is.</summary>
    /// <exception cref="InvalidDataException">There is none, or as <see cref="TryDescribe"/> throws.</exception>
    public OnnxConstant Describe(string name, int dimensions) => TryDescribe(name, dimensions, out OnnxConstant? constant) ? constant : throw Missing(name);

    private static InvalidDataException Missing(string name) => new($"The ONNX file lacks the constant '{name}'.");

    private ReadOnlySpan<byte> Bytes(OnnxConstant constant, TensorProto.Types.DataType type, int size)
    {
        long count = 1;
        foreach (int extent in constant.Shape)
        {
            if (extent > 0 && count > Array.MaxLength / extent)
            {
                throw new InvalidDataException($"The constant '{constant.Name}' has the impossible shape [{string.Join(", ", constant.Shape)}].");
            }

            count *= extent;
        }

        ReadOnlySpan<byte> data = file.DataOf(constant);
        return constant.Type == type && data.Length == count * size
            ? data
            : throw new InvalidDataException($"The constant '{constant.Name}' does not hold {count} values of the type {type}.");
    }
}
