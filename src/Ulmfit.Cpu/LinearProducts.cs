using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu;

/// <summary>The three matrix products of a linear layer over a batch of documents. All threads call each; it ends with a barrier.</summary>
internal sealed class LinearProducts(ComputeTeam team, MatrixProduct product) : IDisposable
{
    private readonly GrowingBuffer right = new();

    /// <summary>Makes room for a layer and a batch, beside what there is room for already.</summary>
    public void Reserve(int inputWidth, int outputWidth, int documents) => right.Reserve((long)inputWidth * Math.Max(outputWidth, documents));

    /// <summary><c>output = input · weightᵀ</c>.</summary>
    public void Forward(int thread, AlignedBuffer input, int documents, Parameter weight, int inputWidth, int outputWidth, AlignedBuffer output)
    {
        product.PackTransposed(thread, weight.Value.Span, inputWidth, weight.Layout.Rows, inputWidth, right.Value);
        team.Barrier(thread);
        product.Multiply(thread, new LeftOperand(input, 0, inputWidth, documents, inputWidth, Transposed: false), right.Value, outputWidth, output, 0, outputWidth, ChainStart.Zero, default);
        team.Barrier(thread);
    }

    /// <summary>The gradient of a weight of <paramref name="rows"/> rows: <c>gradientᵀ · input</c>.</summary>
    public void WeightGradient(int thread, AlignedBuffer gradient, int gradientWidth, int rows, AlignedBuffer input, int inputWidth, int documents, Parameter weight)
    {
        product.Pack(thread, input.Span, inputWidth, inputWidth, documents, default, right.Value);
        team.Barrier(thread);
        product.Multiply(thread, new LeftOperand(gradient, 0, gradientWidth, rows, documents, Transposed: true), right.Value, inputWidth, weight.Gradient, 0, inputWidth, ChainStart.Zero, default);
        team.Barrier(thread);
    }

    /// <summary>The gradient of the input: <c>gradient · weight</c>, of a weight of <paramref name="depth"/> rows.</summary>
    public void InputGradient(int thread, AlignedBuffer gradient, int gradientWidth, int depth, int documents, Parameter weight, int inputWidth, AlignedBuffer output)
    {
        product.Pack(thread, weight.Value.Span, inputWidth, inputWidth, depth, default, right.Value);
        team.Barrier(thread);
        product.Multiply(thread, new LeftOperand(gradient, 0, gradientWidth, documents, depth, Transposed: false), right.Value, inputWidth, output, 0, inputWidth, ChainStart.Zero, default);
        team.Barrier(thread);
    }

    /// <inheritdoc/>
    public void Dispose() => right.Dispose();
}
