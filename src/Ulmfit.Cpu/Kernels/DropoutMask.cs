using Ulmfit.Model;

namespace Ulmfit.Cpu.Kernels;

/// <summary>Dropout masks from a Philox stream: element i is 0 where word i lies below the threshold of the rate, else 1 / (1 − rate).</summary>
internal static class DropoutMask
{
    /// <summary>Elements <paramref name="first"/> and on.</summary>
    public static void Fill(Philox stream, float rate, long first, Span<float> mask)
    {
        uint threshold = Philox.DropThreshold(rate);
        float keep = 1f / (1f - rate);
        int i = 0;
        while (i < mask.Length)
        {
            long index = first + i;
            (uint w0, uint w1, uint w2, uint w3) = stream.Block((uint)(index >> 2));
            switch ((int)(index & 3))
            {
                case 0:
                    mask[i++] = w0 < threshold ? 0f : keep;
                    goto case 1;
                case 1:
                    if (i < mask.Length)
                    {
                        mask[i++] = w1 < threshold ? 0f : keep;
                    }

                    goto case 2;
                case 2:
                    if (i < mask.Length)
                    {
                        mask[i++] = w2 < threshold ? 0f : keep;
                    }

                    goto default;
                default:
                    if (i < mask.Length)
                    {
                        mask[i++] = w3 < threshold ? 0f : keep;
                    }

                    break;
            }
        }
    }
}
