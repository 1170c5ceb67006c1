using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// Floats outside the managed heap, aligned to a cache line so that no vector load straddles two, zero at first.
/// Pages are touched when they are written, so room kept in reserve costs nothing.
/// </summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    private const nuint Alignment = 64;
    private readonly nuint bytes;
    private void* block;
    private float* data;

    /// <summary>Room for <paramref name="length"/> floats, all zero.</summary>
    public AlignedBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        bytes = ((nuint)length * sizeof(float)) + Alignment;
        block = MappedMemory.Allocate(bytes);
        data = (float*)(((nuint)block + Alignment - 1) & ~(Alignment - 1));
    }

    /// <summary>Frees the memory of a buffer that nobody disposed.</summary>
    ~AlignedBuffer() => Free();

    /// <summary>Number of floats.</summary>
    public int Length { get; }

    /// <summary>All of it.</summary>
    public Span<float> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (data == null)
            {
                ThrowDisposed();
            }

            return new Span<float>(data, Length);
        }
    }

    /// <summary>The floats from <paramref name="start"/> on.</summary>
    public Span<float> From(int start) => Span[start..];

    /// <summary><paramref name="length"/> floats from <paramref name="start"/>.</summary>
    public Span<float> Slice(int start, int length) => Span.Slice(start, length);

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [DoesNotReturn]
    private static void ThrowDisposed() => throw new ObjectDisposedException(nameof(AlignedBuffer));

    private void Free()
    {
        MappedMemory.Free(block, bytes);
        block = null;
        data = null;
    }
}
