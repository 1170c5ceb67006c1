namespace Ulmfit.Features;

/// <summary>Features of some documents, row-major.</summary>
internal sealed class FeatureMatrix
{
    /// <summary>A matrix of zeros.</summary>
    /// <exception cref="InvalidDataException">It would have more elements than an array holds.</exception>
    public FeatureMatrix(int rows, int columns)
    {
        if ((long)rows * columns > Array.MaxLength)
        {
            throw new InvalidDataException($"The features of {rows} documents, {columns} each, are more than the {Array.MaxLength} numbers that are fitted at a time: train on fewer rows or with a smaller model.");
        }

        Rows = rows;
        Columns = columns;
        Data = new float[rows * columns];
    }

    /// <summary>Documents.</summary>
    public int Rows { get; }

    /// <summary>Features of a document.</summary>
    public int Columns { get; }

    /// <summary>The elements <c>[rows, columns]</c>.</summary>
    public float[] Data { get; }

    /// <summary>The features of a document.</summary>
    public Span<float> Row(int row) => Data.AsSpan(row * Columns, Columns);
}
