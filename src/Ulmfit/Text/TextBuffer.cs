using System.Buffers;
using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>A growing run of characters on a pooled array.</summary>
internal ref struct TextBuffer
{
    private char[] array;
    private int count;

    internal TextBuffer(int capacity)
    {
        array = ArrayPool<char>.Shared.Rent(Math.Max(capacity, 256));
    }

    internal int Count
    {
        readonly get => count;
        set
        {
            count = value;
            Least = Math.Min(Least, value);
        }
    }

    /// <summary>The least that <see cref="Count"/> was set to, since this was set.</summary>
    internal int Least { readonly get; set; }

    internal readonly ReadOnlySpan<char> Written => array.AsSpan(0, count);

    internal readonly char Last => count == 0 ? '\0' : array[count - 1];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void EnsureCapacity(int capacity)
    {
        if (array.Length < capacity)
        {
            Grow(capacity - count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Append(char c)
    {
        if (count == array.Length)
        {
            Grow(1);
        }

        array[count++] = c;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Append(scoped ReadOnlySpan<char> text)
    {
        if (array.Length - count < text.Length)
        {
            Grow(text.Length);
        }

        text.CopyTo(array.AsSpan(count));
        count += text.Length;
    }

    internal void AppendNumber(int value)
    {
        Span<char> digits = stackalloc char[11];
        value.TryFormat(digits, out int length, provider: System.Globalization.CultureInfo.InvariantCulture);
        Append(digits[..length]);
    }

    internal void Dispose()
    {
        ArrayPool<char>.Shared.Return(array);
        array = [];
        count = 0;
    }

    private void Grow(int more)
    {
        char[] larger = ArrayPool<char>.Shared.Rent(Math.Max(array.Length * 2, count + more));
        array.AsSpan(0, count).CopyTo(larger);
        ArrayPool<char>.Shared.Return(array);
        array = larger;
    }
}
