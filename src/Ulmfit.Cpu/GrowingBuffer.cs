using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu;

/// <summary>A buffer that is replaced by a larger one when more is asked of it; what it held is then gone.</summary>
internal sealed class GrowingBuffer : IDisposable
{
    private AlignedBuffer buffer = new(0);

    /// <summary>The buffer as it is now.</summary>
    public AlignedBuffer Value => buffer;

    /// <summary>Sees to it that there is room for that many floats.</summary>
    public void Reserve(long length)
    {
        if (buffer.Length < length)
        {
            buffer.Dispose();
            buffer = new AlignedBuffer(checked((int)length));
        }
    }

    /// <summary>The floats from <paramref name="start"/> on.</summary>
    public Span<float> From(int start) => buffer.From(start);

    /// <summary><paramref name="length"/> floats from <paramref name="start"/>.</summary>
    public Span<float> Slice(int start, int length) => buffer.Slice(start, length);

    /// <inheritdoc/>
    public void Dispose() => buffer.Dispose();
}
