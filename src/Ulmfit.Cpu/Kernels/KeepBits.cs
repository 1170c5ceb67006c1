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
        Vector256<int> places = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
        Vector256<float> factors = Vector256.Create(factor);
        fixed (float* p = x)
        {
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

    private static void Check(int floats, int words)
    {
        if (floats != 16L * words)
        {
            throw new ArgumentException($"{words} words of sixteen bits do not go with {floats} floats.");
        }
    }
}
