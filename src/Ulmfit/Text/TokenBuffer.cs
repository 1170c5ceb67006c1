using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>A growing list of tokens by number, kept from text to text.</summary>
internal sealed class TokenBuffer
{
    private int[] items = new int[1024];

    /// <summary>How many there are.</summary>
    internal int Count { get; private set; }

    internal ReadOnlySpan<int> Written => items.AsSpan(0, Count);

    internal void Clear() => Count = 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(int token)
    {
        if (Count == items.Length)
        {
            Grow();
        }

        items[Count++] = token;
    }

    /// <summary>Appends the first <paramref name="count"/> of some tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(in WordCache.Tokens tokens, int count)
    {
        if (items.Length - Count < WordCache.MostTokens)
        {
            Grow();
        }

        // All of them: a copy of known size costs less than a branch that follows the number.
        ((ReadOnlySpan<int>)tokens).CopyTo(items.AsSpan(Count));
        Count += count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow() => Array.Resize(ref items, items.Length * 2);
}
