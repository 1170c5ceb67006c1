using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>
/// Values by string, found by its characters. Beside a dictionary's lookup by another type of key, this one is code that
/// is optimised when it is first called, so that the first megabytes of a process are no slower than the later ones.
/// Adding is for one thread; any number may look up what is there.
/// </summary>
/// <typeparam name="T">The value.</typeparam>
internal sealed class SpanMap<T>
{
    private Entry[] entries;
    private int[] heads;

    /// <param name="capacity">How many strings it has room for; it grows beyond.</param>
    internal SpanMap(int capacity)
    {
        int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 16));
        entries = new Entry[size];
        heads = new int[size * 2];
    }

    /// <summary>How many strings it has.</summary>
    internal int Count { get; private set; }

    /// <summary>The string of place <paramref name="index"/>, in the order in which they were added.</summary>
    internal string KeyAt(int index) => entries[index].Key;

    /// <summary>The value of a string.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal bool TryGet(ReadOnlySpan<char> key, [MaybeNullWhen(false)] out T value) => TryGet(key, HashOf(key), out value);

    /// <summary>Adds a string that is not there yet.</summary>
    /// <exception cref="ArgumentException">It is there.</exception>
    internal void Add(string key, T value)
    {
        int hash = HashOf(key);
        if (TryGet(key, hash, out _))
        {
            throw new ArgumentException($"'{key}' is there already.", nameof(key));
        }

        if (Count == entries.Length)
        {
            Grow();
        }

        ref int head = ref heads[hash & (heads.Length - 1)];
        entries[Count] = new Entry(key, hash, head - 1, value);
        head = ++Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryGet(ReadOnlySpan<char> key, int hash, [MaybeNullWhen(false)] out T value)
    {
        Entry[] entries = this.entries;
        for (int i = heads[hash & (heads.Length - 1)] - 1; (uint)i < (uint)entries.Length; i = entries[i].Next)
        {
            ref Entry entry = ref entries[i];
            if (entry.Hash == hash && key.SequenceEqual(entry.Key))
            {
                value = entry.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    // Seeded anew in each process: nobody can prepare words that fall on one place.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int HashOf(ReadOnlySpan<char> key) => string.GetHashCode(key);

    private void Grow()
    {
        Array.Resize(ref entries, entries.Length * 2);
        heads = new int[entries.Length * 2];
        for (int i = 0; i < Count; i++)
        {
            ref Entry entry = ref entries[i];
            ref int head = ref heads[entry.Hash & (heads.Length - 1)];
            entry.Next = head - 1;
            head = i + 1;
        }
    }

    private struct Entry(string key, int hash, int next, T value)
    {
        internal readonly string Key = key;
        internal readonly int Hash = hash;
        internal readonly T Value = value;

        // The entry with the same place of the heads, -1 if there is none.
        internal int Next = next;
    }
}
