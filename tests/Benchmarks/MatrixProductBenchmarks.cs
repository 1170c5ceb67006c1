using BenchmarkDotNet.Attributes;
using Ulmfit.Cpu;
using Ulmfit.Cpu.Kernels;

namespace Benchmarks;

/// <summary>The products of a base training step (batch 64, bptt 70) on every vector instruction set, by one thread and by all.</summary>
public class MatrixProductBenchmarks : IMeasuresWork
{
    private ComputeTeam? team;
    private TeamProduct? work;

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "logits 448x30016x400";

    [ParamsSource(nameof(Sets))]
    public string Set { get; set; } = "";

    [ParamsSource(nameof(Counts))]
    public int Threads { get; set; } = 1;

    public static IEnumerable<string> Shapes =>
        ["logits 448x30016x400", "logits-input-gradient 448x400x30016", "decoder-weight-gradient 30016x400x448 transposed", "input-projection 4480x4608x1152", "input-gradient 4480x1152x4608", "weight-gradient 4608x1152x4480 transposed"];

    public static IEnumerable<string> Sets => Inputs.VectorSets;

    public static IEnumerable<int> Counts => Inputs.ThreadCounts;

    [GlobalSetup]
    public void Setup()
    {
        (int rows, int columns, int depth, bool transposed) = Sizes();
        team = new ComputeTeam(Threads);
        work = new TeamProduct(team, Inputs.KernelsOf(Set), rows, columns, depth, transposed);
        team.Run(work);
        work.Packs = transposed;
    }

    /// <summary>With the packing of the right operand where it is an activation; weights are packed once per update.</summary>
    [Benchmark]
    public void Product() => team!.Run(work!);

    [GlobalCleanup]
    public void Cleanup()
    {
        team?.Dispose();
        work?.Dispose();
    }

    public Work WorkOf(string method)
    {
        (int rows, int columns, int depth, _) = Sizes();
        return new Work(2e-9 * rows * columns * depth, "GFLOP");
    }

    private (int Rows, int Columns, int Depth, bool Transposed) Sizes()
    {
        string[] words = Shape.Split(' ');
        int[] sizes = [.. words[1].Split('x').Select(int.Parse)];
        return (sizes[0], sizes[1], sizes[2], words.Length == 3);
    }

    private sealed class TeamProduct(ComputeTeam team, KernelSet kernels, int rows, int columns, int depth, bool transposed) : ITeamWork, IDisposable
    {
        private readonly MatrixProduct product = new(team, kernels);
        private readonly AlignedBuffer left = Inputs.Random(rows * depth, 1);
        private readonly AlignedBuffer right = Inputs.Random(depth * columns, 2);
        private readonly AlignedBuffer packed = new(KernelSet.PackedRightLength(columns, depth));
        private readonly AlignedBuffer output = new(rows * columns);

        public bool Packs { get; set; } = true;

        public void Execute(int thread)
        {
            if (Packs)
            {
                product.Pack(thread, right.Span, columns, columns, depth, default, packed);
                team.Barrier(thread);
            }

            product.Multiply(thread, new LeftOperand(left, 0, transposed ? rows : depth, rows, depth, transposed), packed, columns, output, 0, columns, ChainStart.Zero, default);
        }

        public void Dispose()
        {
            product.Dispose();
            left.Dispose();
            right.Dispose();
            packed.Dispose();
            output.Dispose();
        }
    }
}
