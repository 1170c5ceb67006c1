using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// Tiles of up to 6×16 outputs in 256-bit registers: 12 accumulators, two registers of B and one broadcast of A. A panel
/// of 32 columns is two tiles.
/// </summary>
internal readonly unsafe struct MatrixTile256 : IMatrixTile
{
    public static int MaxRows => 6;

    public static void Run(int rows, float* a, nint aStride, float* b, int width, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep)
    {
        for (int column = 0; column < width; column += 16)
        {
            float* s = start == null ? null : start + column;
            switch (rows)
            {
                case 1: Half<Rows1>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride, ahead, aheadStep); break;
                case 2: Half<Rows2>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride, ahead, aheadStep); break;
                case 3: Half<Rows3>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride, ahead, aheadStep); break;
                case 4: Half<Rows4>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride, ahead, aheadStep); break;
                case 5: Half<Rows5>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride, ahead, aheadStep); break;
                case 6: Half<Rows6>(a, aStride, b + column, width, c + column, cStride, depth, s, startStride, ahead, aheadStep); break;
                default: throw new ArgumentOutOfRangeException(nameof(rows));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Half<TRows>(float* a, nint aStride, float* b, nint bStride, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep)
        where TRows : struct, IRows
    {
        Vector256<float> c0x = default, c0y = default, c1x = default, c1y = default, c2x = default, c2y = default, c3x = default, c3y = default, c4x = default, c4y = default, c5x = default, c5y = default;
        if (start != null)
        {
            float* s = start;
            c0x = Vector256.Load(s);
            c0y = Vector256.Load(s + 8);

            if (TRows.Count > 1)
            {
                s += startStride;
                c1x = Vector256.Load(s);
                c1y = Vector256.Load(s + 8);
            }

            if (TRows.Count > 2)
            {
                s += startStride;
                c2x = Vector256.Load(s);
                c2y = Vector256.Load(s + 8);
            }

            if (TRows.Count > 3)
            {
                s += startStride;
                c3x = Vector256.Load(s);
                c3y = Vector256.Load(s + 8);
            }

            if (TRows.Count > 4)
            {
                s += startStride;
                c4x = Vector256.Load(s);
                c4y = Vector256.Load(s + 8);
            }

            if (TRows.Count > 5)
            {
                s += startStride;
                c5x = Vector256.Load(s);
                c5y = Vector256.Load(s + 8);
            }
        }

        for (nint k = 0; k < depth; k++)
        {
            Vector256<float> x = Vector256.Load(b);
            Vector256<float> y = Vector256.Load(b + 8);
            Sse.Prefetch1(ahead);
            ahead += aheadStep;
            Vector256<float> a0 = Vector256.Create(a[0]);
            c0x = Vector256.FusedMultiplyAdd(a0, x, c0x);
            c0y = Vector256.FusedMultiplyAdd(a0, y, c0y);

            if (TRows.Count > 1)
            {
                Vector256<float> a1 = Vector256.Create(a[1]);
                c1x = Vector256.FusedMultiplyAdd(a1, x, c1x);
                c1y = Vector256.FusedMultiplyAdd(a1, y, c1y);
            }

            if (TRows.Count > 2)
            {
                Vector256<float> a2 = Vector256.Create(a[2]);
                c2x = Vector256.FusedMultiplyAdd(a2, x, c2x);
                c2y = Vector256.FusedMultiplyAdd(a2, y, c2y);
            }

            if (TRows.Count > 3)
            {
                Vector256<float> a3 = Vector256.Create(a[3]);
                c3x = Vector256.FusedMultiplyAdd(a3, x, c3x);
                c3y = Vector256.FusedMultiplyAdd(a3, y, c3y);
            }

            if (TRows.Count > 4)
            {
                Vector256<float> a4 = Vector256.Create(a[4]);
                c4x = Vector256.FusedMultiplyAdd(a4, x, c4x);
                c4y = Vector256.FusedMultiplyAdd(a4, y, c4y);
            }

            if (TRows.Count > 5)
            {
                Vector256<float> a5 = Vector256.Create(a[5]);
                c5x = Vector256.FusedMultiplyAdd(a5, x, c5x);
                c5y = Vector256.FusedMultiplyAdd(a5, y, c5y);
            }

            a += aStride;
            b += bStride;
        }

        c0x.Store(c);
        c0y.Store(c + 8);

        if (TRows.Count > 1)
        {
            c += cStride;
            c1x.Store(c);
            c1y.Store(c + 8);
        }

        if (TRows.Count > 2)
        {
            c += cStride;
            c2x.Store(c);
            c2y.Store(c + 8);
        }

        if (TRows.Count > 3)
        {
            c += cStride;
            c3x.Store(c);
            c3y.Store(c + 8);
        }

        if (TRows.Count > 4)
        {
            c += cStride;
            c4x.Store(c);
            c4y.Store(c + 8);
        }

        if (TRows.Count > 5)
        {
            c += cStride;
            c5x.Store(c);
            c5y.Store(c + 8);
        }
    }
}
