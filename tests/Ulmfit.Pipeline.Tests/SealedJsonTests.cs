using System.Text;
using Ulmfit.Pipeline.Documents;

namespace Ulmfit.Pipeline.Tests;

public sealed class SealedJsonTests
{
    private static readonly Sample Value = new("tickets – ünïcode \"quoted\"", 3, [1.5, double.NaN], new Dictionary<string, string> { ["a"] = "b" });

    [Fact]
    public void Read_WhatWasWritten_GivesTheValue()
    {
        Sample read = SealedJson.Read<Sample>(SealedJson.Write(Value), "state/x.json");

        Assert.Equal(Value.Name, read.Name);
        Assert.Equal(Value.Number, read.Number);
        Assert.Equal(Value.Losses, read.Losses);
        Assert.Equal(Value.Files, read.Files);
    }

    [Fact]
    public void Write_AnyValue_IsOneJsonObjectWithTheChecksumLast()
    {
        using var document = System.Text.Json.JsonDocument.Parse(SealedJson.Write(Value));

        Assert.Equal("checksum", document.RootElement.EnumerateObject().Last().Name);
    }

    [Fact]
    public void Read_AnyBitFlipped_IsNoticed()
    {
        byte[] written = SealedJson.Write(Value);
        for (int bit = 0; bit < written.Length * 8; bit++)
        {
            byte[] flipped = (byte[])written.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));

            CorruptBlobException e = Assert.Throws<CorruptBlobException>(() => SealedJson.Read<Sample>(flipped, "state/x.json"));
            Assert.Contains("state/x.json", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_CutAnywhere_IsNoticed()
    {
        byte[] written = SealedJson.Write(Value);
        for (int length = 0; length < written.Length; length++)
        {
            Assert.Throws<CorruptBlobException>(() => SealedJson.Read<Sample>(written.AsSpan(0, length), "state/x.json"));
        }
    }

    [Fact]
    public void Read_ValidSealOverAnotherShape_IsNoticed()
    {
        byte[] other = SealedJson.Write(new { name = new[] { 1 } });

        Assert.Throws<CorruptBlobException>(() => SealedJson.Read<Sample>(other, "state/x.json"));
    }

    [Fact]
    public void Write_EqualValues_GivesEqualBytes() =>
        Assert.Equal(Encoding.UTF8.GetString(SealedJson.Write(Value)), Encoding.UTF8.GetString(SealedJson.Write(Value with { })));

    private sealed record Sample(string Name, int Number, IReadOnlyList<double> Losses, IReadOnlyDictionary<string, string> Files);
}
