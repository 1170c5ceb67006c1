using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu.Tests;

/// <summary>Products by a whole team are what one chain of fused multiply-adds after the other would give.</summary>
public sealed class MatrixProductTests
{
    [Theory]
    [MemberData(nameof(KernelTwinTests.Vectors), MemberType = typeof(KernelTwinTests))]
    public void Multiply_OfAnyShapeOnAnyThreads_IsOneChainAnOutput(string set)
    {
        KernelSet kernels = KernelSet.Supported().Single(k => k.Name == set);
        Law.Holds<Product>(60, c =>
        {
            var arena = new Arena(c.Numbers, c.Seed);
            int padded = KernelSet.Padded(c.Columns), aStride = (c.Transposed ? c.Rows : c.Depth) + c.Gap, aRows = c.Transposed ? c.Depth : c.Rows, cStride = padded + c.OutputGap;
            using AlignedBuffer a = Filled(arena, c.Offset + (aRows * aStride)), output = Filled(arena, c.Offset + (c.Rows * cStride) + 40);
            using var packed = new AlignedBuffer(KernelSet.PackedRightLength(c.Columns, c.Depth));
            int available = c.Depth + 3, bStride = c.Right == RightAs.Transposed ? c.Depth + c.Gap : c.Columns + c.Gap;
            float[] b = [.. arena.In((c.Right == RightAs.Transposed ? c.Columns : available) * bStride)], bias = c.Start == StartAt.Bias ? [.. arena.In(padded)] : [];
            var random = new Random(c.Seed);
            int[] rows = [.. Enumerable.Range(0, c.Right == RightAs.Gathered ? c.Depth : 0).Select(_ => random.Next(available))];
            float[] left = [.. a.Span], expected = [.. output.Span];
            for (int row = 0; row < c.Rows; row++)
            {
                for (int n = 0; n < padded; n++)
                {
                    ref float place = ref expected[c.Offset + (row * cStride) + n];
                    float sum = c.Start switch { StartAt.Zero => 0f, StartAt.Output => place, _ => bias[n] };
                    for (int k = 0; k < c.Depth; k++)
                    {
                        float x = left[c.Offset + (c.Transposed ? (k * aStride) + row : (row * aStride) + k)];
                        float y = n >= c.Columns ? 0f : c.Right switch
                        {
                            RightAs.Transposed => b[(n * bStride) + k],
                            RightAs.Gathered => b[(rows[k] * bStride) + n],
                            _ => b[(k * bStride) + n],
                        };
                        sum = MathF.FusedMultiplyAdd(x, y, sum);
                    }

                    place = sum;
                }
            }

            using var team = new ComputeTeam(c.Threads);
            using var product = new MatrixProduct(team, kernels);
            team.Run(new Work(thread =>
            {
                if (c.Right == RightAs.Transposed)
                {
                    product.PackTransposed(thread, b, bStride, c.Columns, c.Depth, packed);
                }
                else
                {
                    product.Pack(thread, b, bStride, c.Columns, c.Depth, rows, packed);
                }

                team.Barrier(thread);
                product.Multiply(
                    thread, new LeftOperand(a, c.Offset, aStride, c.Rows, c.Depth, c.Transposed), packed, padded, output, c.Offset, cStride,
                    c.Start == StartAt.Output ? ChainStart.Output : ChainStart.Zero, bias);
                team.Barrier(thread);
            }));
            Arena.AssertSame(expected, output.Span, "the output");
            Arena.AssertSame(left, a.Span, "the left operand");
            arena.AssertNothingWritten();
        });
    }

    [Fact]
    public void Multiply_WithoutDepth_Throws()
    {
        using var team = new ComputeTeam(1);
        using var product = new MatrixProduct(team, KernelSet.Scalar);
        using var buffer = new AlignedBuffer(64);
        Assert.Throws<ArgumentOutOfRangeException>(() => product.Multiply(
            0, new LeftOperand(buffer, 0, 1, 1, 0, Transposed: false), buffer, 16, buffer, 0, 16, ChainStart.Zero, default));
    }

    private static AlignedBuffer Filled(Arena arena, int length)
    {
        var buffer = new AlignedBuffer(length);
        for (int i = 0; i < length; i++)
        {
            buffer.Span[i] = arena.Next();
        }

        return buffer;
    }

    internal enum RightAs
    {
        Straight,
        Transposed,
        Gathered,
    }

    internal enum StartAt
    {
        Zero,
        Output,
        Bias,
    }

    internal sealed record Product(
        [Between(1, 130)] int Rows, [Between(1, 130)] int Columns, [Between(1, 1300)] int Depth, [Between(1, 5)] int Threads, bool Transposed, RightAs Right, StartAt Start,
        [Between(0, 9)] int Gap, [Between(0, 9)] int OutputGap, [Between(0, 9)] int Offset, Numbers Numbers, int Seed);

    private sealed class Work(Action<int> action) : ITeamWork
    {
        public void Execute(int thread) => action(thread);
    }
}
