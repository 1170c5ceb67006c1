namespace Ulmfit.Text;

/// <summary>
/// Keeps the strings of recent tokens, so that the same word is one string. A slot may be overwritten at any time, also by
/// another thread: reading and writing a reference is atomic, and what is found is compared before it is used.
/// </summary>
internal sealed class TokenCache
{
    private const int Slots = 1 << 14;
    private const int LongestKept = 24;

    private readonly string?[] _slots = new string?[Slots];

    internal string Get(ReadOnlySpan<char> token)
    {
        if (token.Length > LongestKept)
        {
            return token.ToString();
        }

        ref string? slot = ref _slots[Hash(token) & (Slots - 1)];
        string? kept = slot;
        if (kept is null || !token.SequenceEqual(kept))
        {
            kept = token.ToString();
            slot = kept;
        }

        return kept;
    }

    private static uint Hash(ReadOnlySpan<char> token)
    {
        uint hash = (uint)token.Length;
        foreach (char c in token)
        {
            hash = (hash ^ c) * 0x9E3779B1;
        }

        return hash ^ (hash >> 15);
    }
}
