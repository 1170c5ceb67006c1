using BenchmarkDotNet.Attributes;
using Ulmfit.Cpu;
using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Benchmarks;

/// <summary>The kernels beside the products, on one thread, each on as much as a thread meets at a time in a base step.</summary>
public class KernelBenchmarks : IMeasuresWork
{
    private const int Rows = 64, Units = 1152, Vocabulary = 30_000, Weights = 1 << 18, Functions = 1 << 12;

    private static readonly AdamConstants Step = new(0.9f, 0.7f, 0.99f, 1e-6f, 1.1f, 1e-5f, 0f);

    private readonly AlignedBuffer gates = Inputs.Random(Rows * 4 * Units, 1);
    private readonly AlignedBuffer preactivations = Inputs.Random(Rows * 4 * Units, 1);
    private readonly AlignedBuffer previousCell = Inputs.Random(Rows * Units, 2);
    private readonly AlignedBuffer cell = new(Rows * Units);
    private readonly AlignedBuffer hidden = new(Rows * Units);
    private readonly AlignedBuffer cellGradient = new(Rows * Units);
    private readonly AlignedBuffer logits = Inputs.Random(KernelSet.Padded(Vocabulary), 3);
    private readonly AlignedBuffer scores = new(KernelSet.Padded(Vocabulary));
    private readonly AlignedBuffer weights = Inputs.Random(Weights, 4);
    private readonly AlignedBuffer gradients = Inputs.Random(Weights, 5);
    private readonly AlignedBuffer first = new(Weights);
    private readonly AlignedBuffer second = new(Weights);
    private KernelSet kernels = KernelSet.Best;

    [ParamsSource(nameof(Sets))]
    public string Set { get; set; } = "";

    public static IEnumerable<string> Sets => Inputs.InstructionSets;

    [GlobalSetup]
    public void Setup() => kernels = Inputs.KernelsOf(Set);

    /// <summary>Gates of a whole layer for one time step.</summary>
    [Benchmark]
    public void LstmForward()
    {
        preactivations.Span.CopyTo(gates.Span);
        for (int column = 0; column < Units; column += KernelSet.Lanes)
        {
            kernels.LstmForward(Rows, gates.From(column * 4), 4 * Units, previousCell.From(column), cell.From(column), hidden.From(column), Units);
        }
    }

    /// <summary>The same backwards.</summary>
    [Benchmark]
    public void LstmBackward()
    {
        preactivations.Span.CopyTo(gates.Span);
        for (int column = 0; column < Units; column += KernelSet.Lanes)
        {
            kernels.LstmBackward(Rows, gates.From(column * 4), 4 * Units, previousCell.From(column), cell.From(column), hidden.From(column), default, default, 0, cellGradient.From(column), Units);
        }
    }

    /// <summary>One row of logits, with its gradient.</summary>
    [Benchmark]
    public double SoftmaxCrossEntropy()
    {
        logits.Span.CopyTo(scores.Span);
        return kernels.SoftmaxCrossEntropy(scores.Slice(0, Vocabulary), 17, 1f / 4480);
    }

    /// <summary>One MiB of weights.</summary>
    [Benchmark]
    public void Adam() => kernels.Adam(weights.Span, gradients.Span, first.Span, second.Span, Step);

    /// <summary>Σ x², for the norm of the gradients.</summary>
    [Benchmark]
    public double SumOfSquares() => kernels.SumOfSquares(gradients.Span);

    public Work WorkOf(string method) => method switch
    {
        nameof(LstmForward) or nameof(LstmBackward) => new Work(1e-6 * Rows * Units, "M units"),
        nameof(SoftmaxCrossEntropy) => new Work(1e-6 * Vocabulary, "M logits"),
        _ => new Work(1e-6 * Weights, "M weights"),
    };
}
