using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu;

/// <summary>Where the chains of a product start.</summary>
internal enum ChainStart
{
    /// <summary>At zero.</summary>
    Zero,

    /// <summary>At what the output holds.</summary>
    Output,
}

/// <summary>A left operand as it lies in memory.</summary>
/// <param name="Buffer">Where it lies.</param>
/// <param name="Start">Its first element.</param>
/// <param name="Stride">Floats from one row of the memory to the next.</param>
/// <param name="Rows">Rows of the operand.</param>
/// <param name="Depth">Its depth, at least 1.</param>
/// <param name="Transposed">False: memory is <c>[rows, depth]</c>. True: <c>[depth, rows]</c>.</param>
internal readonly record struct LeftOperand(AlignedBuffer Buffer, int Start, int Stride, int Rows, int Depth, bool Transposed);

/// <summary>
/// Products of matrices, done by a whole team. The right operand is packed once by all threads; the left one by whoever
/// needs a block of it, into a buffer of its own that stays in the core's cache. Every output is one chain over the
/// depth, so the division of the work among threads is not seen in the bits.
/// </summary>
internal sealed class MatrixProduct : IDisposable
{
    /// <summary>
    /// Greatest depth of a block: a tile's start and end cost little beside it, and the panel of B streams from the
    /// second-level cache.
    /// </summary>
    private const int DepthBlock = 768;

    /// <summary>Most strips of a block: with the depth above at most three quarters of a MiB, for the second-level cache.</summary>
    private const int MaxBlockStrips = 18;

    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly AlignedBuffer[] blocks;

    /// <summary>Products for one team.</summary>
    public MatrixProduct(ComputeTeam team, KernelSet kernels)
    {
        this.team = team;
        this.kernels = kernels;
        blocks = new AlignedBuffer[team.Threads];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new AlignedBuffer(MaxBlockStrips * kernels.MaxStripRows * DepthBlock);
        }
    }

    /// <summary>
    /// Packs B[k, n] = source[n, k] from row-major <c>[columns, depth]</c>. All threads call it; a barrier must follow.
    /// </summary>
    public void PackTransposed(int thread, ReadOnlySpan<float> source, int stride, int columns, int depth, AlignedBuffer target)
    {
        int padded = KernelSet.Padded(columns);
        int panels = (padded + KernelSet.PanelWidth - 1) / KernelSet.PanelWidth;
        while (team.Take(thread, panels, out int panel))
        {
            int first = panel * KernelSet.PanelWidth;
            int width = Math.Min(KernelSet.PanelWidth, padded - first);
            Packing.Transpose(source[(first * stride)..], stride, Math.Min(width, columns - first), width, depth, target.Slice(first * depth, width * depth));
        }
    }

    /// <summary>
    /// Packs B[k, n] = source[rows[k], n] (rows empty: source[k, n]) from row-major <c>[≥ depth, columns]</c>. All threads
    /// call it; a barrier must follow.
    /// </summary>
    public void Pack(int thread, ReadOnlySpan<float> source, int stride, int columns, int depth, ReadOnlySpan<int> rows, AlignedBuffer target)
    {
        const int Slice = 512;
        int padded = KernelSet.Padded(columns);
        int panels = (padded + KernelSet.PanelWidth - 1) / KernelSet.PanelWidth;
        int slices = (depth + Slice - 1) / Slice;
        while (team.Take(thread, panels * slices, out int item))
        {
            int first = item / slices * KernelSet.PanelWidth;
            int from = item % slices * Slice;
            int count = Math.Min(Slice, depth - from);
            int width = Math.Min(KernelSet.PanelWidth, padded - first);
            int present = Math.Min(width, columns - first);
            Span<float> place = target.Slice((first * depth) + (from * width), count * width);
            if (rows.IsEmpty)
            {
                Packing.Copy(source[((from * stride) + first)..], stride, present, width, count, place);
            }
            else
            {
                Packing.Gather(source[first..], stride, rows.Slice(from, count), present, width, place);
            }
        }
    }

    /// <summary>
    /// c = start + A·B. All threads call it; a barrier must follow.
    /// </summary>
    /// <param name="thread">The calling thread.</param>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand, packed.</param>
    /// <param name="columns">Its columns, a multiple of sixteen.</param>
    /// <param name="c">Output.</param>
    /// <param name="cStart">Its first element.</param>
    /// <param name="cStride">Floats from one of its rows to the next.</param>
    /// <param name="start">Where the chains start when <paramref name="bias"/> is empty.</param>
    /// <param name="bias">Where the chains of every row start; empty for <paramref name="start"/>.</param>
    /// <param name="rowSums">
    /// Empty, or one number a row of A: the sum of the row over the depth, in its order, beginning like the chains. It
    /// comes nearly for nothing while the packed row is in the cache.
    /// </param>
    public void Multiply(
        int thread, in LeftOperand a, AlignedBuffer b, int columns, AlignedBuffer c, int cStart, int cStride, ChainStart start, ReadOnlySpan<float> bias,
        Span<float> rowSums = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(a.Depth);
        if (a.Rows == 0)
        {
            return;
        }

        var layout = new StripLayout(a.Rows, kernels.MaxStripRows);
        int panels = (columns + KernelSet.PanelWidth - 1) / KernelSet.PanelWidth;
        (int stripsPerBlock, int panelsPerBlock) = Grid(layout, panels, team.Threads);
        int rowBlocks = (layout.Count + stripsPerBlock - 1) / stripsPerBlock;
        int columnBlocks = (panels + panelsPerBlock - 1) / panelsPerBlock;
        Span<float> block = blocks[thread].Span;
        while (team.Take(thread, rowBlocks * columnBlocks, out int item))
        {
            int firstStrip = item / columnBlocks * stripsPerBlock;
            int endStrip = Math.Min(firstStrip + stripsPerBlock, layout.Count);
            int firstPanel = item % columnBlocks * panelsPerBlock;
            int endPanel = Math.Min(firstPanel + panelsPerBlock, panels);
            int firstRow = layout.Start(firstStrip);
            int depthBlocks = (a.Depth + DepthBlock - 1) / DepthBlock;
            for (int depthBlock = 0; depthBlock < depthBlocks; depthBlock++)
            {
                int k = (int)((long)a.Depth * depthBlock / depthBlocks);
                int depth = (int)((long)a.Depth * (depthBlock + 1) / depthBlocks) - k;
                PackBlock(a, layout, firstStrip, endStrip, k, depth, block);
                if (firstPanel == 0 && !rowSums.IsEmpty)
                {
                    SumBlock(layout, firstStrip, endStrip, depth, block, rowSums, begin: k == 0 && start == ChainStart.Zero);
                }

                for (int panel = firstPanel; panel < endPanel; panel++)
                {
                    int column = panel * KernelSet.PanelWidth;
                    int width = Math.Min(KernelSet.PanelWidth, columns - column);
                    Span<float> output = c.From(cStart + (firstRow * cStride) + column);
                    ReadOnlySpan<float> chains = output;
                    int chainStride = cStride;
                    if (k == 0)
                    {
                        chainStride = bias.IsEmpty ? cStride : 0;
                        chains = !bias.IsEmpty ? bias[column..] : start == ChainStart.Output ? output : default;
                    }

                    kernels.MultiplyStrips(
                        layout, firstStrip, endStrip, a.Rows, block, depth, 0, depth, b.Slice((column * a.Depth) + (k * width), depth * width), width,
                        output, cStride, chains, chainStride, KernelSet.PanelWidth * a.Depth);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (AlignedBuffer block in blocks)
        {
            block.Dispose();
        }
    }

    /// <summary>
    /// Strips and panels of a block such that the busiest thread has least to do: products, packing of A and the
    /// streaming of B, in units of one strip's product with one panel.
    /// </summary>
    private static (int Strips, int Panels) Grid(in StripLayout layout, int panels, int threads)
    {
        (int Strips, int Panels) best = (1, panels);
        double least = double.MaxValue;
        for (int strips = 1; strips <= Math.Min(MaxBlockStrips, layout.Count); strips++)
        {
            int rowBlocks = (layout.Count + strips - 1) / strips;
            for (int columnBlocks = 1; columnBlocks <= panels; columnBlocks = columnBlocks < 4 ? columnBlocks + 1 : columnBlocks * 3 / 2)
            {
                int width = (panels + columnBlocks - 1) / columnBlocks;
                int tasks = rowBlocks * ((panels + width - 1) / width);
                int rounds = (tasks + threads - 1) / threads;
                double cost = rounds * ((strips * (width + 1.0)) + (width * 0.6) + 0.5);

                // Few large tasks cannot even out what other processes take away.
                if (threads > 1 && rounds < 3)
                {
                    cost *= 1.05;
                }

                if (cost < least)
                {
                    least = cost;
                    best = (strips, width);
                }
            }
        }

        return best;
    }

    private void SumBlock(in StripLayout layout, int firstStrip, int endStrip, int depth, ReadOnlySpan<float> block, Span<float> rowSums, bool begin)
    {
        int firstRow = layout.Start(firstStrip);
        for (int strip = firstStrip; strip < endStrip; strip++)
        {
            int row = layout.Start(strip), height = layout.HeightOf(strip);
            Span<float> sums = rowSums.Slice(row, height);
            if (begin)
            {
                sums.Clear();
            }

            kernels.AddStripRows(block.Slice((row - firstRow) * depth, height * depth), height, depth, sums);
        }
    }

    private static void PackBlock(in LeftOperand a, in StripLayout layout, int firstStrip, int endStrip, int k, int depth, Span<float> block)
    {
        int firstRow = layout.Start(firstStrip);
        if (a.Transposed)
        {
            Packing.CopyStrips(layout, firstStrip, endStrip, a.Buffer.From(a.Start + (k * a.Stride) + firstRow), a.Stride, depth, block);
            return;
        }

        ReadOnlySpan<float> source = a.Buffer.From(a.Start + (firstRow * a.Stride) + k);
        for (int strip = firstStrip; strip < endStrip; strip++)
        {
            int row = layout.Start(strip) - firstRow, height = layout.HeightOf(strip);
            Packing.Transpose(source[(row * a.Stride)..], a.Stride, height, height, depth, block.Slice(row * depth, height * depth));
        }
    }
}
