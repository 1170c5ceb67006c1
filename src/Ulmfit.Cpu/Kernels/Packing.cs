using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// Brings the operands of products into the order in which the tiles read them: left operands in strips
/// <c>[depth, height]</c>, right ones in panels <c>[depth, 32 or 16]</c>. It moves bits and computes nothing.
/// </summary>
internal static unsafe class Packing
{
    /// <summary>How many rows ahead of the one that is copied memory is asked for.</summary>
    private const int RowsAhead = 4;

    /// <summary>
    /// target[k, r] = source[r, k] for <paramref name="present"/> rows and zero up to <paramref name="height"/>.
    /// </summary>
    /// <param name="source">Row-major <c>[present, ≥ depth]</c>.</param>
    /// <param name="stride">Floats from one row of the source to the next.</param>
    /// <param name="present">Rows that are there.</param>
    /// <param name="height">Rows of the target.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="target">Room for depth · height.</param>
    public static void Transpose(ReadOnlySpan<float> source, int stride, int present, int height, int depth, Span<float> target)
    {
        if (depth <= 0 || height <= 0)
        {
            return;
        }

        CheckShape(stride, present, height);
        Check(target.Length, (long)depth * height);
        if (present > 0)
        {
            Check(source.Length, ((long)(present - 1) * stride) + depth);
        }

        fixed (float* s = source, t = target)
        {
            if (present < height)
            {
                for (long k = 0; k < depth; k++)
                {
                    new Span<float>(t + (k * height) + present, height - present).Clear();
                }
            }

            Turn(s, stride, present, height, depth, t);
        }
    }

    /// <summary>target[k, r] = source[k, r] for <paramref name="present"/> columns and zero up to <paramref name="height"/>.</summary>
    /// <param name="source">Row-major <c>[depth, ≥ present]</c>.</param>
    /// <param name="stride">Floats from one k to the next in the source.</param>
    /// <param name="present">Columns that are there.</param>
    /// <param name="height">Columns of the target.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="target">Room for depth · height.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(ReadOnlySpan<float> source, int stride, int present, int height, int depth, Span<float> target)
    {
        if (depth <= 0 || height <= 0)
        {
            return;
        }

        CheckShape(stride, present, height);
        Check(target.Length, (long)depth * height);
        if (present > 0)
        {
            Check(source.Length, ((long)(depth - 1) * stride) + present);
        }

        fixed (float* s = source, t = target)
        {
            for (long k = 0; k < depth; k++)
            {
                CopyRow(s + (k * stride), t + (k * height), present, height);
            }
        }
    }

    /// <summary>
    /// Packs strips of a left operand that lies transposed: of every k, in order, the rows of all strips, which lie side
    /// by side.
    /// </summary>
    /// <param name="layout">Strips of the operand.</param>
    /// <param name="firstStrip">First strip.</param>
    /// <param name="endStrip">Strip after the last.</param>
    /// <param name="source">Row-major <c>[depth, rows]</c>, beginning with the first strip's first row.</param>
    /// <param name="stride">Floats from one k to the next in the source.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="target">The strips, one after another, each <c>[depth, height]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyStrips(in StripLayout layout, int firstStrip, int endStrip, ReadOnlySpan<float> source, int stride, int depth, Span<float> target)
    {
        if (firstStrip < 0 || endStrip > layout.Count)
        {
            throw new ArgumentException($"Strips {firstStrip} to {endStrip} are not of a layout of {layout.Count}.");
        }

        int firstRow = layout.Start(firstStrip), rows = layout.Start(endStrip) - firstRow;
        if (rows <= 0 || depth <= 0)
        {
            return;
        }

        CheckShape(stride, rows, rows);
        Check(source.Length, ((long)(depth - 1) * stride) + rows);
        Check(target.Length, (long)rows * depth);
        fixed (float* s = source, t = target)
        {
            for (long k = 0; k < depth; k++)
            {
                float* from = s + (k * stride), strips = t;
                if (Sse.IsSupported)
                {
                    // Rows lie pages apart, where no processor looks ahead by itself.
                    float* later = from + ((long)RowsAhead * stride);
                    for (int j = 0; j < rows; j += 16)
                    {
                        Sse.Prefetch0(later + j);
                    }
                }

                for (int strip = firstStrip; strip < endStrip; strip++)
                {
                    int height = layout.HeightOf(strip);
                    float* to = strips + (k * height);
                    if (height is >= 8 and <= 16)
                    {
                        CopyBytes(from, to, 8 * sizeof(float));
                        CopyBytes(from + height - 8, to + height - 8, 8 * sizeof(float));
                    }
                    else
                    {
                        CopyRow(from, to, height, height);
                    }

                    from += height;
                    strips += (long)height * depth;
                }
            }
        }
    }

    /// <summary>target[k, r] = source[rows[k], r]: <see cref="Copy"/> of rows that lie anywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(ReadOnlySpan<float> source, int stride, ReadOnlySpan<int> rows, int present, int height, Span<float> target)
    {
        CheckShape(stride, present, height);
        Check(target.Length, (long)rows.Length * height);
        foreach (int row in rows)
        {
            Check(row, 0);
            Check(source.Length, ((long)row * stride) + present);
        }

        fixed (float* s = source, t = target)
        {
            for (int k = 0; k < rows.Length; k++)
            {
                CopyRow(s + ((long)rows[k] * stride), t + ((long)k * height), present, height);
            }
        }
    }

    /// <summary>
    /// Writes <paramref name="count"/> columns of a row-major block of <paramref name="rows"/> rows to their places in a
    /// whole packed left operand.
    /// </summary>
    /// <param name="layout">Strips of the operand.</param>
    /// <param name="rows">Rows that are there.</param>
    /// <param name="source">Beginning with the first of the columns in row <paramref name="firstRow"/>.</param>
    /// <param name="stride">Stride of the source.</param>
    /// <param name="firstRow">First row, at a strip's start.</param>
    /// <param name="target">The packed operand.</param>
    /// <param name="packedDepth">Its depth.</param>
    /// <param name="depthStart">The k that the first column becomes.</param>
    /// <param name="count">Number of columns.</param>
    public static void Scatter(in StripLayout layout, int rows, ReadOnlySpan<float> source, int stride, int firstRow, Span<float> target, int packedDepth, int depthStart, int count)
    {
        if (firstRow >= rows || count <= 0)
        {
            return;
        }

        int first = layout.StripOf(firstRow), last = layout.StripOf(rows - 1);
        if (firstRow < 0 || firstRow != layout.Start(first) || rows > layout.Rows || stride < 0 || depthStart < 0 || count > packedDepth - depthStart)
        {
            throw new ArgumentException(
                $"Rows {firstRow} to {rows} of a layout of {layout.Rows}, with stride {stride}, cannot become depths {depthStart} + {count} of {packedDepth}.");
        }

        Check(source.Length, ((long)(rows - 1 - firstRow) * stride) + count);
        Check(target.Length, ((long)layout.Start(last) * packedDepth) + ((long)(depthStart + count) * layout.HeightOf(last)));
        fixed (float* s = source, t = target)
        {
            for (int strip = first; strip <= last; strip++)
            {
                // As a transposition, but absent rows of the target are left alone.
                int row = layout.Start(strip), height = layout.HeightOf(strip);
                Turn(s + ((long)(row - firstRow) * stride), stride, Math.Min(height, rows - row), height, count, t + ((long)row * packedDepth) + ((long)depthStart * height));
            }
        }
    }

    /// <summary>target[k, r] = source[r, k] for the rows that are there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn(float* source, long stride, int present, int height, int depth, float* target)
    {
        int k = 0;

        // The last block of rows overlaps the one before it and writes the same bits again.
        if (Avx2.IsSupported && present >= 8)
        {
            for (; k + 8 <= depth; k += 8)
            {
                for (int row = 0; row < present; row += 8)
                {
                    int r = Math.Min(row, present - 8);
                    Transposition.Eight(source + (r * stride) + k, stride, target + ((long)k * height) + r, height);
                }
            }
        }

        if (Vector128.IsHardwareAccelerated && present >= 4)
        {
            for (; k + 4 <= depth; k += 4)
            {
                for (int row = 0; row < present; row += 4)
                {
                    int r = Math.Min(row, present - 4);
                    Transposition.Four(source + (r * stride) + k, stride, target + ((long)k * height) + r, height);
                }
            }
        }

        for (int row = 0; row < present; row++)
        {
            float* from = source + (row * stride);
            for (long j = k; j < depth; j++)
            {
                target[(j * height) + row] = from[j];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(float* source, float* target, int present, int height)
    {
        if (present == 32 && height == 32)
        {
            CopyBytes(source, target, 32 * sizeof(float));
            return;
        }

        int j = 0;
        if (present >= 8)
        {
            for (; j + 8 <= present; j += 8)
            {
                CopyBytes(source + j, target + j, 8 * sizeof(float));
            }

            // The last piece overlaps the one before it and writes the same bits again.
            CopyBytes(source + present - 8, target + present - 8, 8 * sizeof(float));
            j = present;
        }
        else if (present >= 4)
        {
            CopyBytes(source, target, 4 * sizeof(float));
            CopyBytes(source + present - 4, target + present - 4, 4 * sizeof(float));
            j = present;
        }

        for (; j < present; j++)
        {
            target[j] = source[j];
        }

        for (; j < height; j++)
        {
            target[j] = 0f;
        }
    }

    /// <summary>A constant number of bytes, which the compiler moves in the widest registers there are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyBytes(float* source, float* target, uint count) => Unsafe.CopyBlockUnaligned(target, source, count);

    private static void CheckShape(int stride, int present, int height)
    {
        if (stride < 0 || present < 0 || present > height)
        {
            throw new ArgumentException($"{present} rows of {height} with a stride of {stride} cannot be packed.");
        }
    }

    private static void Check(int length, long needed)
    {
        if (length < needed)
        {
            throw new ArgumentException($"A span of {needed} floats is needed, but {length} were given.");
        }
    }
}
