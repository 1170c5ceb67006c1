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

            int k0 = 0;
            if (Avx.IsSupported && present >= 8)
            {
                for (; k0 + 8 <= depth; k0 += 8)
                {
                    for (int row = 0; row < present; row += 8)
                    {
                        // The last block overlaps the one before it and writes the same bits again.
                        int r = Math.Min(row, present - 8);
                        Transpose8(s + ((long)r * stride) + k0, stride, t + ((long)k0 * height) + r, height);
                    }
                }
            }

            for (int row = 0; row < present; row++)
            {
                float* from = s + ((long)row * stride);
                for (long k = k0; k < depth; k++)
                {
                    t[(k * height) + row] = from[k];
                }
            }
        }
    }

    /// <summary>target[k, r] = source[k, r] for <paramref name="present"/> columns and zero up to <paramref name="height"/>.</summary>
    /// <param name="source">Row-major <c>[depth, ≥ present]</c>.</param>
    /// <param name="stride">Floats from one k to the next in the source.</param>
    /// <param name="present">Columns that are there.</param>
    /// <param name="height">Columns of the target.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="target">Room for depth · height.</param>
    public static void Copy(ReadOnlySpan<float> source, int stride, int present, int height, int depth, Span<float> target)
    {
        if (depth <= 0 || height <= 0)
        {
            return;
        }

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
    public static void CopyStrips(in StripLayout layout, int firstStrip, int endStrip, ReadOnlySpan<float> source, int stride, int depth, Span<float> target)
    {
        int firstRow = layout.Start(firstStrip), rows = layout.Start(endStrip) - firstRow;
        if (rows <= 0 || depth <= 0)
        {
            return;
        }

        Check(source.Length, ((long)(depth - 1) * stride) + rows);
        Check(target.Length, (long)rows * depth);
        fixed (float* s = source, t = target)
        {
            for (long k = 0; k < depth; k++)
            {
                float* from = s + (k * stride), strips = t;
                for (int strip = firstStrip; strip < endStrip; strip++)
                {
                    int height = layout.HeightOf(strip);
                    float* to = strips + (k * height);
                    if (height is >= 8 and <= 16)
                    {
                        Vector256<float> low = Vector256.Load(from), high = Vector256.Load(from + height - 8);
                        low.Store(to);
                        high.Store(to + height - 8);
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
    public static void Gather(ReadOnlySpan<float> source, int stride, ReadOnlySpan<int> rows, int present, int height, Span<float> target)
    {
        Check(target.Length, (long)rows.Length * height);
        fixed (float* s = source, t = target)
        {
            for (int k = 0; k < rows.Length; k++)
            {
                Check(source.Length, ((long)rows[k] * stride) + present);
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
        for (int strip = layout.StripOf(firstRow), row = firstRow; row < rows; strip++)
        {
            int height = layout.HeightOf(strip);
            int present = Math.Min(height, rows - row);
            Span<float> place = target.Slice((row * packedDepth) + (depthStart * height), count * height);
            TransposeStrided(source[((row - firstRow) * stride)..], stride, present, height, count, place);
            row += height;
        }
    }

    /// <summary>As <see cref="Transpose"/>, but leaves absent rows of the target alone.</summary>
    private static void TransposeStrided(ReadOnlySpan<float> source, int stride, int present, int height, int depth, Span<float> target)
    {
        Check(source.Length, ((long)(present - 1) * stride) + depth);
        fixed (float* s = source, t = target)
        {
            int k0 = 0;
            if (Avx.IsSupported && present >= 8)
            {
                for (; k0 + 8 <= depth; k0 += 8)
                {
                    for (int row = 0; row < present; row += 8)
                    {
                        int r = Math.Min(row, present - 8);
                        Transpose8(s + ((long)r * stride) + k0, stride, t + ((long)k0 * height) + r, height);
                    }
                }
            }

            for (int row = 0; row < present; row++)
            {
                for (int k = k0; k < depth; k++)
                {
                    t[((long)k * height) + row] = s[((long)row * stride) + k];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(float* source, float* target, int present, int height)
    {
        if (present == 32 && height == 32)
        {
            Vector256.Store(Vector256.Load(source), target);
            Vector256.Store(Vector256.Load(source + 8), target + 8);
            Vector256.Store(Vector256.Load(source + 16), target + 16);
            Vector256.Store(Vector256.Load(source + 24), target + 24);
            return;
        }

        int j = 0;
        if (present >= 8)
        {
            for (; j + 8 <= present; j += 8)
            {
                Vector256.Store(Vector256.Load(source + j), target + j);
            }

            // The last vector overlaps the one before it and writes the same bits again.
            Vector256.Store(Vector256.Load(source + present - 8), target + present - 8);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8(float* source, long stride, float* target, long targetStride)
    {
        Vector256<float> r0 = Vector256.Load(source), r1 = Vector256.Load(source + stride), r2 = Vector256.Load(source + (2 * stride)), r3 = Vector256.Load(source + (3 * stride));
        Vector256<float> r4 = Vector256.Load(source + (4 * stride)), r5 = Vector256.Load(source + (5 * stride)), r6 = Vector256.Load(source + (6 * stride)), r7 = Vector256.Load(source + (7 * stride));
        Vector256<float> t0 = Avx.UnpackLow(r0, r1), t1 = Avx.UnpackHigh(r0, r1), t2 = Avx.UnpackLow(r2, r3), t3 = Avx.UnpackHigh(r2, r3);
        Vector256<float> t4 = Avx.UnpackLow(r4, r5), t5 = Avx.UnpackHigh(r4, r5), t6 = Avx.UnpackLow(r6, r7), t7 = Avx.UnpackHigh(r6, r7);
        r0 = Avx.Shuffle(t0, t2, 0x44);
        r1 = Avx.Shuffle(t0, t2, 0xEE);
        r2 = Avx.Shuffle(t1, t3, 0x44);
        r3 = Avx.Shuffle(t1, t3, 0xEE);
        r4 = Avx.Shuffle(t4, t6, 0x44);
        r5 = Avx.Shuffle(t4, t6, 0xEE);
        r6 = Avx.Shuffle(t5, t7, 0x44);
        r7 = Avx.Shuffle(t5, t7, 0xEE);
        Avx.Permute2x128(r0, r4, 0x20).Store(target);
        Avx.Permute2x128(r1, r5, 0x20).Store(target + targetStride);
        Avx.Permute2x128(r2, r6, 0x20).Store(target + (2 * targetStride));
        Avx.Permute2x128(r3, r7, 0x20).Store(target + (3 * targetStride));
        Avx.Permute2x128(r0, r4, 0x31).Store(target + (4 * targetStride));
        Avx.Permute2x128(r1, r5, 0x31).Store(target + (5 * targetStride));
        Avx.Permute2x128(r2, r6, 0x31).Store(target + (6 * targetStride));
        Avx.Permute2x128(r3, r7, 0x31).Store(target + (7 * targetStride));
    }

    private static void Check(int length, long needed)
    {
        if (length < needed)
        {
            throw new ArgumentException($"A span of {needed} floats is needed, but {length} were given.");
        }
    }
}
