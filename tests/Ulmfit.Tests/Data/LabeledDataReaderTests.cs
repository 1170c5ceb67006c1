using System.Globalization;
using System.IO.Compression;
using System.Text;
using CsvHelper;
using FsCheck;
using FsCheck.Fluent;
using Ulmfit.Data;

namespace Ulmfit.Tests.Data;

public sealed class LabeledDataReaderTests
{
    // Name, content, rows as line:label:text joined by |, rejections as line:part of the reason joined by |
    [Theory]
    // Header, names, order
    [InlineData("a.csv", "label,text\npos,good film\nneg,bad film\n", "2:pos:good film|3:neg:bad film", "")]
    [InlineData("a.csv", "text,label\ngood film,pos\n", "2:pos:good film", "")]
    [InlineData("a.csv", "LABEL,Text\npos,good\n", "2:pos:good", "")]
    [InlineData("a.csv", "Category,Message\nspam,buy now\n", "2:spam:buy now", "")]
    [InlineData("a.csv", "label,fine_label,text\nDESC,DESC:manner,How did it ?\n", "2:DESC:How did it ?", "")]
    [InlineData("a.csv", "id,text,label,id\n1,good,pos,x\n", "2:pos:good", "")]
    [InlineData("a.csv", "pos,a good film\nneg,a bad film\npos,really fine\n", "1:pos:a good film|2:neg:a bad film|3:pos:really fine", "")]
    [InlineData("a.csv", "a good film,pos\na bad film,neg\nreally fine,pos\n", "1:pos:a good film|2:neg:a bad film|3:pos:really fine", "")]
    [InlineData("a.csv", "pos,one single row\n", "1:pos:one single row", "")]
    [InlineData("a.csv", "\uFEFFlabel,text\r\npos,good\r\n", "2:pos:good", "")]
    [InlineData("a.csv", "label,text\rpos,good\rneg,bad", "2:pos:good|3:neg:bad", "")]
    [InlineData("a.csv", "\n\nlabel,text\n\npos,good\n   \nneg,bad", "5:pos:good|7:neg:bad", "")]
    [InlineData("a.csv", "label,text\n pos ,  kept as is \n", "2:pos:  kept as is ", "")]
    // Delimiters
    [InlineData("a.csv", "label;text\npos;good, really\n", "2:pos:good, really", "")]
    [InlineData("a.csv", "label\ttext\npos\tgood, really; yes\n", "2:pos:good, really; yes", "")]
    [InlineData("a.csv", "pos;good, really, yes\nneg;bad\npos;fine\n", "1:pos:good, really, yes|2:neg:bad|3:pos:fine", "")]
    [InlineData("a.tsv", "label\ttext\npos\tgood, \"really\"\n", "2:pos:good, \"really\"", "")]
    [InlineData("a.tsv", "label\ttext\npos\t\"Hello\" he said\nneg\t\"bad\"\npos\t\"open\n", "2:pos:\"Hello\" he said|3:neg:bad|4:pos:\"open", "")]
    // Quotes
    [InlineData("a.csv", "label,text\npos,\"a, b \"\"c\"\"\"\n", "2:pos:a, b \"c\"", "")]
    [InlineData("a.csv", "label,text\npos,\"first\nsecond\n\nfourth\"\nneg,bad\n", "2:pos:first\nsecond\n\nfourth|6:neg:bad", "")]
    [InlineData("a.csv", "label,text\r\npos,\"first\r\nsecond\"\r\nneg,bad\r\n", "2:pos:first\nsecond|4:neg:bad", "")]
    [InlineData("a.csv", "label,text\npos,a 5\" pipe\n", "2:pos:a 5\" pipe", "")]
    [InlineData("a.csv", "label,text\npos,\"never closed\nneg,bad\npos,good\n", "3:neg:bad|4:pos:good", "2:not closed before the end of the file")]
    [InlineData("a.csv", "label,text\npos,\"open\nneg,bad\npos,\"closed well\"\nneg,worse\n", "3:neg:bad|4:pos:closed well|5:neg:worse", "2:the next one, in line 4, is followed by 'c'")]
    [InlineData("a.csv", "label,text\npos,\"Hello\" he said\nneg,bad\n", "3:neg:bad", "2:',' or the end of the line was expected, 'h' was found")]
    [InlineData("a.csv", "text,label\n\"open,pos\nbad,neg\n\"\",neg\nfine,pos\n", "3:neg:bad|5:pos:fine", "2:not closed|4:no text")]
    [InlineData("a.csv", "label,text\npos,\"open\nneg,bad\nneg,the \",x\npos,good\n", "3:neg:bad|5:pos:good", "2:closes only in line 4, and the row then has 3 columns instead of 2|4:2 columns were expected, 3 were found")]
    // Rows that lack something
    [InlineData("a.csv", "label,text\n,no label\npos,\n  ,x\npos,  \npos,good\n", "6:pos:good", "2:no label|3:no text|4:no label|5:no text")]
    [InlineData("a.csv", "label,text\npos\npos,a,b\npos,good\n", "4:pos:good", "2:2 columns were expected, 1 were found|3:3 were found; is there a ',' outside")]
    [InlineData("a.csv", "label,text\n\"po\ns\",good\npos,good\n", "4:pos:good", "2:line end or another control character")]
    [InlineData("a.csv", "label,text\npos,good\nneg,a\0b and a good deal of text, so that the file is no binary one, whatever else it may be\n", "2:pos:good", "3:NUL")]
    // JSON lines
    [InlineData("a.jsonl", "{\"text\":\"good\",\"label\":\"pos\"}\n{\"label\":\"neg\",\"text\":\"bad\",\"id\":{\"a\":[1]}}\n", "1:pos:good|2:neg:bad", "")]
    [InlineData("a.jsonl", "{\"text\":\"a\",\"label\":3}\n{\"text\":\"b\",\"label\":1.50}\n{\"text\":\"c\",\"label\":true}\n", "1:3:a|2:1.50:b|3:true:c", "")]
    [InlineData("a.jsonl", "{\"Review\":\"a\",\"Sentiment\":\"pos\"}\n", "1:pos:a", "")]
    [InlineData("a.jsonl", "{\"content\":\"worse name\",\"text\":\"a\",\"label\":\"pos\",\"topic\":\"x\"}\n", "1:pos:a", "")]
    [InlineData("a.jsonl", "\n{\"text\":\"line\\nend\",\"label\":\"pos\"}\n", "2:pos:line\nend", "")]
    [InlineData("a.jsonl", "{\"text\":\"a\",\"label\":{\"x\":1}}\n{\"text\":[\"a\"],\"label\":\"x\"}\n{\"text\":\"a\"}\n{\"label\":\"a\"}\n{\"text\":\"a\",\"label\":null}\n", "", "1:'label' must be a string or a number, an object was found|2:'text' must be a string, an array was found|3:no label|4:no text|5:no label")]
    [InlineData("a.jsonl", "{\"text\":\"a\",\"label\":\"b\"\n[1]\n{\"text\":\"a\",\"label\":\"b\"} x\n\"s\"\n{\"text\":\"a\",\"text\":\"b\",\"label\":\"c\"}\n{\"text\":\"a\",\"label\":\"b\"}", "6:b:a", "1:not valid JSON|2:an array was found|3:not valid JSON|4:a string was found|5:given twice")]
    [InlineData("a.jsonl", "{\"text\":\"\\ud800\",\"label\":\"b\"}\n", "", "1:surrogate")]
    public void Read_File_KeepsGoodRowsAndRejectsBadOnes(string name, string content, string rows, string rejected)
    {
        LabeledFile file = Read(name, Encoding.UTF8.GetBytes(content));

        Assert.Null(file.Error);
        Assert.Equal(rows, string.Join('|', file.Rows.Select(r => $"{r.Line}:{r.Label}:{r.Text}")));
        string[] reasons = rejected.Split('|', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(reasons.Length, file.Rejected.Count);
        Assert.Equal(reasons.Length, file.RejectedCount);
        foreach ((string expected, RejectedRow found) in reasons.Zip(file.Rejected))
        {
            Assert.Equal(name, found.File);
            Assert.Equal(expected[..expected.IndexOf(':', StringComparison.Ordinal)], found.Line.ToString(CultureInfo.InvariantCulture));
            Assert.Contains(expected[(expected.IndexOf(':', StringComparison.Ordinal) + 1)..], found.Reason, StringComparison.Ordinal);
        }

        // Compressed, and in UTF-16, it says the same.
        LabeledFile packed = Read(name + ".gz", Gzip(Encoding.UTF8.GetBytes(content)));
        Assert.Equal(file.Rows, packed.Rows);
        Assert.Equal(file.Rejected.Select(r => r.Reason), packed.Rejected.Select(r => r.Reason));
        LabeledFile wide = Read(name, [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(content.TrimStart('\uFEFF'))]);
        Assert.Equal(file.Rows, wide.Rows);
    }

    [Theory]
    [InlineData("a.csv", "", "empty")]
    [InlineData("a.csv.gz", "", "empty")]
    [InlineData("a.jsonl", "", "empty")]
    [InlineData("a.csv", "\uFEFF", "empty")]
    [InlineData("a.csv", "\n\n \n", "no row")]
    [InlineData("a.csv", "label,text\n", "no row")]
    [InlineData("a.csv", "text,foo\ngood,1\n", "no column of labels: the header names 'text', 'foo'; one of label, class")]
    [InlineData("a.csv", "label,foo\npos,1\n", "no column of texts: the header names 'label', 'foo'; one of text, sentence")]
    [InlineData("a.csv", "text\ngood\nbad\n", "no column of labels: the header names 'text'")]
    [InlineData("a.csv", "label,text,label\npos,good,neg\n", "'label' twice, as columns 1 and 3")]
    [InlineData("a.csv", "1,World,text of it\n2,Sports,more text\n", "no header that names its columns, and 3 of them where 2 were expected")]
    [InlineData("a.csv", "just words\nand more\n", "and 1 of them where 2 were expected; the first row is 'just words'")]
    [InlineData("a.txt", "label,text\n", "does not end in .csv, .tsv, .jsonl or")]
    [InlineData("a", "label,text\n", "does not end in")]
    [InlineData("a.csv.gz", "label,text\npos,good\n", "the content is not gzip")]
    [InlineData("a.jsonl", "[\n{\"text\":\"a\",\"label\":\"b\"}\n]", "one JSON array")]
    [InlineData("a.csv", "%PDF-1.7 and so on", "a PDF document")]
    [InlineData("a.csv", "PK\u0003\u0004 and so on", "a zip file")]
    [InlineData("a.csv", "\0\0\0\0\0\0\0\0", "zero")]
    [InlineData("a.csv", "a\u0001\u0002\u0003b\u0004\u0005", "binary")]
    public void Read_NoSuchFile_IsRefusedWithTheReason(string name, string content, string reason)
    {
        LabeledFile file = Read(name, Encoding.UTF8.GetBytes(content));

        Assert.Contains(reason, file.Error, StringComparison.Ordinal);
        Assert.Empty(file.Rows);
    }

    [Fact]
    public void Read_Latin1Line_RejectsItAndNamesTheByte()
    {
        byte[] content = Encoding.Latin1.GetBytes("label,text\npos,good film\nneg,un café noir\npos,fine film\n");
        LabeledFile file = Read("a.csv", content);

        Assert.Equal([2L, 4L], file.Rows.Select(r => r.Line));
        RejectedRow rejected = Assert.Single(file.Rejected);
        Assert.Equal((3L, 11), (rejected.Line, rejected.Column));
        Assert.Contains("Byte 0xE9 (byte 11 of the line) is not UTF-8", rejected.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Latin1WithinAQuotedRow_RejectsThatRowAlone()
    {
        byte[] content = Encoding.Latin1.GetBytes("label,text\npos,\"good\ncafé\nfilm\"\nneg,bad\n");
        LabeledFile file = Read("a.csv", content);

        Assert.Equal([5L], file.Rows.Select(r => r.Line));
        Assert.Equal(2, Assert.Single(file.Rejected).Line);
        Assert.Contains("line 3", file.Rejected[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OtherEncodingThroughout_IsRefused()
    {
        byte[] cyrillic = [.. Enumerable.Range(0, 200).Select(i => (byte)(i % 7 == 0 ? ' ' : 0xE0 + (i % 16)))];

        Assert.Contains("is not UTF-8", Read("a.csv", cyrillic).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Utf16WithoutByteOrderMark_IsRefusedWithAdvice()
    {
        Assert.Contains("UTF-16", Read("a.csv", Encoding.Unicode.GetBytes("label,text\npos,good film\n")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BrokenJson_NamesTheColumn()
    {
        LabeledFile file = Read("a.jsonl", Encoding.UTF8.GetBytes("{\"text\": \"é\", \"label\": oops}"));

        Assert.Equal((1L, 24), (file.Rejected[0].Line, file.Rejected[0].Column));
    }

    [Fact]
    public void Read_TruncatedOrDamagedGzip_IsRefused()
    {
        byte[] packed = Gzip(Encoding.UTF8.GetBytes("label,text\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"pos,film {i * 7919 % 1000}\n"))));
        Assert.Equal(5000, Read("a.csv.gz", packed).Rows.Count);
        for (int length = 20; length < packed.Length; length += length > packed.Length - 12 ? 1 : 97)
        {
            LabeledFile cut = Read("a.csv.gz", packed[..length]);
            Assert.Contains("damaged or ends too early", cut.Error, StringComparison.Ordinal);
            Assert.Empty(cut.Rows);
        }

        packed[packed.Length / 2] ^= 0x55;
        Assert.Contains("damaged or ends too early", Read("a.csv.gz", packed).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_GzipOfSeveralMembers_ReadsThemAll()
    {
        byte[] packed = [.. Gzip("label,text\npos,go"u8.ToArray()), .. Gzip("od\n"u8.ToArray())];

        Assert.Equal("good", Assert.Single(Read("a.csv.gz", packed).Rows).Text);
        Assert.NotNull(Read("a.csv.gz", packed[..^3]).Error);
    }

    [Fact]
    public void Read_ZipBomb_IsRefused()
    {
        byte[] row = Encoding.UTF8.GetBytes("pos," + new string('a', 60) + "\n");
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write("label,text\n"u8);
            byte[] block = [.. Enumerable.Repeat(row, 1000).SelectMany(r => r)];
            for (int i = 0; i < 400; i++)
            {
                gzip.Write(block);
            }
        }

        LabeledFile refused = Read("a.csv.gz", packed.ToArray(), new LabeledDataOptions { MaxCompressionRatio = 50 });
        Assert.Contains("zip bomb", refused.Error, StringComparison.Ordinal);
        Assert.Empty(refused.Rows);
        Assert.Contains("more than the 1000000 bytes allowed",
            Read("a.csv.gz", packed.ToArray(), new LabeledDataOptions { MaxBytes = 1_000_000 }).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.csv", "label,text\npos,", "\nneg,bad\n")]
    [InlineData("a.csv", "label,text\npos,\"", "\nneg,bad\n")]
    [InlineData("a.jsonl", "{\"label\":\"pos\",\"text\":\"", "\"}\n{\"label\":\"neg\",\"text\":\"bad\"}\n")]
    public void Read_FiftyMegabytesOnOneLine_RejectsItInBoundedMemory(string name, string before, string after)
    {
        using var content = new FillerStream(Encoding.UTF8.GetBytes(before), 50_000_000, Encoding.UTF8.GetBytes(after));
        long start = GC.GetAllocatedBytesForCurrentThread();
        LabeledFile file = LabeledDataReader.Read(content, name);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - start;

        Assert.Null(file.Error);
        Assert.Equal("bad", Assert.Single(file.Rows).Text);
        Assert.Contains("longer than the 1048576 characters", Assert.Single(file.Rejected).Reason, StringComparison.Ordinal);
        Assert.True(allocated < 40_000_000, $"{allocated} bytes allocated");
    }

    [Fact]
    public void Read_LongQuotedRowOverManyLines_IsRejectedAndTheRestKept()
    {
        string content = "label,text\npos,\"open\n" + string.Concat(Enumerable.Range(0, 300).Select(i => $"neg,row {i}\n"));
        LabeledFile file = Read("a.csv", Encoding.UTF8.GetBytes(content), new LabeledDataOptions { MaxRowLength = 1000 });

        Assert.Equal(300, file.Rows.Count);
        Assert.Contains("not closed within the 1000 characters", Assert.Single(file.Rejected).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_EveryLineOpensAQuote_TakesTimeInProportion()
    {
        string content = "label,text\n" + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"neg,\"\"\"row {i}\n"));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        LabeledFile file = Read("a.csv", Encoding.UTF8.GetBytes(content));

        Assert.Equal(100_000, file.RejectedCount + file.Rows.Count);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{watch.Elapsed}");
    }

    [Fact]
    public void Read_LongLabelOrTooManyLabels_IsRejectedOrRefused()
    {
        string content = $"label,text\n{new string('x', 257)},good\n{new string('y', 256)},bad\n";
        LabeledFile file = Read("a.csv", Encoding.UTF8.GetBytes(content));
        Assert.Equal(3, Assert.Single(file.Rows).Line);
        Assert.Contains("257 characters; at most 256", Assert.Single(file.Rejected).Reason, StringComparison.Ordinal);

        string many = "label,text\n" + string.Concat(Enumerable.Range(0, 1001).Select(i => $"l{i},t\n"));
        Assert.Contains("more than 1000 different labels by line 1002 (there 'l1000')", Read("a.csv", Encoding.UTF8.GetBytes(many)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ManyRejections_KeepsTheFirstAndCountsAll()
    {
        string content = "label,text\n" + string.Concat(Enumerable.Repeat(",x\n", 50)) + "pos,good\n";
        LabeledFile file = Read("a.csv", Encoding.UTF8.GetBytes(content), new LabeledDataOptions { MaxRejected = 5 });

        Assert.Equal((5, 50L, 1), (file.Rejected.Count, file.RejectedCount, file.Rows.Count));
    }

    [Theory]
    [InlineData(4, 3, null)]
    [InlineData(3, 3, null)]
    [InlineData(3, 4, "More than 3 rows up to line 8, and more than half of all, cannot be used; that line because: The row has no label.")]
    [InlineData(0, 4, "More than 3 rows up to line 5")]
    [InlineData(0, 3, null)]
    public void Read_MoreThanHalfOfManyRowsBad_RefusesTheFile(int good, int bad, string? error)
    {
        string content = "label,text\n" + string.Concat(Enumerable.Repeat("pos,good\n", good)) + string.Concat(Enumerable.Repeat(",x\n", bad));
        LabeledFile file = Read("a.csv", Encoding.UTF8.GetBytes(content), new LabeledDataOptions { MaxUnusable = 3, MaxRejected = 2 });

        Assert.Equal(error is null ? good : 0, file.Rows.Count);
        Assert.Equal(2, file.Rejected.Count);
        if (error is null)
        {
            Assert.Null(file.Error);
        }
        else
        {
            Assert.StartsWith(error, file.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_MillionsOfLinesThatAreNoJson_IsRefusedBeforeItsEnd()
    {
        byte[] content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a,b\n", 3_000_000)));
        long before = GC.GetAllocatedBytesForCurrentThread();

        LabeledFile file = Read("a.jsonl", content);

        Assert.Contains("is not valid JSON", file.Error, StringComparison.Ordinal);
        Assert.Equal(100_001, file.RejectedCount);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400L << 20);
    }

    [Fact]
    public void Read_NamedColumns_AreUsedAndMissingOnesNamed()
    {
        byte[] content = Encoding.UTF8.GetBytes("label,text,mood,words\nA,B,pos,good\n");
        LabeledFile file = Read("a.csv", content, new LabeledDataOptions { TextColumn = "Words", LabelColumn = "mood" });
        Assert.Equal(new LabeledRow("good", "pos", 2), Assert.Single(file.Rows));
        Assert.Equal(new DetectedFormat(',', true, "words", "mood"), file.Format);

        LabeledFile refused = Read("a.csv", content, new LabeledDataOptions { LabelColumn = "nope" });
        Assert.Contains("the header names 'label', 'text', 'mood', 'words'; 'nope' was expected", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Formats_AreDescribed()
    {
        Assert.Equal(new DetectedFormat(';', false, "2", "1"), Read("a.csv", "pos;good film\n"u8.ToArray()).Format);
        Assert.Equal(new DetectedFormat('\t', true, "text", "label"), Read("a.tsv", "label\ttext\n1\tgood\n"u8.ToArray()).Format);
        Assert.Equal(new DetectedFormat(null, false, "text", "label"), Read("a.jsonl", "{}"u8.ToArray()).Format);
    }

    [Fact]
    public void Read_WhatCsvHelperWrites_ReadsBackTheSame()
    {
        Gen<string> text = Gen.Elements("good", "\"", ",", "\n", "a \"b\" c", " ", "é", "x,y", "漢", "'", ";", "\"\"", "😀").NonEmptyListOf()
            .Select(parts => "t" + string.Concat(parts) + "t");
        Gen<(string Label, string Text)[]> rows = Gen.Elements("pos", "neg", "a, b", "\"q\"").SelectMany(l => text.Select(t => (l, t))).NonEmptyListOf()
            .Select(list => list.ToArray());
        Prop.ForAll(rows.ToArbitrary(), expected =>
        {
            foreach (char delimiter in (char[])[',', ';', '\t'])
            {
                using var written = new StringWriter();
                using (CsvWriter csv = CsvWriter.Create(written, new CsvWriterOptions { Separator = delimiter, NewLine = "\n" }, leaveOpen: true))
                {
                    csv.WriteRecord(["label", "text"]);
                    foreach ((string label, string value) in expected)
                    {
                        csv.WriteRecord([label, value]);
                    }
                }

                LabeledFile file = Read(delimiter == '\t' ? "a.tsv" : "a.csv", Encoding.UTF8.GetBytes(written.ToString()));
                Assert.Null(file.Error);
                Assert.Empty(file.Rejected);
                Assert.Equal(expected, file.Rows.Select(r => (r.Label, r.Text)));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Read_AnyBytes_NeverThrows()
    {
        byte[][] starts = [[], "label,text\n"u8.ToArray(), "{\"text\":\""u8.ToArray(), [0xFF, 0xFE], [0x1F, 0x8B, 8, 0], Gzip("label,text\npos,good\n"u8.ToArray())];
        Gen<byte[]> bytes = Gen.Frequency(
            (1, Gen.Choose(0, 255)), (4, Gen.Elements<int>(',', '"', '\n', '\r', 'a', '\t', ';', '{', '}', ':', ' ', 0xC3, 0xA9))).ListOf().Select(l => l.Select(b => (byte)b).ToArray());
        Prop.ForAll(Gen.Elements(starts).SelectMany(s => bytes.Select(b => (byte[])[.. s, .. b])).ToArbitrary(), content =>
        {
            foreach (string name in (string[])["a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "a.jsonl.gz"])
            {
                LabeledFile file = Read(name, content);
                Assert.All(file.Rows, r => Assert.False(string.IsNullOrWhiteSpace(r.Text) || string.IsNullOrWhiteSpace(r.Label)));
                Assert.All(file.Rejected, r => Assert.True(r.Line > 0 && r.Reason.Length > 0));
                UnlabeledDataReader.Read(new MemoryStream(content), name.Replace(".tsv", ".txt", StringComparison.Ordinal));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Read_BytesInAnyPortions_GivesTheSame()
    {
        byte[] content = Encoding.UTF8.GetBytes("label,text\r\npos,\"größe\r\n漢字 😀\"\r\nneg,\"open\r\npos,fine\r\n");
        LabeledFile whole = Read("a.csv", content);
        for (int portion = 1; portion < 9; portion++)
        {
            LabeledFile file = LabeledDataReader.Read(new PortionStream(content, portion), "a.csv");
            Assert.Equal(whole.Rows, file.Rows);
            Assert.Equal(whole.Rejected, file.Rejected);
        }
    }

    [Theory]
    [InlineData("trec/train.csv", 5452, 6)]
    [InlineData("banking77/train.csv", 10003, 77)]
    [InlineData("imdb/train.csv.gz", 25000, 2)]
    public void Read_PublicDataSet_KeepsEveryRow(string path, int rows, int labels)
    {
        string full = Path.Combine(SharedData.Folder, "data", path);
        Assert.SkipUnless(File.Exists(full), "the data set is not beside the repository");

        using FileStream content = File.OpenRead(full);
        LabeledFile file = LabeledDataReader.Read(content, Path.GetFileName(full));
        Assert.Null(file.Error);
        Assert.Empty(file.Rejected);
        Assert.Equal(rows, file.Rows.Count);
        Assert.Equal(labels, file.Rows.Select(r => r.Label).Distinct().Count());
    }

    private static LabeledFile Read(string name, byte[] content, LabeledDataOptions? options = null) =>
        LabeledDataReader.Read(new MemoryStream(content), name, options);

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }
}
