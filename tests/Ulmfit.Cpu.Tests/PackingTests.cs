using System.Runtime.Intrinsics;
using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Tests;

/// <summary>What brings operands into the order of the tiles moves every element to its one place.</summary>
public sealed class PackingTests
{
    [Fact]
    public void StripLayout_OfAnyRows_CoversThemInOrderWithNearlyEqualStrips()
    {
        for (int rows = 1; rows < 200; rows++)
        {
            foreach (int most in new[] { 4, 6, 14 })
            {
                var layout = new StripLayout(rows, most);
                Assert.Equal((rows + most - 1) / most, layout.Count);
                Assert.Equal(rows, layout.Start(layout.Count));
                for (int strip = 0; strip < layout.Count; strip++)
                {
                    Assert.Equal(layout.Start(strip + 1) - layout.Start(strip), layout.HeightOf(strip));
                    Assert.InRange(layout.HeightOf(strip), layout.Height - 1, Math.Min(layout.Height, most));
                    Assert.Equal(strip, layout.StripOf(layout.Start(strip)));
                    Assert.Equal(strip, layout.StripOf(layout.Start(strip + 1) - 1));
                }
            }
        }
    }

    [Fact]
    public void Transpose_OfAnySize_MovesEveryElementToItsPlace() => Law.Holds<Block>(400, c =>
    {
        Arena arena = new(c.Numbers, c.Seed);
        int stride = c.Depth + c.Gap;
        Span<float> source = arena.In(c.Present == 0 ? 0 : ((c.Present - 1) * stride) + c.Depth), target = arena.Out(c.Depth * c.Height);
        Packing.Transpose(source, stride, c.Present, c.Height, c.Depth, target);
        arena.AssertNothingElseWritten();
        for (int k = 0; k < c.Depth; k++)
        {
            for (int r = 0; r < c.Height; r++)
            {
                AssertMoved(r < c.Present ? source[(r * stride) + k] : 0f, target[(k * c.Height) + r]);
            }
        }
    });

    [Fact]
    public void Copy_OfAnySize_MovesEveryElementToItsPlace() => Law.Holds<Block>(400, c =>
    {
        Arena arena = new(c.Numbers, c.Seed);
        int stride = c.Present + c.Gap;
        Span<float> source = arena.In(c.Depth == 0 ? 0 : ((c.Depth - 1) * stride) + c.Present), target = arena.Out(c.Depth * c.Height);
        Packing.Copy(source, stride, c.Present, c.Height, c.Depth, target);
        arena.AssertNothingElseWritten();
        for (int k = 0; k < c.Depth; k++)
        {
            for (int r = 0; r < c.Height; r++)
            {
                AssertMoved(r < c.Present ? source[(k * stride) + r] : 0f, target[(k * c.Height) + r]);
            }
        }
    });

    [Fact]
    public void Gather_OfAnyRows_MovesEveryElementToItsPlace() => Law.Holds<Block>(400, c =>
    {
        Arena arena = new(c.Numbers, c.Seed);
        var random = new Random(c.Seed);
        int stride = c.Present + c.Gap, available = 1 + (c.Seed % 30);
        int[] rows = [.. Enumerable.Range(0, c.Depth).Select(_ => random.Next(available))];
        Span<float> source = arena.In(((available - 1) * stride) + c.Present), target = arena.Out(c.Depth * c.Height);
        Packing.Gather(source, stride, rows, c.Present, c.Height, target);
        arena.AssertNothingElseWritten();
        for (int k = 0; k < c.Depth; k++)
        {
            for (int r = 0; r < c.Height; r++)
            {
                AssertMoved(r < c.Present ? source[(rows[k] * stride) + r] : 0f, target[(k * c.Height) + r]);
            }
        }
    });

    [Fact]
    public void CopyStrips_OfATransposedOperand_MovesEveryElementToItsPlace() => Law.Holds<Strips>(400, c =>
    {
        Arena arena = new(Numbers.Ordinary, c.Seed);
        var layout = new StripLayout(c.Lanes, c.MaxHeight);
        int first = c.Seed % layout.Count, end = first + 1 + (c.Seed / 64 % (layout.Count - first)), firstRow = layout.Start(first), rows = layout.Start(end) - firstRow;
        int stride = rows + c.Gap;
        Span<float> source = arena.In(((c.Depth - 1) * stride) + rows), target = arena.Out(rows * c.Depth);
        Packing.CopyStrips(layout, first, end, source, stride, c.Depth, target);
        arena.AssertNothingElseWritten();
        for (int row = 0; row < rows; row++)
        {
            for (int k = 0; k < c.Depth; k++)
            {
                AssertMoved(source[(k * stride) + row], target[Place(layout, firstRow + row, c.Depth, k) - (firstRow * c.Depth)]);
            }
        }
    });

    [Fact]
    public void Scatter_OfColumns_FillsTheirPlacesAndNoOthers() => Law.Holds<Strips>(400, c =>
    {
        Arena arena = new(Numbers.Ordinary, c.Seed);
        var layout = new StripLayout(c.Lanes, c.MaxHeight);
        int rows = 1 + (c.Seed % c.Lanes), firstRow = layout.Start(c.Seed / 64 % (layout.StripOf(rows - 1) + 1)), packedDepth = c.Before + c.Depth + c.After, stride = c.Depth + c.Gap;
        Span<float> source = arena.In(((rows - firstRow - 1) * stride) + c.Depth), target = arena.Out(c.Lanes * packedDepth);
        float[] before = target.ToArray();
        Packing.Scatter(layout, rows, source, stride, firstRow, target, packedDepth, c.Before, c.Depth);
        arena.AssertNothingElseWritten();
        for (int row = 0; row < c.Lanes; row++)
        {
            for (int k = 0; k < packedDepth; k++)
            {
                int place = Place(layout, row, packedDepth, k), column = k - c.Before;
                bool moved = row >= firstRow && row < rows && column >= 0 && column < c.Depth;
                AssertMoved(moved ? source[((row - firstRow) * stride) + column] : before[place], target[place]);
            }
        }
    });

    [Fact]
    public void Packing_OfBadArguments_ThrowsAndWritesNothing()
    {
        var layout = new StripLayout(9, 4);
        (string What, Action<Arena> Call)[] calls =
        [
            ("a short source to transpose", a => Packing.Transpose(a.In(10), 4, 3, 3, 4, a.Out(12))),
            ("a short target to transpose", a => Packing.Transpose(a.In(12), 4, 3, 3, 4, a.Out(11))),
            ("more rows than the target has", a => Packing.Transpose(a.In(20), 4, 5, 4, 4, a.Out(20))),
            ("a negative number of rows", a => Packing.Transpose(a.In(20), 4, -1, 4, 4, a.Out(20))),
            ("rows that go back", a => Packing.Transpose(a.In(20), -4, 3, 4, 4, a.Out(20))),
            ("a short source to copy", a => Packing.Copy(a.In(11), 3, 3, 4, 4, a.Out(16))),
            ("a short target to copy", a => Packing.Copy(a.In(12), 3, 3, 4, 4, a.Out(15))),
            ("more columns than the target has", a => Packing.Copy(a.In(40), 5, 5, 4, 4, a.Out(20))),
            ("copied rows that go back", a => Packing.Copy(a.In(40), -5, 4, 4, 4, a.Out(20))),
            ("a row beyond the source", a => Packing.Gather(a.In(12), 4, [0, 3], 4, 4, a.Out(8))),
            ("a row before the source", a => Packing.Gather(a.In(12), 4, [0, -1], 4, 4, a.Out(8))),
            ("a short target to gather", a => Packing.Gather(a.In(12), 4, [0, 1], 4, 4, a.Out(7))),
            ("more gathered columns than the target has", a => Packing.Gather(a.In(12), 4, [0, 1], 5, 4, a.Out(12))),
            ("a short transposed operand", a => Packing.CopyStrips(layout, 0, 3, a.In(17), 9, 2, a.Out(18))),
            ("short strips", a => Packing.CopyStrips(layout, 0, 3, a.In(18), 9, 2, a.Out(17))),
            ("strips that go back", a => Packing.CopyStrips(layout, 0, 3, a.In(18), -9, 2, a.Out(18))),
            ("a strip after the last", a => Packing.CopyStrips(layout, 0, 4, a.In(90), 9, 2, a.Out(90))),
            ("a short source to scatter", a => Packing.Scatter(layout, 9, a.In(26), 3, 0, a.Out(45), 5, 1, 3)),
            ("a short target to scatter", a => Packing.Scatter(layout, 9, a.In(27), 3, 0, a.Out(41), 5, 1, 3)),
            ("columns beyond the depth", a => Packing.Scatter(layout, 9, a.In(27), 3, 0, a.Out(90), 5, 3, 3)),
            ("columns before the depth", a => Packing.Scatter(layout, 9, a.In(27), 3, 0, a.Out(90), 5, -1, 3)),
            ("a first row within a strip", a => Packing.Scatter(layout, 9, a.In(27), 3, 1, a.Out(90), 5, 0, 3)),
            ("more rows than the layout has", a => Packing.Scatter(layout, 10, a.In(90), 3, 0, a.Out(90), 5, 0, 3)),
            ("words that do not go with the mask", a => KeepBits.Set(a.In(31), new ushort[2])),
            ("words that do not go with the floats", a => KeepBits.Apply(new ushort[2], 2f, a.Out(33))),
        ];
        foreach ((string what, Action<Arena> call) in calls)
        {
            var arena = new Arena(Numbers.Ordinary, 1);
            Exception? thrown = Record.Exception(() => call(arena));
            Assert.True(thrown is ArgumentException, $"{what}: {thrown?.ToString() ?? "nothing was thrown"}");
            arena.AssertNothingWritten();
        }
    }

    [Fact]
    public void DropoutMask_FromAnyIndex_HasTheWordsOfTheStream() => Law.Holds<Mask>(400, c =>
    {
        var stream = new Philox(new RandomKey((ulong)c.Seed * 0x9E3779B97F4A7C15, c.Seed % 5, c.Seed % 1000, c.Seed), RandomPurpose.WeightDrop, c.Seed % 3);
        float rate = c.Percent / 100f;

        // Counters are 32 bits: near their end the next block is the first again.
        long first = c.NearTheEnd ? (4L << 32) - c.First : c.First;
        Arena arena = new(Numbers.Ordinary, c.Seed);
        Span<float> mask = arena.Out(c.Length);
        DropoutMask.Fill(stream, rate, first, mask);
        arena.AssertNothingElseWritten();
        for (int i = 0; i < mask.Length; i++)
        {
            AssertMoved(stream.Word(first + i) < Philox.DropThreshold(rate) ? 0f : 1f / (1f - rate), mask[i]);
        }
    });

    [Fact]
    public void KeepBits_SetAndApplied_AreTheMask()
    {
        var random = new Random(6);
        float[] mask = [.. Enumerable.Range(0, 160).Select(_ => random.Next(2) * 2.5f)], x = [.. mask.Select(_ => random.NextSingle())], actual = [.. x];
        var bits = new ushort[10];
        KeepBits.Set(mask, bits);
        KeepBits.Apply(bits, 2.5f, actual);
        Assert.Equal(x.Zip(mask, (a, b) => a * b), actual);
    }

    [Fact]
    public void KeepBits_WithNarrowVectors_AreThoseWithWideOnes()
    {
        var random = new Random(8);
        float[] mask = [.. Enumerable.Range(0, 16 * 60).Select(i => i < 16 ? 0f : i < 32 ? 1f : i < 48 ? -0f : random.Next(2) * 2.5f)], x = [.. mask.Select(_ => random.NextSingle())];
        float[] wide = [.. x], narrow = [.. x];
        ushort[] wideBits = new ushort[60], narrowBits = new ushort[60];
        KeepBits.Set(mask, wideBits);
        KeepBits.Apply(wideBits, 2.5f, wide);
        unsafe
        {
            fixed (float* m = mask, n = narrow)
            {
                KeepBits.Set128(m, narrowBits);
                KeepBits.Apply128(narrowBits, 2.5f, n);
            }
        }

        Assert.Equal(wideBits, narrowBits);
        Assert.Equal(wide, narrow);
        Assert.Equal([0, 0xFFFF, 0], narrowBits[..3]);
    }

    [Fact]
    public void Transposition_OfFourRows_IsTheSameByPortableOperations()
    {
        Vector128<uint>[] rows = [.. Enumerable.Range(0, 4).Select(i => Vector128.Create(0u, 1, 2, 3) + Vector128.Create(4u * (uint)i))], portable = [.. rows];
        Transposition.Four(ref rows[0], ref rows[1], ref rows[2], ref rows[3]);
        Transposition.FourPortable(ref portable[0], ref portable[1], ref portable[2], ref portable[3]);
        for (uint i = 0; i < 4; i++)
        {
            Assert.Equal(Vector128.Create(i, i + 4, i + 8, i + 12), rows[i]);
            Assert.Equal(rows[i], portable[i]);
        }
    }

    private static void AssertMoved(float expected, float actual)
    {
        if (BitConverter.SingleToInt32Bits(expected) != BitConverter.SingleToInt32Bits(actual))
        {
            Assert.Fail($"{actual:r} instead of {expected:r}.");
        }
    }

    /// <summary>Where element k of a row lies in a packed left operand.</summary>
    private static int Place(in StripLayout layout, int row, int packedDepth, int k)
    {
        int strip = layout.StripOf(row), start = layout.Start(strip);
        return (start * packedDepth) + (k * layout.HeightOf(strip)) + row - start;
    }

    internal sealed record Block([Between(0, 40)] int Height, [Between(0, 40)] int Absent, [Between(0, 45)] int Depth, [Between(0, 9)] int Gap, Numbers Numbers, int Seed)
    {
        public int Present => Math.Max(0, Height - Absent);
    }

    internal sealed record Strips(
        [Between(1, 80)] int Lanes, [Between(1, 18)] int MaxHeight, [Between(1, 45)] int Depth, [Between(0, 20)] int Before, [Between(0, 20)] int After, [Between(0, 9)] int Gap, int Seed);

    internal sealed record Mask([Between(0, 150)] int First, [Between(0, 150)] int Length, [Between(0, 95)] int Percent, bool NearTheEnd, int Seed);
}
