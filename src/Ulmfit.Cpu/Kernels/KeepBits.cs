using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ulmfit.Cpu.Kernels;

/// <summary>A dropout mask as one bit an element, sixteen to a word: a thirty-second of the mask's room.</summary>
internal static unsafe class KeepBits
{
    /// <summary>Bit j of word i is set where mask[16·i + j] is not zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Set(ReadOnlySpan<float> mask, Span<ushort> bits)
    {
        Check(mask.Length, bits.Length);
        fixed (float* p = mask)
        {
            if (!Vector256.IsHardwareAccelerated)
            {
                Set128(p, bits);
                return;
            }

            for (int i = 0; i < bits.Length; i++)
            {
                uint low = Vector256.Equals(Vector256.Load(p + (16 * i)), Vector256<float>.Zero).ExtractMostSignificantBits();
                uint high = Vector256.Equals(Vector256.Load(p + (16 * i) + 8), Vector256<float>.Zero).ExtractMostSignificantBits();
                bits[i] = (ushort)~(low | (high << 8));
            }
        }
    }

    /// <summary>x · factor where the bit is set, else 0, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(ReadOnlySpan<ushort> bits, float factor, Span<float> x)
    {
        Check(x.Length, bits.Length);
        fixed (float* p = x)
        {
            if (!Vector256.IsHardwareAccelerated)
            {
                Apply128(bits, factor, p);
                return;
            }

            Vector256<int> places = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
            Vector256<float> factors = Vector256.Create(factor);
            for (int i = 0; i < bits.Length; i++)
            {
                for (int half = 0; half < 2; half++)
                {
                    float* lanes = p + (16 * i) + (8 * half);
                    Vector256<int> set = Vector256.Equals(Vector256.Create(bits[i] >> (8 * half)) & places, places);
                    ((Vector256.Load(lanes) * factors).AsInt32() & set).AsSingle().Store(lanes);
                }
            }
        }
    }

    /// <summary><see cref="Set"/> with 128-bit vectors: every lane has a bit of its own, and their sum is the word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Set128(float* mask, Span<ushort> bits)
    {
        Vector128<uint> places = Vector128.Create(1u, 2u, 4u, 8u);
        for (int i = 0; i < bits.Length; i++)
        {
            Vector128<uint> zeros = Zeros(mask) & places;
            zeros |= Zeros(mask + 4) & (places << 4);
            zeros |= Zeros(mask + 8) & (places << 8);
            zeros |= Zeros(mask + 12) & (places << 12);
            bits[i] = (ushort)~Vector128.Sum(zeros);
            mask += 16;
        }
    }

    /// <summary><see cref="Apply"/> with 128-bit vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Apply128(ReadOnlySpan<ushort> bits, float factor, float* x)
    {
        Vector128<int> places = Vector128.Create(1, 2, 4, 8);
        Vector128<float> factors = Vector128.Create(factor);
        foreach (ushort word in bits)
        {
            for (int quarter = 0; quarter < 16; quarter += 4)
            {
                Vector128<int> set = Vector128.Equals(Vector128.Create(word >> quarter) & places, places);
                ((Vector128.Load(x) * factors).AsInt32() & set).AsSingle().Store(x);
                x += 4;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Zeros(float* mask) => Vector128.Equals(Vector128.Load(mask), Vector128<float>.Zero).AsUInt32();

    private static void Check(int floats, int words)
    {
        if (floats != 16L * words)
        {
            throw new ArgumentException($"{words} words of sixteen bits do not go with {floats} floats.");
        }
    }
}
