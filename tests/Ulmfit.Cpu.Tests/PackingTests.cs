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
    public void TransposeCopyAndGather_OfAnySize_MoveEveryElement()
    {
        var random = new Random(2);
        for (int round = 0; round < 200; round++)
        {
            int height = random.Next(1, 35), present = random.Next(1, height + 1), depth = random.Next(1, 40), stride = Math.Max(present, depth) + random.Next(0, 4);
            float[] source = [.. Enumerable.Range(0, Math.Max(present, depth) * stride).Select(_ => random.NextSingle())];
            var target = new float[depth * height];
            Packing.Transpose(source, stride, present, height, depth, target);
            AssertPlaces((k, r) => r < present ? source[(r * stride) + k] : 0f);
            Packing.Copy(source, stride, present, height, depth, target);
            AssertPlaces((k, r) => r < present ? source[(k * stride) + r] : 0f);
            int[] rows = [.. Enumerable.Range(0, depth).Select(_ => random.Next(depth))];
            Packing.Gather(source, stride, rows, present, height, target);
            AssertPlaces((k, r) => r < present ? source[(rows[k] * stride) + r] : 0f);

            void AssertPlaces(Func<int, int, float> expected)
            {
                for (int k = 0; k < depth; k++)
                {
                    for (int r = 0; r < height; r++)
                    {
                        Assert.Equal(expected(k, r), target[(k * height) + r]);
                    }
                }
            }
        }
    }

    [Fact]
    public void CopyStrips_OfATransposedOperand_EqualsEachStripByItself()
    {
        var random = new Random(4);
        for (int round = 0; round < 100; round++)
        {
            int rows = random.Next(1, 80), depth = random.Next(1, 20), stride = rows + random.Next(0, 5);
            var layout = new StripLayout(rows, random.Next(2) == 0 ? 14 : 6);
            int first = random.Next(0, layout.Count), end = random.Next(first + 1, layout.Count + 1), firstRow = layout.Start(first);
            float[] source = [.. Enumerable.Range(0, depth * stride).Select(_ => random.NextSingle())];
            var actual = new float[(layout.Start(end) - firstRow) * depth];
            var expected = new float[actual.Length];
            Packing.CopyStrips(layout, first, end, source.AsSpan(firstRow), stride, depth, actual);
            for (int strip = first; strip < end; strip++)
            {
                int row = layout.Start(strip), height = layout.HeightOf(strip);
                Packing.Copy(source.AsSpan(row), stride, height, height, depth, expected.AsSpan((row - firstRow) * depth));
            }

            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void Scatter_OfColumns_FillsTheirPlacesAndNoOthers()
    {
        var random = new Random(3);
        for (int round = 0; round < 100; round++)
        {
            int lanes = random.Next(1, 60), rows = random.Next(1, lanes + 1), depth = random.Next(20, 50), count = random.Next(1, 20), first = random.Next(0, depth - count), stride = count + random.Next(0, 5);
            var layout = new StripLayout(lanes, 14);
            int firstStrip = random.Next(0, layout.StripOf(rows - 1) + 1), firstRow = layout.Start(firstStrip);
            float[] source = [.. Enumerable.Range(0, lanes * stride).Select(_ => random.NextSingle())];
            float[] target = Enumerable.Repeat(-1f, lanes * depth).ToArray();
            Packing.Scatter(layout, rows, source, stride, firstRow, target, depth, first, count);
            for (int row = 0; row < lanes; row++)
            {
                int strip = layout.StripOf(row);
                for (int k = 0; k < depth; k++)
                {
                    bool moved = row >= firstRow && row < rows && k >= first && k < first + count;
                    float expected = moved ? source[((row - firstRow) * stride) + k - first] : -1f;
                    Assert.Equal(expected, target[(layout.Start(strip) * depth) + (k * layout.HeightOf(strip)) + row - layout.Start(strip)]);
                }
            }
        }
    }

    [Theory]
    [InlineData(0.3f)]
    [InlineData(0.5f)]
    public void DropoutMask_FromAnyIndex_HasTheWordsOfTheStream(float rate)
    {
        var stream = new Philox(new RandomKey(0xFEDCBA9876543210, 2, 3, 4), RandomPurpose.WeightDrop, 1);
        foreach (int first in new[] { 0, 1, 2, 3, 17, 1000 })
        {
            for (int length = 0; length < 70; length++)
            {
                var mask = new float[length];
                DropoutMask.Fill(stream, rate, first, mask);
                for (int i = 0; i < length; i++)
                {
                    Assert.Equal(stream.Word(first + i) < Philox.DropThreshold(rate) ? 0f : 1f / (1f - rate), mask[i]);
                }
            }
        }
    }

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
}
