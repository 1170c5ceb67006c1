using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// Sixteen floats side by side. Every element-wise kernel is written once over this type, and every operation here is
/// exact by IEEE 754, so that a kernel gives the same bits whether the lanes are one 512-bit register, two of 256 bits,
/// four of 128 or sixteen scalars. Reductions over the lanes are one fixed tree.
/// </summary>
internal unsafe interface ILanes<T>
    where T : struct, ILanes<T>
{
    /// <summary>Sixteen floats from memory.</summary>
    static abstract T Load(float* source);

    /// <summary>Writes sixteen floats to memory.</summary>
    static abstract void Store(float* target, T value);

    /// <summary>The same float in every lane.</summary>
    static abstract T All(float value);

    /// <summary>a + b.</summary>
    static abstract T Add(T a, T b);

    /// <summary>a − b.</summary>
    static abstract T Subtract(T a, T b);

    /// <summary>a · b.</summary>
    static abstract T Multiply(T a, T b);

    /// <summary>a / b.</summary>
    static abstract T Divide(T a, T b);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);

    /// <summary>The square root.</summary>
    static abstract T Sqrt(T a);

    /// <summary>Where a &gt; b: x, else y.</summary>
    static abstract T SelectGreater(T a, T b, T x, T y);

    /// <summary>Where a = b: x, else y.</summary>
    static abstract T SelectEqual(T a, T b, T x, T y);

    /// <summary>
    /// value · 2ⁿ for a normal value whose result is normal too; n is in the low bits of the float
    /// <paramref name="shifted"/> = 1.5·2²³ + n.
    /// </summary>
    static abstract T ScaleByPowerOfTwo(T value, T shifted);

    /// <summary>Adds the squares of the lanes to sixteen doubles.</summary>
    static abstract void AddSquares(T value, double* sums);
}

/// <summary>One 512-bit register.</summary>
internal readonly unsafe struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    private readonly Vector512<float> v = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Lanes512 value) => value.v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 All(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Add(Lanes512 a, Lanes512 b) => new(a.v + b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Subtract(Lanes512 a, Lanes512 b) => new(a.v - b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Multiply(Lanes512 a, Lanes512 b) => new(a.v * b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Divide(Lanes512 a, Lanes512 b) => new(a.v / b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 a, Lanes512 b, Lanes512 c) => new(Vector512.FusedMultiplyAdd(a.v, b.v, c.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Sqrt(Lanes512 a) => new(Vector512.Sqrt(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 SelectGreater(Lanes512 a, Lanes512 b, Lanes512 x, Lanes512 y) => new(Vector512.ConditionalSelect(Vector512.GreaterThan(a.v, b.v), x.v, y.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 SelectEqual(Lanes512 a, Lanes512 b, Lanes512 x, Lanes512 y) => new(Vector512.ConditionalSelect(Vector512.Equals(a.v, b.v), x.v, y.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ScaleByPowerOfTwo(Lanes512 value, Lanes512 shifted) => new((value.v.AsInt32() + Vector512.ShiftLeft(shifted.v.AsInt32(), 23)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddSquares(Lanes512 value, double* sums)
    {
        (Vector512<double> low, Vector512<double> high) = Vector512.Widen(value.v);
        Vector512.FusedMultiplyAdd(low, low, Vector512.Load(sums)).Store(sums);
        Vector512.FusedMultiplyAdd(high, high, Vector512.Load(sums + 8)).Store(sums + 8);
    }
}

/// <summary>Two 256-bit registers.</summary>
internal readonly unsafe struct Lanes256(Vector256<float> low, Vector256<float> high) : ILanes<Lanes256>
{
    private readonly Vector256<float> l = low;
    private readonly Vector256<float> h = high;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source) => new(Vector256.Load(source), Vector256.Load(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Lanes256 value)
    {
        value.l.Store(target);
        value.h.Store(target + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 All(float value) => new(Vector256.Create(value), Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Add(Lanes256 a, Lanes256 b) => new(a.l + b.l, a.h + b.h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Subtract(Lanes256 a, Lanes256 b) => new(a.l - b.l, a.h - b.h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Multiply(Lanes256 a, Lanes256 b) => new(a.l * b.l, a.h * b.h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Divide(Lanes256 a, Lanes256 b) => new(a.l / b.l, a.h / b.h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 c) => new(Vector256.FusedMultiplyAdd(a.l, b.l, c.l), Vector256.FusedMultiplyAdd(a.h, b.h, c.h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Sqrt(Lanes256 a) => new(Vector256.Sqrt(a.l), Vector256.Sqrt(a.h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 SelectGreater(Lanes256 a, Lanes256 b, Lanes256 x, Lanes256 y) =>
        new(Vector256.ConditionalSelect(Vector256.GreaterThan(a.l, b.l), x.l, y.l), Vector256.ConditionalSelect(Vector256.GreaterThan(a.h, b.h), x.h, y.h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 SelectEqual(Lanes256 a, Lanes256 b, Lanes256 x, Lanes256 y) =>
        new(Vector256.ConditionalSelect(Vector256.Equals(a.l, b.l), x.l, y.l), Vector256.ConditionalSelect(Vector256.Equals(a.h, b.h), x.h, y.h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ScaleByPowerOfTwo(Lanes256 value, Lanes256 shifted) =>
        new((value.l.AsInt32() + Vector256.ShiftLeft(shifted.l.AsInt32(), 23)).AsSingle(), (value.h.AsInt32() + Vector256.ShiftLeft(shifted.h.AsInt32(), 23)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddSquares(Lanes256 value, double* sums)
    {
        (Vector256<double> a, Vector256<double> b) = Vector256.Widen(value.l);
        (Vector256<double> c, Vector256<double> d) = Vector256.Widen(value.h);
        Vector256.FusedMultiplyAdd(a, a, Vector256.Load(sums)).Store(sums);
        Vector256.FusedMultiplyAdd(b, b, Vector256.Load(sums + 4)).Store(sums + 4);
        Vector256.FusedMultiplyAdd(c, c, Vector256.Load(sums + 8)).Store(sums + 8);
        Vector256.FusedMultiplyAdd(d, d, Vector256.Load(sums + 12)).Store(sums + 12);
    }
}

/// <summary>Four 128-bit registers, by what every processor with such registers has in common: the path of ARM64.</summary>
internal readonly unsafe struct Lanes128(Vector128<float> first, Vector128<float> second, Vector128<float> third, Vector128<float> fourth) : ILanes<Lanes128>
{
    private readonly Vector128<float> p = first;
    private readonly Vector128<float> q = second;
    private readonly Vector128<float> r = third;
    private readonly Vector128<float> s = fourth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* source) => new(Vector128.Load(source), Vector128.Load(source + 4), Vector128.Load(source + 8), Vector128.Load(source + 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Lanes128 value)
    {
        value.p.Store(target);
        value.q.Store(target + 4);
        value.r.Store(target + 8);
        value.s.Store(target + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 All(float value)
    {
        Vector128<float> v = Vector128.Create(value);
        return new(v, v, v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Add(Lanes128 a, Lanes128 b) => new(a.p + b.p, a.q + b.q, a.r + b.r, a.s + b.s);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Subtract(Lanes128 a, Lanes128 b) => new(a.p - b.p, a.q - b.q, a.r - b.r, a.s - b.s);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Multiply(Lanes128 a, Lanes128 b) => new(a.p * b.p, a.q * b.q, a.r * b.r, a.s * b.s);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Divide(Lanes128 a, Lanes128 b) => new(a.p / b.p, a.q / b.q, a.r / b.r, a.s / b.s);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 c) =>
        new(Vector128.FusedMultiplyAdd(a.p, b.p, c.p), Vector128.FusedMultiplyAdd(a.q, b.q, c.q), Vector128.FusedMultiplyAdd(a.r, b.r, c.r), Vector128.FusedMultiplyAdd(a.s, b.s, c.s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Sqrt(Lanes128 a) => new(Vector128.Sqrt(a.p), Vector128.Sqrt(a.q), Vector128.Sqrt(a.r), Vector128.Sqrt(a.s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 SelectGreater(Lanes128 a, Lanes128 b, Lanes128 x, Lanes128 y) => new(
        Vector128.ConditionalSelect(Vector128.GreaterThan(a.p, b.p), x.p, y.p),
        Vector128.ConditionalSelect(Vector128.GreaterThan(a.q, b.q), x.q, y.q),
        Vector128.ConditionalSelect(Vector128.GreaterThan(a.r, b.r), x.r, y.r),
        Vector128.ConditionalSelect(Vector128.GreaterThan(a.s, b.s), x.s, y.s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 SelectEqual(Lanes128 a, Lanes128 b, Lanes128 x, Lanes128 y) => new(
        Vector128.ConditionalSelect(Vector128.Equals(a.p, b.p), x.p, y.p),
        Vector128.ConditionalSelect(Vector128.Equals(a.q, b.q), x.q, y.q),
        Vector128.ConditionalSelect(Vector128.Equals(a.r, b.r), x.r, y.r),
        Vector128.ConditionalSelect(Vector128.Equals(a.s, b.s), x.s, y.s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ScaleByPowerOfTwo(Lanes128 value, Lanes128 shifted) => new(
        (value.p.AsInt32() + Vector128.ShiftLeft(shifted.p.AsInt32(), 23)).AsSingle(),
        (value.q.AsInt32() + Vector128.ShiftLeft(shifted.q.AsInt32(), 23)).AsSingle(),
        (value.r.AsInt32() + Vector128.ShiftLeft(shifted.r.AsInt32(), 23)).AsSingle(),
        (value.s.AsInt32() + Vector128.ShiftLeft(shifted.s.AsInt32(), 23)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddSquares(Lanes128 value, double* sums)
    {
        AddSquares(value.p, sums);
        AddSquares(value.q, sums + 4);
        AddSquares(value.r, sums + 8);
        AddSquares(value.s, sums + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSquares(Vector128<float> four, double* sums)
    {
        (Vector128<double> low, Vector128<double> high) = Vector128.Widen(four);
        Vector128.FusedMultiplyAdd(low, low, Vector128.Load(sums)).Store(sums);
        Vector128.FusedMultiplyAdd(high, high, Vector128.Load(sums + 2)).Store(sums + 2);
    }
}

/// <summary>Sixteen scalars: the twin that the registers are held against, and the path of processors that have neither.</summary>
internal unsafe struct LanesScalar : ILanes<LanesScalar>
{
    private Sixteen v;

    public static LanesScalar Load(float* source)
    {
        LanesScalar r = default;
        for (int i = 0; i < 16; i++)
        {
            r.v[i] = source[i];
        }

        return r;
    }

    public static void Store(float* target, LanesScalar value)
    {
        for (int i = 0; i < 16; i++)
        {
            target[i] = value.v[i];
        }
    }

    public static LanesScalar All(float value)
    {
        LanesScalar r = default;
        ((Span<float>)r.v).Fill(value);
        return r;
    }

    public static LanesScalar Add(LanesScalar a, LanesScalar b)
    {
        for (int i = 0; i < 16; i++)
        {
            a.v[i] += b.v[i];
        }

        return a;
    }

    public static LanesScalar Subtract(LanesScalar a, LanesScalar b)
    {
        for (int i = 0; i < 16; i++)
        {
            a.v[i] -= b.v[i];
        }

        return a;
    }

    public static LanesScalar Multiply(LanesScalar a, LanesScalar b)
    {
        for (int i = 0; i < 16; i++)
        {
            a.v[i] *= b.v[i];
        }

        return a;
    }

    public static LanesScalar Divide(LanesScalar a, LanesScalar b)
    {
        for (int i = 0; i < 16; i++)
        {
            a.v[i] /= b.v[i];
        }

        return a;
    }

    public static LanesScalar MultiplyAdd(LanesScalar a, LanesScalar b, LanesScalar c)
    {
        for (int i = 0; i < 16; i++)
        {
            a.v[i] = MathF.FusedMultiplyAdd(a.v[i], b.v[i], c.v[i]);
        }

        return a;
    }

    public static LanesScalar Sqrt(LanesScalar a)
    {
        for (int i = 0; i < 16; i++)
        {
            a.v[i] = MathF.Sqrt(a.v[i]);
        }

        return a;
    }

    public static LanesScalar SelectGreater(LanesScalar a, LanesScalar b, LanesScalar x, LanesScalar y)
    {
        for (int i = 0; i < 16; i++)
        {
            y.v[i] = a.v[i] > b.v[i] ? x.v[i] : y.v[i];
        }

        return y;
    }

    public static LanesScalar SelectEqual(LanesScalar a, LanesScalar b, LanesScalar x, LanesScalar y)
    {
        for (int i = 0; i < 16; i++)
        {
            y.v[i] = a.v[i] == b.v[i] ? x.v[i] : y.v[i];
        }

        return y;
    }

    public static LanesScalar ScaleByPowerOfTwo(LanesScalar value, LanesScalar shifted)
    {
        for (int i = 0; i < 16; i++)
        {
            value.v[i] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value.v[i]) + (BitConverter.SingleToInt32Bits(shifted.v[i]) << 23));
        }

        return value;
    }

    public static void AddSquares(LanesScalar value, double* sums)
    {
        for (int i = 0; i < 16; i++)
        {
            double x = value.v[i];
            sums[i] = Math.FusedMultiplyAdd(x, x, sums[i]);
        }
    }

    [InlineArray(16)]
    private struct Sixteen
    {
        private float first;
    }
}
