using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// Tiles of up to 14×32 outputs in 512-bit registers: 28 accumulators, two registers of B and one broadcast of A fill the
/// register file. The conditions on the number of rows are constants to the compiler, which drops the dead rows.
/// </summary>
internal readonly unsafe struct MatrixTile512 : IMatrixTile
{
    /// <summary>A page ahead: the processor's own prefetcher stops at its end.</summary>
    private const int Ahead = 1024;

    public static int MaxRows => 14;

    public static void Run(int rows, float* a, nint aStride, float* b, int width, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep)
    {
        if (width == 32)
        {
            switch (rows)
            {
                case 1: Wide<Rows1>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 2: Wide<Rows2>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 3: Wide<Rows3>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 4: Wide<Rows4>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 5: Wide<Rows5>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 6: Wide<Rows6>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 7: Wide<Rows7>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 8: Wide<Rows8>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 9: Wide<Rows9>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 10: Wide<Rows10>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 11: Wide<Rows11>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 12: Wide<Rows12>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 13: Wide<Rows13>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 14: Wide<Rows14>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                default: throw new ArgumentOutOfRangeException(nameof(rows));
            }
        }
        else
        {
            switch (rows)
            {
                case 1: Narrow<Rows1>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 2: Narrow<Rows2>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 3: Narrow<Rows3>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 4: Narrow<Rows4>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 5: Narrow<Rows5>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 6: Narrow<Rows6>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 7: Narrow<Rows7>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 8: Narrow<Rows8>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 9: Narrow<Rows9>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 10: Narrow<Rows10>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 11: Narrow<Rows11>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 12: Narrow<Rows12>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 13: Narrow<Rows13>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                case 14: Narrow<Rows14>(a, aStride, b, c, cStride, depth, start, startStride, ahead, aheadStep); break;
                default: throw new ArgumentOutOfRangeException(nameof(rows));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide<TRows>(float* a, nint aStride, float* b, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep)
        where TRows : struct, IRows
    {
        Vector512<float> c00x = default, c00y = default, c01x = default, c01y = default, c02x = default, c02y = default, c03x = default, c03y = default, c04x = default, c04y = default, c05x = default, c05y = default, c06x = default, c06y = default, c07x = default, c07y = default, c08x = default, c08y = default, c09x = default, c09y = default, c10x = default, c10y = default, c11x = default, c11y = default, c12x = default, c12y = default, c13x = default, c13y = default;
        if (start != null)
        {
            float* s = start;
            c00x = Vector512.Load(s);
            c00y = Vector512.Load(s + 16);

            if (TRows.Count > 1)
            {
                s += startStride;
                c01x = Vector512.Load(s);
                c01y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 2)
            {
                s += startStride;
                c02x = Vector512.Load(s);
                c02y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 3)
            {
                s += startStride;
                c03x = Vector512.Load(s);
                c03y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 4)
            {
                s += startStride;
                c04x = Vector512.Load(s);
                c04y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 5)
            {
                s += startStride;
                c05x = Vector512.Load(s);
                c05y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 6)
            {
                s += startStride;
                c06x = Vector512.Load(s);
                c06y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 7)
            {
                s += startStride;
                c07x = Vector512.Load(s);
                c07y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 8)
            {
                s += startStride;
                c08x = Vector512.Load(s);
                c08y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 9)
            {
                s += startStride;
                c09x = Vector512.Load(s);
                c09y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 10)
            {
                s += startStride;
                c10x = Vector512.Load(s);
                c10y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 11)
            {
                s += startStride;
                c11x = Vector512.Load(s);
                c11y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 12)
            {
                s += startStride;
                c12x = Vector512.Load(s);
                c12y = Vector512.Load(s + 16);
            }

            if (TRows.Count > 13)
            {
                s += startStride;
                c13x = Vector512.Load(s);
                c13y = Vector512.Load(s + 16);
            }
        }

        for (nint k = 0; k < depth; k++)
        {
            Vector512<float> x = Vector512.Load(b);
            Vector512<float> y = Vector512.Load(b + 16);
            Sse.Prefetch1(ahead);
            ahead += aheadStep;
            Vector512<float> a0 = Vector512.Create(a[0]);
            c00x = Vector512.FusedMultiplyAdd(a0, x, c00x);
            c00y = Vector512.FusedMultiplyAdd(a0, y, c00y);

            if (TRows.Count > 1)
            {
                Vector512<float> a1 = Vector512.Create(a[1]);
                c01x = Vector512.FusedMultiplyAdd(a1, x, c01x);
                c01y = Vector512.FusedMultiplyAdd(a1, y, c01y);
            }

            if (TRows.Count > 2)
            {
                Vector512<float> a2 = Vector512.Create(a[2]);
                c02x = Vector512.FusedMultiplyAdd(a2, x, c02x);
                c02y = Vector512.FusedMultiplyAdd(a2, y, c02y);
            }

            if (TRows.Count > 3)
            {
                Vector512<float> a3 = Vector512.Create(a[3]);
                c03x = Vector512.FusedMultiplyAdd(a3, x, c03x);
                c03y = Vector512.FusedMultiplyAdd(a3, y, c03y);
            }

            if (TRows.Count > 4)
            {
                Vector512<float> a4 = Vector512.Create(a[4]);
                c04x = Vector512.FusedMultiplyAdd(a4, x, c04x);
                c04y = Vector512.FusedMultiplyAdd(a4, y, c04y);
            }

            if (TRows.Count > 5)
            {
                Vector512<float> a5 = Vector512.Create(a[5]);
                c05x = Vector512.FusedMultiplyAdd(a5, x, c05x);
                c05y = Vector512.FusedMultiplyAdd(a5, y, c05y);
            }

            if (TRows.Count > 6)
            {
                Vector512<float> a6 = Vector512.Create(a[6]);
                c06x = Vector512.FusedMultiplyAdd(a6, x, c06x);
                c06y = Vector512.FusedMultiplyAdd(a6, y, c06y);
            }

            if (TRows.Count > 7)
            {
                Vector512<float> a7 = Vector512.Create(a[7]);
                c07x = Vector512.FusedMultiplyAdd(a7, x, c07x);
                c07y = Vector512.FusedMultiplyAdd(a7, y, c07y);
            }

            if (TRows.Count > 8)
            {
                Vector512<float> a8 = Vector512.Create(a[8]);
                c08x = Vector512.FusedMultiplyAdd(a8, x, c08x);
                c08y = Vector512.FusedMultiplyAdd(a8, y, c08y);
            }

            if (TRows.Count > 9)
            {
                Vector512<float> a9 = Vector512.Create(a[9]);
                c09x = Vector512.FusedMultiplyAdd(a9, x, c09x);
                c09y = Vector512.FusedMultiplyAdd(a9, y, c09y);
            }

            if (TRows.Count > 10)
            {
                Vector512<float> a10 = Vector512.Create(a[10]);
                c10x = Vector512.FusedMultiplyAdd(a10, x, c10x);
                c10y = Vector512.FusedMultiplyAdd(a10, y, c10y);
            }

            if (TRows.Count > 11)
            {
                Vector512<float> a11 = Vector512.Create(a[11]);
                c11x = Vector512.FusedMultiplyAdd(a11, x, c11x);
                c11y = Vector512.FusedMultiplyAdd(a11, y, c11y);
            }

            if (TRows.Count > 12)
            {
                Vector512<float> a12 = Vector512.Create(a[12]);
                c12x = Vector512.FusedMultiplyAdd(a12, x, c12x);
                c12y = Vector512.FusedMultiplyAdd(a12, y, c12y);
            }

            if (TRows.Count > 13)
            {
                Vector512<float> a13 = Vector512.Create(a[13]);
                c13x = Vector512.FusedMultiplyAdd(a13, x, c13x);
                c13y = Vector512.FusedMultiplyAdd(a13, y, c13y);
            }

            a += aStride;
            b += 32;
        }

        c00x.Store(c);
        c00y.Store(c + 16);

        if (TRows.Count > 1)
        {
            c += cStride;
            c01x.Store(c);
            c01y.Store(c + 16);
        }

        if (TRows.Count > 2)
        {
            c += cStride;
            c02x.Store(c);
            c02y.Store(c + 16);
        }

        if (TRows.Count > 3)
        {
            c += cStride;
            c03x.Store(c);
            c03y.Store(c + 16);
        }

        if (TRows.Count > 4)
        {
            c += cStride;
            c04x.Store(c);
            c04y.Store(c + 16);
        }

        if (TRows.Count > 5)
        {
            c += cStride;
            c05x.Store(c);
            c05y.Store(c + 16);
        }

        if (TRows.Count > 6)
        {
            c += cStride;
            c06x.Store(c);
            c06y.Store(c + 16);
        }

        if (TRows.Count > 7)
        {
            c += cStride;
            c07x.Store(c);
            c07y.Store(c + 16);
        }

        if (TRows.Count > 8)
        {
            c += cStride;
            c08x.Store(c);
            c08y.Store(c + 16);
        }

        if (TRows.Count > 9)
        {
            c += cStride;
            c09x.Store(c);
            c09y.Store(c + 16);
        }

        if (TRows.Count > 10)
        {
            c += cStride;
            c10x.Store(c);
            c10y.Store(c + 16);
        }

        if (TRows.Count > 11)
        {
            c += cStride;
            c11x.Store(c);
            c11y.Store(c + 16);
        }

        if (TRows.Count > 12)
        {
            c += cStride;
            c12x.Store(c);
            c12y.Store(c + 16);
        }

        if (TRows.Count > 13)
        {
            c += cStride;
            c13x.Store(c);
            c13y.Store(c + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow<TRows>(float* a, nint aStride, float* b, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep)
        where TRows : struct, IRows
    {
        Vector512<float> c00x = default, c01x = default, c02x = default, c03x = default, c04x = default, c05x = default, c06x = default, c07x = default, c08x = default, c09x = default, c10x = default, c11x = default, c12x = default, c13x = default;
        if (start != null)
        {
            float* s = start;
            c00x = Vector512.Load(s);

            if (TRows.Count > 1)
            {
                s += startStride;
                c01x = Vector512.Load(s);
            }

            if (TRows.Count > 2)
            {
                s += startStride;
                c02x = Vector512.Load(s);
            }

            if (TRows.Count > 3)
            {
                s += startStride;
                c03x = Vector512.Load(s);
            }

            if (TRows.Count > 4)
            {
                s += startStride;
                c04x = Vector512.Load(s);
            }

            if (TRows.Count > 5)
            {
                s += startStride;
                c05x = Vector512.Load(s);
            }

            if (TRows.Count > 6)
            {
                s += startStride;
                c06x = Vector512.Load(s);
            }

            if (TRows.Count > 7)
            {
                s += startStride;
                c07x = Vector512.Load(s);
            }

            if (TRows.Count > 8)
            {
                s += startStride;
                c08x = Vector512.Load(s);
            }

            if (TRows.Count > 9)
            {
                s += startStride;
                c09x = Vector512.Load(s);
            }

            if (TRows.Count > 10)
            {
                s += startStride;
                c10x = Vector512.Load(s);
            }

            if (TRows.Count > 11)
            {
                s += startStride;
                c11x = Vector512.Load(s);
            }

            if (TRows.Count > 12)
            {
                s += startStride;
                c12x = Vector512.Load(s);
            }

            if (TRows.Count > 13)
            {
                s += startStride;
                c13x = Vector512.Load(s);
            }
        }

        for (nint k = 0; k < depth; k++)
        {
            Vector512<float> x = Vector512.Load(b);
            Sse.Prefetch1(ahead);
            ahead += aheadStep;
            Vector512<float> a0 = Vector512.Create(a[0]);
            c00x = Vector512.FusedMultiplyAdd(a0, x, c00x);

            if (TRows.Count > 1)
            {
                Vector512<float> a1 = Vector512.Create(a[1]);
                c01x = Vector512.FusedMultiplyAdd(a1, x, c01x);
            }

            if (TRows.Count > 2)
            {
                Vector512<float> a2 = Vector512.Create(a[2]);
                c02x = Vector512.FusedMultiplyAdd(a2, x, c02x);
            }

            if (TRows.Count > 3)
            {
                Vector512<float> a3 = Vector512.Create(a[3]);
                c03x = Vector512.FusedMultiplyAdd(a3, x, c03x);
            }

            if (TRows.Count > 4)
            {
                Vector512<float> a4 = Vector512.Create(a[4]);
                c04x = Vector512.FusedMultiplyAdd(a4, x, c04x);
            }

            if (TRows.Count > 5)
            {
                Vector512<float> a5 = Vector512.Create(a[5]);
                c05x = Vector512.FusedMultiplyAdd(a5, x, c05x);
            }

            if (TRows.Count > 6)
            {
                Vector512<float> a6 = Vector512.Create(a[6]);
                c06x = Vector512.FusedMultiplyAdd(a6, x, c06x);
            }

            if (TRows.Count > 7)
            {
                Vector512<float> a7 = Vector512.Create(a[7]);
                c07x = Vector512.FusedMultiplyAdd(a7, x, c07x);
            }

            if (TRows.Count > 8)
            {
                Vector512<float> a8 = Vector512.Create(a[8]);
                c08x = Vector512.FusedMultiplyAdd(a8, x, c08x);
            }

            if (TRows.Count > 9)
            {
                Vector512<float> a9 = Vector512.Create(a[9]);
                c09x = Vector512.FusedMultiplyAdd(a9, x, c09x);
            }

            if (TRows.Count > 10)
            {
                Vector512<float> a10 = Vector512.Create(a[10]);
                c10x = Vector512.FusedMultiplyAdd(a10, x, c10x);
            }

            if (TRows.Count > 11)
            {
                Vector512<float> a11 = Vector512.Create(a[11]);
                c11x = Vector512.FusedMultiplyAdd(a11, x, c11x);
            }

            if (TRows.Count > 12)
            {
                Vector512<float> a12 = Vector512.Create(a[12]);
                c12x = Vector512.FusedMultiplyAdd(a12, x, c12x);
            }

            if (TRows.Count > 13)
            {
                Vector512<float> a13 = Vector512.Create(a[13]);
                c13x = Vector512.FusedMultiplyAdd(a13, x, c13x);
            }

            a += aStride;
            b += 16;
        }

        c00x.Store(c);

        if (TRows.Count > 1)
        {
            c += cStride;
            c01x.Store(c);
        }

        if (TRows.Count > 2)
        {
            c += cStride;
            c02x.Store(c);
        }

        if (TRows.Count > 3)
        {
            c += cStride;
            c03x.Store(c);
        }

        if (TRows.Count > 4)
        {
            c += cStride;
            c04x.Store(c);
        }

        if (TRows.Count > 5)
        {
            c += cStride;
            c05x.Store(c);
        }

        if (TRows.Count > 6)
        {
            c += cStride;
            c06x.Store(c);
        }

        if (TRows.Count > 7)
        {
            c += cStride;
            c07x.Store(c);
        }

        if (TRows.Count > 8)
        {
            c += cStride;
            c08x.Store(c);
        }

        if (TRows.Count > 9)
        {
            c += cStride;
            c09x.Store(c);
        }

        if (TRows.Count > 10)
        {
            c += cStride;
            c10x.Store(c);
        }

        if (TRows.Count > 11)
        {
            c += cStride;
            c11x.Store(c);
        }

        if (TRows.Count > 12)
        {
            c += cStride;
            c12x.Store(c);
        }

        if (TRows.Count > 13)
        {
            c += cStride;
            c13x.Store(c);
        }
    }
}
