using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ulmfit.Cpu.Kernels;

/// <summary>Small square blocks turned about their diagonal in registers. It moves bits and computes nothing.</summary>
internal static unsafe class Transposition
{
    /// <summary>target[j, i] = source[i, j] for i and j below 8; the processor must have AVX2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eight(float* source, long stride, float* target, long targetStride)
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

    /// <summary>target[j, i] = source[i, j] for i and j below 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(float* source, long stride, float* target, long targetStride)
    {
        Vector128<uint> r0 = Vector128.Load(source).AsUInt32(), r1 = Vector128.Load(source + stride).AsUInt32();
        Vector128<uint> r2 = Vector128.Load(source + (2 * stride)).AsUInt32(), r3 = Vector128.Load(source + (3 * stride)).AsUInt32();
        Four(ref r0, ref r1, ref r2, ref r3);
        r0.AsSingle().Store(target);
        r1.AsSingle().Store(target + targetStride);
        r2.AsSingle().Store(target + (2 * targetStride));
        r3.AsSingle().Store(target + (3 * targetStride));
    }

    /// <summary>The four rows of a 4×4 block become its columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(ref Vector128<uint> r0, ref Vector128<uint> r1, ref Vector128<uint> r2, ref Vector128<uint> r3)
    {
        if (Sse.IsSupported)
        {
            Vector128<float> low01 = Sse.UnpackLow(r0.AsSingle(), r1.AsSingle()), high01 = Sse.UnpackHigh(r0.AsSingle(), r1.AsSingle());
            Vector128<float> low23 = Sse.UnpackLow(r2.AsSingle(), r3.AsSingle()), high23 = Sse.UnpackHigh(r2.AsSingle(), r3.AsSingle());
            r0 = Sse.MoveLowToHigh(low01, low23).AsUInt32();
            r1 = Sse.MoveHighToLow(low23, low01).AsUInt32();
            r2 = Sse.MoveLowToHigh(high01, high23).AsUInt32();
            r3 = Sse.MoveHighToLow(high23, high01).AsUInt32();
        }
        else
        {
            FourPortable(ref r0, ref r1, ref r2, ref r3);
        }
    }

    /// <summary>The same by what every processor has, and where 64-bit halves of a vector are registers of their own (ARM64), quickly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourPortable(ref Vector128<uint> r0, ref Vector128<uint> r1, ref Vector128<uint> r2, ref Vector128<uint> r3)
    {
        // Blocks of 2×2 within 64-bit lanes, by shifts; then the lanes, by halves.
        (Vector128<ulong> even01, Vector128<ulong> odd01) = Pairs(r0.AsUInt64(), r1.AsUInt64());
        (Vector128<ulong> even23, Vector128<ulong> odd23) = Pairs(r2.AsUInt64(), r3.AsUInt64());
        r0 = Vector128.Create(even01.GetLower(), even23.GetLower()).AsUInt32();
        r1 = Vector128.Create(odd01.GetLower(), odd23.GetLower()).AsUInt32();
        r2 = Vector128.Create(even01.GetUpper(), even23.GetUpper()).AsUInt32();
        r3 = Vector128.Create(odd01.GetUpper(), odd23.GetUpper()).AsUInt32();
    }

    /// <summary>The even 32-bit lanes of a and b, and the odd ones, each lane of a beside its neighbour from b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<ulong> Even, Vector128<ulong> Odd) Pairs(Vector128<ulong> a, Vector128<ulong> b)
    {
        Vector128<ulong> low = Vector128.Create(0xFFFFFFFFUL);
        return (Vector128.ConditionalSelect(low, a, b << 32), Vector128.ConditionalSelect(low, a >> 32, b));
    }
}
