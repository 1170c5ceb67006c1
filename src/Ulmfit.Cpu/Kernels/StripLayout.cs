namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// How the rows of a left operand are cut into strips of nearly equal height, each packed as <c>[depth, height]</c>. The
/// first <see cref="Tall"/> strips have <see cref="Height"/> rows, the others one less.
/// </summary>
internal readonly record struct StripLayout
{
    /// <summary>As few strips of at most <paramref name="maxHeight"/> rows as hold <paramref name="rows"/>.</summary>
    public StripLayout(int rows, int maxHeight)
    {
        Rows = rows;
        Count = (rows + maxHeight - 1) / maxHeight;
        int low = Count == 0 ? 0 : rows / Count;
        Tall = rows - (low * Count);
        Height = low + 1;
        if (Tall == 0)
        {
            Tall = Count;
            Height = low;
        }
    }

    /// <summary>All rows.</summary>
    public int Rows { get; }

    /// <summary>Number of strips.</summary>
    public int Count { get; }

    /// <summary>Number of strips of full height.</summary>
    public int Tall { get; }

    /// <summary>Rows of a full strip.</summary>
    public int Height { get; }

    /// <summary>First row of a strip; of <see cref="Count"/>, the number of rows.</summary>
    public int Start(int strip) => strip <= Tall ? strip * Height : (Tall * Height) + ((strip - Tall) * (Height - 1));

    /// <summary>Rows of a strip.</summary>
    public int HeightOf(int strip) => strip < Tall ? Height : Height - 1;

    /// <summary>The strip that holds a row.</summary>
    public int StripOf(int row)
    {
        int tallRows = Tall * Height;
        return row < tallRows ? row / Height : Tall + ((row - tallRows) / (Height - 1));
    }
}
