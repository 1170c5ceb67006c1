using BenchmarkDotNet.Attributes;
using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Benchmarks;

/// <summary>Counter-based dropout masks on one thread, beside the generator's words one by one.</summary>
public class DropoutMaskBenchmarks : IMeasuresWork
{
    private const int Count = 4608;

    private readonly float[] mask = new float[Count];

    [Benchmark]
    public void Fill() => DropoutMask.Fill(new Philox(default, RandomPurpose.WeightDrop, 1), 0.2f, 0, mask);

    /// <summary>A row that begins within a block of four words.</summary>
    [Benchmark]
    public void FillUnaligned() => DropoutMask.Fill(new Philox(default, RandomPurpose.WeightDrop, 1), 0.2f, 3, mask);

    [Benchmark]
    public void WordByWord()
    {
        var stream = new Philox(default, RandomPurpose.WeightDrop, 1);
        uint threshold = Philox.DropThreshold(0.2f);
        for (int i = 0; i < mask.Length; i++)
        {
            mask[i] = stream.Word(i) < threshold ? 0f : 1.25f;
        }
    }

    public Work WorkOf(string method) => new(1e-6 * Count, "M elements");
}
