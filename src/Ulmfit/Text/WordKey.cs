using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>
/// A word of at most sixteen characters in sixteen bytes: those of Latin-1 as they are, the usual typographic ones as
/// control characters, which no clean text holds. Different words have different keys; that of no word is zero.
/// </summary>
internal readonly struct WordKey : IEquatable<WordKey>
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private readonly ulong low;
    private readonly ulong high;

    private WordKey(ulong low, ulong high)
    {
        this.low = low;
        this.high = high;
    }

    /// <summary>Spreads over its highest bits.</summary>
    internal ulong Hash
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (low ^ BitOperations.RotateLeft(high * Golden, 29)) * Golden;
    }

    public static bool operator ==(WordKey left, WordKey right) => ((left.low ^ right.low) | (left.high ^ right.high)) == 0;

    public static bool operator !=(WordKey left, WordKey right) => !(left == right);

    /// <summary>The key of the word that has one character more, which must be of Latin-1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal WordKey With(char c) => new((low << 8) | c, (high << 8) | (low >> 56));

    /// <summary>The key of a word with characters beyond Latin-1; false if it has one for which there is no place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool TryOf(ReadOnlySpan<char> word, out WordKey key)
    {
        key = default;
        foreach (char c in word)
        {
            char narrow = c switch
            {
                <= '\u00FF' => c,
                '‘' => '\u0001',
                '’' => '\u0002',
                '“' => '\u0003',
                '”' => '\u0004',
                '–' => '\u0005',
                '—' => '\u0006',
                '…' => '\u0007',
                _ => '\0',
            };
            if (narrow == '\0')
            {
                return false;
            }

            key = key.With(narrow);
        }

        return true;
    }

    public bool Equals(WordKey other) => this == other;

    public override bool Equals(object? obj) => obj is WordKey other && this == other;

    public override int GetHashCode() => (int)(Hash >> 32);
}
