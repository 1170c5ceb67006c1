using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Kernels;

/// <summary>Dropout masks from a Philox stream: element i is 0 where word i lies below the threshold of the rate, else 1 / (1 − rate).</summary>
internal static unsafe class DropoutMask
{
    /// <summary>Elements <paramref name="first"/> and on.</summary>
    public static void Fill(Philox stream, float rate, long first, Span<float> mask)
    {
        uint threshold = Philox.DropThreshold(rate);
        float keep = 1f / (1f - rate);
        int i = Math.Min((int)(-first & 3), mask.Length);
        FillScalar(stream, threshold, keep, first, mask[..i]);
        fixed (float* p = mask)
        {
            if (Avx2.IsSupported)
            {
                for (; i + 32 <= mask.Length; i += 32)
                {
                    EightBlocks(stream, threshold, keep, (uint)((first + i) >> 2), p + i);
                }
            }

            if (Vector128.IsHardwareAccelerated && (Sse2.IsSupported || AdvSimd.Arm64.IsSupported))
            {
                for (; i + 16 <= mask.Length; i += 16)
                {
                    FourBlocks(stream, threshold, keep, (uint)((first + i) >> 2), p + i);
                }
            }
        }

        FillScalar(stream, threshold, keep, first + i, mask[i..]);
    }

    private static void FillScalar(Philox stream, uint threshold, float keep, long first, Span<float> mask)
    {
        int i = 0;
        while (i < mask.Length)
        {
            (uint w0, uint w1, uint w2, uint w3) = stream.Block((uint)((first + i) >> 2));
            for (int word = (int)((first + i) & 3); word < 4 && i < mask.Length; word++, i++)
            {
                uint w = word switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
                mask[i] = w < threshold ? 0f : keep;
            }
        }
    }

    /// <summary>Eight blocks side by side, each of their words in the low half of a 64-bit lane, as the multiplication wants it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightBlocks(Philox stream, uint threshold, float keep, uint block, float* mask)
    {
        Vector256<uint> multiplier0 = Vector256.Create(0xD2511F53UL).AsUInt32(), multiplier1 = Vector256.Create(0xCD9E8D57UL).AsUInt32();

        // A counter is 32 bits: the addition must not carry into what the next rounds would take for its upper half.
        Vector256<uint> a0 = (Vector256.Create((ulong)block).AsUInt32() + Vector256.Create(0UL, 1UL, 2UL, 3UL).AsUInt32());
        Vector256<uint> b0 = (Vector256.Create((ulong)block).AsUInt32() + Vector256.Create(4UL, 5UL, 6UL, 7UL).AsUInt32());
        Vector256<uint> a1 = Vector256.Create((ulong)stream.Counter1).AsUInt32(), b1 = a1;
        Vector256<uint> a2 = Vector256.Create((ulong)stream.Counter2).AsUInt32(), b2 = a2;
        Vector256<uint> a3 = Vector256.Create((ulong)stream.Counter3).AsUInt32(), b3 = a3;
        uint key0 = stream.Key0, key1 = stream.Key1;
        for (int round = 0; round < 10; round++)
        {
            Vector256<uint> k0 = Vector256.Create((ulong)key0).AsUInt32(), k1 = Vector256.Create((ulong)key1).AsUInt32();
            Vector256<ulong> p0 = Avx2.Multiply(a0, multiplier0), p1 = Avx2.Multiply(a2, multiplier1);
            Vector256<ulong> q0 = Avx2.Multiply(b0, multiplier0), q1 = Avx2.Multiply(b2, multiplier1);
            a0 = (p1 >> 32).AsUInt32() ^ a1 ^ k0;
            a1 = p1.AsUInt32();
            a2 = (p0 >> 32).AsUInt32() ^ a3 ^ k1;
            a3 = p0.AsUInt32();
            b0 = (q1 >> 32).AsUInt32() ^ b1 ^ k0;
            b1 = q1.AsUInt32();
            b2 = (q0 >> 32).AsUInt32() ^ b3 ^ k1;
            b3 = q0.AsUInt32();
            key0 += 0x9E3779B9;
            key1 += 0xBB67AE85;
        }

        Write(a0, a1, a2, a3, threshold, keep, mask);
        Write(b0, b1, b2, b3, threshold, keep, mask + 16);
    }

    /// <summary>From word n of four blocks in four vectors to the words of each block side by side, and to the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(Vector256<uint> w0, Vector256<uint> w1, Vector256<uint> w2, Vector256<uint> w3, uint threshold, float keep, float* mask)
    {
        Vector256<ulong> low = Vector256.Create(0xFFFFFFFFUL);
        Vector256<ulong> first = (w0.AsUInt64() & low) | (w1.AsUInt64() << 32), second = (w2.AsUInt64() & low) | (w3.AsUInt64() << 32);
        Vector256<uint> even = Avx2.UnpackLow(first, second).AsUInt32(), odd = Avx2.UnpackHigh(first, second).AsUInt32();
        Vector256<float> evens = Select(even, threshold, keep), odds = Select(odd, threshold, keep);
        evens.GetLower().Store(mask);
        odds.GetLower().Store(mask + 4);
        evens.GetUpper().Store(mask + 8);
        odds.GetUpper().Store(mask + 12);
    }

    /// <summary>Four blocks side by side in 128-bit vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourBlocks(Philox stream, uint threshold, float keep, uint block, float* mask)
    {
        Vector128<uint> multiplier0 = Vector128.Create(0xD2511F53u), multiplier1 = Vector128.Create(0xCD9E8D57u);
        Vector128<uint> c0 = Vector128.Create(block) + Vector128.Create(0u, 1u, 2u, 3u);
        Vector128<uint> c1 = Vector128.Create(stream.Counter1), c2 = Vector128.Create(stream.Counter2), c3 = Vector128.Create(stream.Counter3);
        uint key0 = stream.Key0, key1 = stream.Key1;
        for (int round = 0; round < 10; round++)
        {
            (Vector128<uint> low0, Vector128<uint> high0) = WideProduct(c0, multiplier0);
            (Vector128<uint> low1, Vector128<uint> high1) = WideProduct(c2, multiplier1);
            c0 = high1 ^ c1 ^ Vector128.Create(key0);
            c1 = low1;
            c2 = high0 ^ c3 ^ Vector128.Create(key1);
            c3 = low0;
            key0 += 0x9E3779B9;
            key1 += 0xBB67AE85;
        }

        Transposition.Four(ref c0, ref c1, ref c2, ref c3);
        Select(c0, threshold, keep).Store(mask);
        Select(c1, threshold, keep).Store(mask + 4);
        Select(c2, threshold, keep).Store(mask + 8);
        Select(c3, threshold, keep).Store(mask + 12);
    }

    /// <summary>
    /// The lower and the upper halves of the 64-bit products. Portable vectors have no such multiplication; both kinds of
    /// processor do.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<uint> Low, Vector128<uint> High) WideProduct(Vector128<uint> x, Vector128<uint> y)
    {
        if (AdvSimd.Arm64.IsSupported)
        {
            Vector128<uint> first = AdvSimd.MultiplyWideningLower(x.GetLower(), y.GetLower()).AsUInt32(), second = AdvSimd.MultiplyWideningUpper(x, y).AsUInt32();
            return (AdvSimd.Arm64.UnzipEven(first, second), AdvSimd.Arm64.UnzipOdd(first, second));
        }

        Vector128<ulong> low = Vector128.Create(0xFFFFFFFFUL);
        Vector128<ulong> even = Sse2.Multiply(x, y), odd = Sse2.Multiply((x.AsUInt64() >> 32).AsUInt32(), (y.AsUInt64() >> 32).AsUInt32());
        return (Vector128.ConditionalSelect(low, even, odd << 32).AsUInt32(), Vector128.ConditionalSelect(low, even >> 32, odd).AsUInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Select(Vector128<uint> words, uint threshold, float keep) =>
        Vector128.AndNot(Vector128.Create(keep), Vector128.LessThan(words, Vector128.Create(threshold)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Select(Vector256<uint> words, uint threshold, float keep) =>
        Vector256.AndNot(Vector256.Create(keep), Vector256.LessThan(words, Vector256.Create(threshold)).AsSingle());
}
