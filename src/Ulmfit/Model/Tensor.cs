namespace Ulmfit.Model;

/// <summary>A dense row-major block of 32-bit floats with a shape. It owns its data; engines copy in and out.</summary>
public sealed class Tensor
{
    /// <summary>Takes over <paramref name="data"/> without copying it.</summary>
    /// <exception cref="ArgumentException">The shape does not hold exactly <c>data.Length</c> elements.</exception>
    public Tensor(IReadOnlyList<int> shape, float[] data)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(data);
        long count = 1;
        foreach (int extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
            count = checked(count * extent);
        }

        if (count != data.Length)
        {
            throw new ArgumentException($"A tensor of shape [{string.Join(", ", shape)}] has {count} elements, but {data.Length} were given.", nameof(data));
        }

        Shape = [.. shape];
        Data = data;
    }

    /// <summary>A tensor of zeros.</summary>
    public static Tensor Zeros(params int[] shape) => new(shape, new float[shape.Aggregate(1, (product, extent) => checked(product * extent))]);

    /// <summary>Extents, outermost first.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>The elements, row-major.</summary>
    public float[] Data { get; }

    /// <summary>A copy that shares nothing with this one.</summary>
    public Tensor Copy() => new(Shape, (float[])Data.Clone());

    /// <summary>Whether the extents are exactly these.</summary>
    public bool HasShape(params int[] shape) => Shape.SequenceEqual(shape);

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Shape)}]";
}
