using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// Tiles of up to 6×16 outputs in 128-bit registers, for processors that have 32 of these (ARM64): 24 accumulators, four
/// registers of B and up to four broadcasts of A. For every 24 multiply-adds there are ten loads, so that the arithmetic
/// units are what limits it. A panel of 32 columns is two tiles. There is no portable way to bring memory nearer: what
/// lies ahead is left to the processor's prefetcher.
/// </summary>
internal readonly unsafe struct MatrixTile128 : IMatrixTile
{
    public static int MaxRows => 6;

    public static void Run(int rows, float* a, nint aStride, float* b, int width, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep)
    {
        for (int column = 0; column < width; column += 16)
        {
            float* s = start == null ? null : start + column;
            switch (rows)
            {
                case 1: Half<Rows1>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride); break;
                case 2: Half<Rows2>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride); break;
                case 3: Half<Rows3>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride); break;
                case 4: Half<Rows4>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride); break;
                case 5: Half<Rows5>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride); break;
                case 6: Half<Rows6>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride); break;
                default: throw new ArgumentOutOfRangeException(nameof(rows));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Half<TRows>(float* a, nint aStride, float* b, nint bStride, float* c, nint cStride, nint depth, float* start, nint startStride)
        where TRows : struct, IRows
    {
        Vector128<float> c0w = default, c0x = default, c0y = default, c0z = default,
            c1w = default, c1x = default, c1y = default, c1z = default,
            c2w = default, c2x = default, c2y = default, c2z = default,
            c3w = default, c3x = default, c3y = default, c3z = default,
            c4w = default, c4x = default, c4y = default, c4z = default,
            c5w = default, c5x = default, c5y = default, c5z = default;
        if (start != null)
        {
            float* s = start;
            c0w = Vector128.Load(s);
            c0x = Vector128.Load(s + 4);
            c0y = Vector128.Load(s + 8);
            c0z = Vector128.Load(s + 12);

            if (TRows.Count > 1)
            {
                s += startStride;
                c1w = Vector128.Load(s);
                c1x = Vector128.Load(s + 4);
                c1y = Vector128.Load(s + 8);
                c1z = Vector128.Load(s + 12);
            }

            if (TRows.Count > 2)
            {
                s += startStride;
                c2w = Vector128.Load(s);
                c2x = Vector128.Load(s + 4);
                c2y = Vector128.Load(s + 8);
                c2z = Vector128.Load(s + 12);
            }

            if (TRows.Count > 3)
            {
                s += startStride;
                c3w = Vector128.Load(s);
                c3x = Vector128.Load(s + 4);
                c3y = Vector128.Load(s + 8);
                c3z = Vector128.Load(s + 12);
            }

            if (TRows.Count > 4)
            {
                s += startStride;
                c4w = Vector128.Load(s);
                c4x = Vector128.Load(s + 4);
                c4y = Vector128.Load(s + 8);
                c4z = Vector128.Load(s + 12);
            }

            if (TRows.Count > 5)
            {
                s += startStride;
                c5w = Vector128.Load(s);
                c5x = Vector128.Load(s + 4);
                c5y = Vector128.Load(s + 8);
                c5z = Vector128.Load(s + 12);
            }
        }

        for (nint k = 0; k < depth; k++)
        {
            Vector128<float> w = Vector128.Load(b);
            Vector128<float> x = Vector128.Load(b + 4);
            Vector128<float> y = Vector128.Load(b + 8);
            Vector128<float> z = Vector128.Load(b + 12);
            Vector128<float> a0 = Vector128.Create(a[0]);
            c0w = Vector128.FusedMultiplyAdd(a0, w, c0w);
            c0x = Vector128.FusedMultiplyAdd(a0, x, c0x);
            c0y = Vector128.FusedMultiplyAdd(a0, y, c0y);
            c0z = Vector128.FusedMultiplyAdd(a0, z, c0z);

            if (TRows.Count > 1)
            {
                Vector128<float> a1 = Vector128.Create(a[1]);
                c1w = Vector128.FusedMultiplyAdd(a1, w, c1w);
                c1x = Vector128.FusedMultiplyAdd(a1, x, c1x);
                c1y = Vector128.FusedMultiplyAdd(a1, y, c1y);
                c1z = Vector128.FusedMultiplyAdd(a1, z, c1z);
            }

            if (TRows.Count > 2)
            {
                Vector128<float> a2 = Vector128.Create(a[2]);
                c2w = Vector128.FusedMultiplyAdd(a2, w, c2w);
                c2x = Vector128.FusedMultiplyAdd(a2, x, c2x);
                c2y = Vector128.FusedMultiplyAdd(a2, y, c2y);
                c2z = Vector128.FusedMultiplyAdd(a2, z, c2z);
            }

            if (TRows.Count > 3)
            {
                Vector128<float> a3 = Vector128.Create(a[3]);
                c3w = Vector128.FusedMultiplyAdd(a3, w, c3w);
                c3x = Vector128.FusedMultiplyAdd(a3, x, c3x);
                c3y = Vector128.FusedMultiplyAdd(a3, y, c3y);
                c3z = Vector128.FusedMultiplyAdd(a3, z, c3z);
            }

            if (TRows.Count > 4)
            {
                Vector128<float> a4 = Vector128.Create(a[4]);
                c4w = Vector128.FusedMultiplyAdd(a4, w, c4w);
                c4x = Vector128.FusedMultiplyAdd(a4, x, c4x);
                c4y = Vector128.FusedMultiplyAdd(a4, y, c4y);
                c4z = Vector128.FusedMultiplyAdd(a4, z, c4z);
            }

            if (TRows.Count > 5)
            {
                Vector128<float> a5 = Vector128.Create(a[5]);
                c5w = Vector128.FusedMultiplyAdd(a5, w, c5w);
                c5x = Vector128.FusedMultiplyAdd(a5, x, c5x);
                c5y = Vector128.FusedMultiplyAdd(a5, y, c5y);
                c5z = Vector128.FusedMultiplyAdd(a5, z, c5z);
            }

            a += aStride;
            b += bStride;
        }

        c0w.Store(c);
        c0x.Store(c + 4);
        c0y.Store(c + 8);
        c0z.Store(c + 12);

        if (TRows.Count > 1)
        {
            c += cStride;
            c1w.Store(c);
            c1x.Store(c + 4);
            c1y.Store(c + 8);
            c1z.Store(c + 12);
        }

        if (TRows.Count > 2)
        {
            c += cStride;
            c2w.Store(c);
            c2x.Store(c + 4);
            c2y.Store(c + 8);
            c2z.Store(c + 12);
        }

        if (TRows.Count > 3)
        {
            c += cStride;
            c3w.Store(c);
            c3x.Store(c + 4);
            c3y.Store(c + 8);
            c3z.Store(c + 12);
        }

        if (TRows.Count > 4)
        {
            c += cStride;
            c4w.Store(c);
            c4x.Store(c + 4);
            c4y.Store(c + 8);
            c4z.Store(c + 12);
        }

        if (TRows.Count > 5)
        {
            c += cStride;
            c5w.Store(c);
            c5x.Store(c + 4);
            c5y.Store(c + 8);
            c5z.Store(c + 12);
        }
    }
}
