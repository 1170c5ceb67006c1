namespace Fuzz;

/// <summary>
/// The randomness of one input: a pure function of seed, target and number of the input, so that any input can be made again alone,
/// whatever the number of threads. SplitMix64 (Steele, Lea, Flood 2014).
/// </summary>
internal sealed class FuzzRandom
{
    private ulong state;

    /// <summary>Randomness for one input.</summary>
    /// <param name="seed">The seed of the whole run.</param>
    /// <param name="target">The target's name.</param>
    /// <param name="index">Which input of the target.</param>
    public FuzzRandom(ulong seed, string target, long index) => Restart(seed, target, index);

    /// <summary>Begins anew, for another input.</summary>
    public void Restart(ulong seed, string target, long index)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in target)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        state = seed;
        state = Next() ^ hash;
        state = Next() ^ (ulong)index;
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to below <paramref name="end"/>.</summary>
    public int Below(int end) => (int)(((Next() >> 32) * (ulong)end) >> 32);

    /// <summary>Whether an event of probability 1 in <paramref name="n"/> happens.</summary>
    public bool OneIn(int n) => Below(n) == 0;

    /// <summary>One of several.</summary>
    public T Of<T>(ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    /// <summary>Random bytes, at most <paramref name="most"/>, short ones more often.</summary>
    public byte[] Bytes(int most)
    {
        var bytes = new byte[Below(Below(most + 1) + 1)];
        Fill(bytes);
        return bytes;
    }

    /// <summary>Fills with random bytes.</summary>
    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(Next() >> 56);
        }
    }
}
