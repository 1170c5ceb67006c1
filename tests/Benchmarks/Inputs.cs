using Ulmfit.Cpu;
using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Benchmarks;

/// <summary>What benchmarks are given to work on.</summary>
internal static class Inputs
{
    /// <summary>Names of the instruction sets that this processor runs.</summary>
    public static IEnumerable<string> InstructionSets => KernelSet.Supported().Select(kernels => kernels.Name);

    /// <summary>The same without the scalar one, which a large product would take minutes for.</summary>
    public static IEnumerable<string> VectorSets => InstructionSets.Where(name => name != KernelSet.Scalar.Name).DefaultIfEmpty(KernelSet.Scalar.Name);

    /// <summary>One thread, and one a processor.</summary>
    public static IEnumerable<int> ThreadCounts => new[] { 1, Environment.ProcessorCount }.Distinct();

    public static KernelSet KernelsOf(string name) => KernelSet.Supported().Single(kernels => kernels.Name == name);

    /// <summary>Values in [−1, 1).</summary>
    public static AlignedBuffer Random(int length, int stream)
    {
        var buffer = new AlignedBuffer(length);
        var random = new Philox(default, RandomPurpose.Initialisation, stream);
        for (int i = 0; i < length; i++)
        {
            buffer.Span[i] = (2f * random.Uniform(i)) - 1f;
        }

        return buffer;
    }

    /// <summary>Token ids below <paramref name="vocabulary"/>.</summary>
    public static int[] Tokens(int count, int vocabulary, int stream)
    {
        var random = new Philox(default, RandomPurpose.Shuffle, stream);
        return [.. Enumerable.Range(0, count).Select(i => random.Below(vocabulary, i))];
    }
}
