using System.Text;
using Ulmfit.Data;

namespace Ulmfit.Tests.Data;

public sealed class UnlabeledDataReaderTests
{
    [Theory]
    [InlineData("a.txt", "one text, \"quoted\"\n\nanother\r\n  \nlast", "1:one text, \"quoted\"|3:another|5:last", "")]
    [InlineData("a.jsonl", "{\"text\":\"one\"}\n{\"text\":3}\n{\"text\":\"\"}\n{\"text\":\"two\",\"label\":{}}\n", "1:one|4:two", "2|3")]
    [InlineData("a.csv", "text\n\"one, two\"\nthree\n", "2:one, two|3:three", "")]
    [InlineData("a.csv", "label,text\npos,one\n", "2:one", "")]
    public void Read_File_GivesTheTexts(string name, string content, string rows, string rejectedLines)
    {
        UnlabeledFile file = UnlabeledDataReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(content)), name);

        Assert.Null(file.Error);
        Assert.Equal(rows, string.Join('|', file.Rows.Select(r => $"{r.Line}:{r.Text}")));
        Assert.Equal(rejectedLines, string.Join('|', file.Rejected.Select(r => r.Line)));
    }

    [Theory]
    [InlineData("a.txt", "", "empty")]
    [InlineData("a.txt", " \n", "no text")]
    [InlineData("a.doc", "x", "does not end in .csv, .tsv, .jsonl, .txt or")]
    public void Read_NoSuchFile_IsRefusedWithTheReason(string name, string content, string reason)
    {
        Assert.Contains(reason, UnlabeledDataReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(content)), name).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_InvalidByte_RejectsTheLine()
    {
        UnlabeledFile file = UnlabeledDataReader.Read(new MemoryStream(Encoding.Latin1.GetBytes("good line\ncafé\nmore\n")), "a.txt");

        Assert.Equal([1L, 3L], file.Rows.Select(r => r.Line));
        Assert.Equal((2L, 4), (file.Rejected[0].Line, file.Rejected[0].Column));
    }

    [Fact]
    public void Read_PublicDataSet_KeepsEveryRow()
    {
        string path = Path.Combine(SharedData.Folder, "data", "imdb", "unsup_10k.csv.gz");
        Assert.SkipUnless(File.Exists(path), "the data set is not beside the repository");

        using FileStream content = File.OpenRead(path);
        UnlabeledFile file = UnlabeledDataReader.Read(content, "unsup_10k.csv.gz");
        Assert.Null(file.Error);
        Assert.Empty(file.Rejected);
        Assert.Equal(10_000, file.Rows.Count);
    }
}
