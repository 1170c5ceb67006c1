using System.IO.Compression;
using System.Text;
using Ulmfit.Data;

namespace Ulmfit.Tests.Data;

public sealed class CorpusReaderTests
{
    [Fact]
    public void Documents_TitleLines_BeginArticlesAndStayAsText()
    {
        string[] documents = Read("= First (comics) =\n\nOne.\nTwo.\n\n= = Heading = =\nThree.\n= Second =\nFour.\n");

        Assert.Equal(["First (comics)\nOne.\nTwo.\n= = Heading = =\nThree.", "Second\nFour."], documents);
    }

    [Fact]
    public void Documents_WithoutTitles_ArePartedByBlankLines()
    {
        Assert.Equal(["One.\nTwo.", "Three.", "Four."], Read("\n\nOne.\r\nTwo.\r\n\r\n \t\r\nThree.\n\n\nFour."));
    }

    [Fact]
    public void Documents_TextAheadOfTheFirstTitle_IsPartedByBlankLines()
    {
        Assert.Equal(["Preface.", "More.", "Title\nBody.\nEnd."], Read("Preface.\n\nMore.\n= Title =\nBody.\n\nEnd.\n"));
    }

    [Theory]
    [InlineData("= 2−2 × 15")]
    [InlineData("==")]
    [InlineData("= =")]
    [InlineData("== x ==")]
    public void Documents_LinesThatOnlyResembleTitles_AreText(string line)
    {
        Assert.Equal([$"before\n{line}\nafter"], Read($"before\n{line}\nafter"));
    }

    [Fact]
    public void Documents_Gzip_IsDecompressedAndReadTwiceTheSame()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write("= A =\nOne.\n= B =\nTwo."u8);
        }

        IEnumerable<string> documents = CorpusReader.Documents(() => new MemoryStream(packed.ToArray()), "corpus.txt.gz");

        Assert.Equal(["A\nOne.", "B\nTwo."], documents);
        Assert.Equal(["A\nOne.", "B\nTwo."], documents);
    }

    [Fact]
    public void Documents_ALongDocument_GoesOnInAnotherAtALineEnd()
    {
        string line = new('a', 1000);
        string[] documents = Read(string.Join('\n', Enumerable.Repeat(line, 3000)));

        Assert.Equal(3, documents.Length);
        Assert.All(documents, document => Assert.InRange(document.Length, 1, CorpusReader.LongestDocument + 2000));
        Assert.Equal(3000, documents.Sum(document => document.Split('\n').Length));
    }

    [Fact]
    public void Documents_BytesThatAreNoUtf8_AreRefusedWithTheLine()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes("= A =\nGood text of some length.\nCaf"), 0xE9, .. "\nmore\n"u8];

        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => CorpusReader.Documents(() => new MemoryStream(bytes), "corpus.txt").ToArray());

        Assert.Contains("corpus.txt(3,4)", exception.Message, StringComparison.Ordinal);
        Assert.Contains("UTF-8", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rows.csv", "text,label")]
    [InlineData("rows.jsonl.gz", "{}")]
    [InlineData("corpus.txt", "")]
    [InlineData("corpus.txt.gz", "no gzip")]
    public void Documents_WhatIsNoPlainText_IsRefusedByName(string name, string content)
    {
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => CorpusReader.Documents(() => new MemoryStream(Encoding.UTF8.GetBytes(content)), name).ToArray());

        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    private static string[] Read(string content) => [.. CorpusReader.Documents(() => new MemoryStream(Encoding.UTF8.GetBytes(content)), "corpus.txt")];
}
