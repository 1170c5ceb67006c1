namespace Ulmfit.Import;

/// <summary>A run of elements in the file.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Element">Type of its elements.</param>
/// <param name="Count">How many; at most <see cref="MaximumCount"/>.</param>
internal sealed record TorchStorage(string Key, TorchElement Element, long Count)
{
    /// <summary>No storage is larger: its bytes and the products of a few extents stay within 64 bits.</summary>
    public const long MaximumCount = 1L << 40;
}

/// <summary>A tensor as a file describes it: a view of a storage, whose elements are not read yet.</summary>
internal sealed class TorchTensor
{
    private const int MaximumRank = 8;

    private TorchTensor(TorchStorage storage, long offset, int[] shape, long[] strides, int count, long reach)
    {
        Storage = storage;
        Offset = offset;
        Shape = shape;
        Strides = strides;
        Count = count;
        Reach = reach;
    }

    /// <summary>Where the elements lie.</summary>
    public TorchStorage Storage { get; }

    /// <summary>Index of the first element in the storage.</summary>
    public long Offset { get; }

    /// <summary>Extents, outermost first.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Elements of the storage from one index to the next, of each dimension.</summary>
    public IReadOnlyList<long> Strides { get; }

    /// <summary>How many elements it has.</summary>
    public int Count { get; }

    /// <summary>How many elements of the storage it reaches over; its count where it has no gaps.</summary>
    public long Reach { get; }

    /// <summary>Whether its elements follow one another, row-major.</summary>
    public bool IsContiguous
    {
        get
        {
            long expected = 1;
            for (int i = Shape.Count - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && Strides[i] != expected)
                {
                    return false;
                }

                expected *= Shape[i];
            }

            return true;
        }
    }

    /// <summary>The tensor of that view, or null where it does not lie within its storage.</summary>
    /// <remarks>A view that shows an element more often than once could be of any size, whatever the file's: it is refused by its count.</remarks>
    public static TorchTensor? Create(TorchStorage storage, long offset, long[] shape, long[] strides)
    {
        if (shape.Length != strides.Length || shape.Length > MaximumRank || offset < 0 || offset > storage.Count)
        {
            return null;
        }

        long count = 1, last = 0, most = Math.Min(storage.Count, Array.MaxLength);
        for (int i = 0; i < shape.Length; i++)
        {
            if (shape[i] < 0 || shape[i] > int.MaxValue || strides[i] < 0)
            {
                return null;
            }

            if (shape[i] > 1)
            {
                if (count > most / shape[i] || strides[i] > storage.Count / (shape[i] - 1))
                {
                    return null;
                }

                last += (shape[i] - 1) * strides[i];
            }

            count *= shape[i];
        }

        long reach = count == 0 ? 0 : last + 1;
        return count <= most && reach <= storage.Count - offset
            ? new TorchTensor(storage, offset, Array.ConvertAll(shape, extent => (int)extent), strides, (int)count, reach)
            : null;
    }

    /// <summary>Whether both are the same view of the same storage: tied weights.</summary>
    public bool IsTiedTo(TorchTensor other) =>
        Storage == other.Storage && Offset == other.Offset && Shape.SequenceEqual(other.Shape) && Strides.SequenceEqual(other.Strides);

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Shape)}]";
}
