using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>
/// Keeps what words of the text became, so that a word met again is not split again: what the rules make of what stands
/// between white space depends on it alone. Bounded: two places for the words of one hash, of which the one found last
/// stays when a third comes, so that frequent words are not lost to rare ones. For one thread at a time.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Longer words are rare, and rarely met twice.</summary>
    internal const int LongestWord = 2 * sizeof(ulong);

    /// <summary>A word of more tokens is not kept.</summary>
    internal const int MostTokens = 4;

    private const int Words = 1 << 16;
    private const int Shift = 64 - 15;

    private readonly Entry[] places = new Entry[Words];

    /// <summary>Appends the tokens of a word; false, and nothing is appended, if it is not kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryAppend(WordKey word, TokenBuffer tokens)
    {
        Entry[] places = this.places;
        int place = PlaceOf(word);
        if ((uint)place >= (uint)places.Length || places[place].Word != word)
        {
            return TryAppendSecond(word, place, tokens);
        }

        ref Entry entry = ref places[place];
        tokens.Add(in entry.Tokens, entry.Count);
        return true;
    }

    /// <summary>Keeps the tokens of a word, unless they are too many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Keep(WordKey word, ReadOnlySpan<int> tokens)
    {
        if (tokens.Length > MostTokens)
        {
            return;
        }

        ref Entry entry = ref places[PlaceOf(word) + 1];
        entry.Word = word;
        entry.Count = tokens.Length;
        tokens.CopyTo(entry.Tokens);
    }

    private static int PlaceOf(WordKey word) => (int)(word.Hash >> Shift) * 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryAppendSecond(WordKey word, int place, TokenBuffer tokens)
    {
        Entry second = places[place + 1];
        if (second.Word != word)
        {
            return false;
        }

        places[place + 1] = places[place];
        places[place] = second;
        tokens.Add(in second.Tokens, second.Count);
        return true;
    }

    /// <summary>The tokens of a word; those behind its last are of no meaning.</summary>
    [InlineArray(MostTokens)]
    [SuppressMessage("Style", "IDE0044", Justification = "An inline array's element field cannot be readonly.")]
    internal struct Tokens
    {
        private int first;
    }

    private struct Entry
    {
        internal WordKey Word;
        internal int Count;
        internal Tokens Tokens;
    }
}
