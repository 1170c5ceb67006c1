namespace Ulmfit.Model;

/// <summary>
/// Philox-4x32-10, the counter-based generator of Salmon et al. 2011 ("Parallel random numbers: as easy as 1, 2, 3"):
/// four 32-bit words from a 128-bit counter and a 64-bit key. Word <c>i</c> of a stream is word <c>i mod 4</c> of the
/// block with counter <c>i / 4</c>.
/// </summary>
/// <remarks>
/// The key is the seed. The counter's words are: 0 the block number; 1 step; 2 epoch (low 16 bits) and stage (high 16
/// bits); 3 purpose (low 8 bits) and layer (high 24 bits). Engines may draw whole blocks with vector instructions;
/// they must give these words.
/// </remarks>
public readonly struct Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;

    /// <summary>A stream for one purpose (and layer) at one place of a run.</summary>
    public Philox(RandomKey key, RandomPurpose purpose, int layer = 0)
    {
        Key0 = (uint)key.Seed;
        Key1 = (uint)(key.Seed >> 32);
        Counter1 = (uint)key.Step;
        Counter2 = (uint)(key.Epoch & 0xFFFF) | ((uint)key.Stage << 16);
        Counter3 = ((uint)purpose & 0xFF) | ((uint)layer << 8);
    }

    /// <summary>Low word of the key.</summary>
    public uint Key0 { get; }

    /// <summary>High word of the key.</summary>
    public uint Key1 { get; }

    /// <summary>Word 1 of the counter.</summary>
    public uint Counter1 { get; }

    /// <summary>Word 2 of the counter.</summary>
    public uint Counter2 { get; }

    /// <summary>Word 3 of the counter.</summary>
    public uint Counter3 { get; }

    /// <summary>The four words of block <paramref name="block"/>.</summary>
    public (uint W0, uint W1, uint W2, uint W3) Block(uint block)
    {
        uint c0 = block, c1 = Counter1, c2 = Counter2, c3 = Counter3, k0 = Key0, k1 = Key1;
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0;
            ulong p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>Word <paramref name="index"/> of the stream.</summary>
    public uint Word(long index)
    {
        (uint w0, uint w1, uint w2, uint w3) = Block((uint)(index >> 2));
        return (index & 3) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
    }

    /// <summary>A float in [0, 1) from the top 24 bits of word <paramref name="index"/>.</summary>
    public float Uniform(long index) => (Word(index) >> 8) * (1f / (1 << 24));

    /// <summary>An integer in [0, <paramref name="count"/>) from word <paramref name="index"/>, by multiplication (bias below 2⁻³²·count).</summary>
    public int Below(int count, long index) => (int)(((ulong)Word(index) * (uint)count) >> 32);

    /// <summary>
    /// The word below which an element is dropped with probability <paramref name="rate"/>: element i of a mask is zero
    /// when <c>Word(i) &lt; threshold</c>, else <c>1 / (1 − rate)</c>.
    /// </summary>
    public static uint DropThreshold(float rate) => (uint)Math.Min(uint.MaxValue, Math.Round(rate * 4294967296.0));
}
