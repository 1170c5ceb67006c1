using System.Buffers;
using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>A growing run of characters on a pooled array.</summary>
internal ref struct TextBuffer
{
    private char[] _array;
    private int _count;

    internal TextBuffer(int capacity)
    {
        _array = ArrayPool<char>.Shared.Rent(Math.Max(capacity, 256));
    }

    internal int Count
    {
        readonly get => _count;
        set => _count = value;
    }

    internal readonly ReadOnlySpan<char> Written => _array.AsSpan(0, _count);

    internal readonly char Last => _count == 0 ? '\0' : _array[_count - 1];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void EnsureCapacity(int capacity)
    {
        if (_array.Length < capacity)
        {
            Grow(capacity - _count);
        }
    }

    internal void Append(char c)
    {
        if (_count == _array.Length)
        {
            Grow(1);
        }

        _array[_count++] = c;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Append(scoped ReadOnlySpan<char> text)
    {
        if (_array.Length - _count < text.Length)
        {
            Grow(text.Length);
        }

        text.CopyTo(_array.AsSpan(_count));
        _count += text.Length;
    }

    internal void AppendNumber(int value)
    {
        Span<char> digits = stackalloc char[11];
        value.TryFormat(digits, out int length, provider: System.Globalization.CultureInfo.InvariantCulture);
        Append(digits[..length]);
    }

    internal void Dispose()
    {
        ArrayPool<char>.Shared.Return(_array);
        _array = [];
        _count = 0;
    }

    private void Grow(int more)
    {
        char[] larger = ArrayPool<char>.Shared.Rent(Math.Max(_array.Length * 2, _count + more));
        _array.AsSpan(0, _count).CopyTo(larger);
        ArrayPool<char>.Shared.Return(_array);
        _array = larger;
    }
}
