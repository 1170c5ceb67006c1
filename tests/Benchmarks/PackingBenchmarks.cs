using BenchmarkDotNet.Attributes;
using Ulmfit.Cpu.Kernels;

namespace Benchmarks;

/// <summary>Bringing operands into the kernels' order, on one thread: a panel of 32 columns, a block of strips.</summary>
public class PackingBenchmarks : IMeasuresWork
{
    private const int Depth = 576, Rows = 336;

    private readonly AlignedBuffer source = Inputs.Random(Rows * Depth, 1);
    private readonly AlignedBuffer target = new(Rows * Depth);
    private readonly StripLayout layout = new(Rows, KernelSet.Best.MaxStripRows);

    /// <summary>A left operand as it lies, strip by strip.</summary>
    [Benchmark]
    public void Transpose()
    {
        for (int strip = 0; strip < layout.Count; strip++)
        {
            int row = layout.Start(strip), height = layout.HeightOf(strip);
            Packing.Transpose(source.From(row * Depth), Depth, height, height, Depth, target.Slice(row * Depth, height * Depth));
        }
    }

    /// <summary>A left operand that lies transposed.</summary>
    [Benchmark]
    public void CopyStrips() => Packing.CopyStrips(layout, 0, layout.Count, source.Span, Rows, Depth, target.Span);

    /// <summary>A right operand as it lies, panel by panel.</summary>
    [Benchmark]
    public void Copy()
    {
        for (int column = 0; column + KernelSet.PanelWidth <= Rows; column += KernelSet.PanelWidth)
        {
            Packing.Copy(source.From(column), Rows, KernelSet.PanelWidth, KernelSet.PanelWidth, Depth, target.Slice(column * Depth, KernelSet.PanelWidth * Depth));
        }
    }

    public Work WorkOf(string method) => new(1e-9 * sizeof(float) * Depth * (method == nameof(Copy) ? Rows / KernelSet.PanelWidth * KernelSet.PanelWidth : Rows), "GB");
}
