namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// The innermost product: a few rows of A by one panel of B. Every output is one chain of fused multiply-adds over the
/// depth, in its order, so that neither the size of a tile nor the instruction set is seen in the bits.
/// </summary>
internal unsafe interface IMatrixTile
{
    /// <summary>Most rows of a tile.</summary>
    static abstract int MaxRows { get; }

    /// <summary>c[r, j] = start[r, j] + Σ a[k, r]·b[k, j], in the order of k.</summary>
    /// <param name="rows">Rows, 1 to <see cref="MaxRows"/>.</param>
    /// <param name="a">Packed strip: the rows of one k lie together.</param>
    /// <param name="aStride">Floats from one k to the next in <paramref name="a"/>, at least <paramref name="rows"/>.</param>
    /// <param name="b">Packed panel <c>[depth, width]</c>.</param>
    /// <param name="width">Columns: 32 or 16.</param>
    /// <param name="c">Output.</param>
    /// <param name="cStride">Floats from one row of the output to the next.</param>
    /// <param name="depth">Length of the chain.</param>
    /// <param name="start">Where the chains start, or null for zero.</param>
    /// <param name="startStride">Floats from one row of <paramref name="start"/> to the next; 0 repeats one row, such as a bias.</param>
    /// <param name="ahead">What will be read next after this strip or panel; it is brought nearer, a little with each k.</param>
    /// <param name="aheadStep">Floats that each k goes on in <paramref name="ahead"/>.</param>
    static abstract void Run(int rows, float* a, nint aStride, float* b, int width, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep);
}

/// <summary>A number of rows that the compiler knows.</summary>
internal interface IRows
{
    /// <summary>The number.</summary>
    static abstract int Count { get; }
}

/// <summary>1 row.</summary>
internal readonly struct Rows1 : IRows
{
    public static int Count => 1;
}

/// <summary>2 rows.</summary>
internal readonly struct Rows2 : IRows
{
    public static int Count => 2;
}

/// <summary>3 rows.</summary>
internal readonly struct Rows3 : IRows
{
    public static int Count => 3;
}

/// <summary>4 rows.</summary>
internal readonly struct Rows4 : IRows
{
    public static int Count => 4;
}

/// <summary>5 rows.</summary>
internal readonly struct Rows5 : IRows
{
    public static int Count => 5;
}

/// <summary>6 rows.</summary>
internal readonly struct Rows6 : IRows
{
    public static int Count => 6;
}

/// <summary>7 rows.</summary>
internal readonly struct Rows7 : IRows
{
    public static int Count => 7;
}

/// <summary>8 rows.</summary>
internal readonly struct Rows8 : IRows
{
    public static int Count => 8;
}

/// <summary>9 rows.</summary>
internal readonly struct Rows9 : IRows
{
    public static int Count => 9;
}

/// <summary>10 rows.</summary>
internal readonly struct Rows10 : IRows
{
    public static int Count => 10;
}

/// <summary>11 rows.</summary>
internal readonly struct Rows11 : IRows
{
    public static int Count => 11;
}

/// <summary>12 rows.</summary>
internal readonly struct Rows12 : IRows
{
    public static int Count => 12;
}

/// <summary>13 rows.</summary>
internal readonly struct Rows13 : IRows
{
    public static int Count => 13;
}

/// <summary>14 rows.</summary>
internal readonly struct Rows14 : IRows
{
    public static int Count => 14;
}
