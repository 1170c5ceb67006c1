namespace Ulmfit.Reliability;

/// <summary>Steele, Lea and Flood's SplitMix64: numbers that follow from a seed alone, in every version of every library.</summary>
internal sealed class SplitMix(ulong seed)
{
    private ulong state = seed;

    /// <summary>A number in [0, <paramref name="below"/>).</summary>
    public int Next(int below)
    {
        ulong z = state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return (int)((z ^ (z >> 31)) % (ulong)below);
    }
}
