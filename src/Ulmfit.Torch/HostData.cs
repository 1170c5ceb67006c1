using TorchSharp;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>What is made on the host and copied to the device, and back.</summary>
internal static class HostData
{
    /// <summary>Words below which one thread draws a mask.</summary>
    private const int WordsPerTask = 1 << 16;

    /// <summary>
    /// A dropout mask: element i is 0 where word i of the stream lies below the threshold of the rate, else 1 / (1 − rate).
    /// </summary>
    public static Tensor Mask(Philox stream, float rate, Device device, params long[] shape)
    {
        var keep = new bool[shape.Aggregate(1L, (product, extent) => checked(product * extent))];
        uint threshold = Philox.DropThreshold(rate);
        Parallel.For(0, (keep.Length + WordsPerTask - 1) / WordsPerTask, task =>
        {
            int start = task * WordsPerTask;
            Draw(stream, threshold, start, keep.AsSpan(start, Math.Min(WordsPerTask, keep.Length - start)));
        });
        using Tensor kept = torch.tensor(keep, shape, device: device);
        return kept.to(torch.float32).mul_(1f / (1f - rate));
    }

    /// <summary>Numbers of that shape on the device.</summary>
    public static Tensor Floats(float[] values, Device device, params long[] shape) => torch.tensor(values, shape, device: device);

    /// <summary>Token ids or labels of that shape on the device.</summary>
    public static Tensor Indices(long[] values, Device device, params long[] shape) => torch.tensor(values, shape, device: device);

    /// <summary>Truth values of that shape on the device.</summary>
    public static Tensor Flags(bool[] values, Device device, params long[] shape) => torch.tensor(values, shape, device: device);

    /// <summary>A state's tensor on the device, in no scope: whoever asks for it disposes of it.</summary>
    public static Tensor Import(StateTensor tensor, Device device) =>
        torch.tensor(tensor.Data, [.. tensor.Shape.Select(extent => (long)extent)], device: device).DetachFromDisposeScope();

    /// <summary>A copy of a tensor for a state, of the shape that it has there.</summary>
    public static StateTensor Export(Tensor tensor, params int[] shape)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return new StateTensor(shape, Copy(tensor));
    }

    /// <summary>The elements, row-major.</summary>
    public static float[] Copy(Tensor tensor)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return tensor.detach().cpu().contiguous().data<float>().ToArray();
    }

    private static void Draw(Philox stream, uint threshold, int start, Span<bool> keep)
    {
        // Whole blocks of four words; a task begins at the beginning of one.
        int i = 0;
        for (; i + 4 <= keep.Length; i += 4)
        {
            (uint w0, uint w1, uint w2, uint w3) = stream.Block((uint)((start + i) >> 2));
            keep[i] = w0 >= threshold;
            keep[i + 1] = w1 >= threshold;
            keep[i + 2] = w2 >= threshold;
            keep[i + 3] = w3 >= threshold;
        }

        for (; i < keep.Length; i++)
        {
            keep[i] = stream.Word(start + i) >= threshold;
        }
    }
}
