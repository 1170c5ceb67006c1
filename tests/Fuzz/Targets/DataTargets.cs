using System.IO.Compression;
using System.Text;
using Fuzz.Mutation;
using Ulmfit.Data;

namespace Fuzz.Targets;

/// <summary>
/// Drops and corpora: .csv, .tsv, .jsonl and .txt, also .gz. The first byte of an input chooses name and limits, the rest is the file. A
/// reader of these throws nothing, whatever the file; what it gives keeps its promises.
/// </summary>
internal static class DataTargets
{
    /// <summary>Beside its buffers a reader may make strings of a file several times over: for each delimiter it considers, for rows and reasons.</summary>
    private const long Buffers = 2L << 20;

    private const long PerByte = 2048;

    private static readonly string[] Names =
        ["a.csv", "a.tsv", "a.jsonl", "a.CSV", "a.csv", "a.jsonl", "a.tsv", "a.csv", "a.txt", "a.json", "a", "", ".csv", "a.csv.gz", "../a.csv", "a\0.csv"];

    private static readonly LabeledDataOptions[] Limits =
    [
        new() { MaxRows = 100_000 },
        new() { MaxRowLength = 40, MaxRows = 5, MaxLabelLength = 8, MaxLabels = 3, MaxBytes = 600, MaxRejected = 2 },
        new() { TextColumn = "body", LabelColumn = "kind", MaxRejected = 0, MaxRows = 100_000 },
        new() { MaxRowLength = 1, MaxLabels = 1, MaxLabelLength = 1, MaxRows = 1 },
    ];

    private static readonly byte[][] Samples = Soup.Bytes(
        "text,label\nthe parcel is late,complaint\nthank you,praise\n",
        "label;text\r\npraise;\"well, thank you\"\r\ncomplaint;\"a \"\"late\"\" parcel\nof two lines\"\r\n",
        "praise\tthank you\ncomplaint\tlate again\npraise\tfine\n",
        "the parcel is late,complaint\nthank you,praise\nso so,praise\n",
        "id,text,label,when\n1,a b c,x,2020\n2,d e f,y,2021\n",
        "\uFEFFtext,label\nschön,gut\nслово,да\n😀 text,😀\n",
        "{\"text\": \"the parcel is late\", \"label\": \"complaint\"}\n{\"text\": \"thank you\", \"label\": 1}\n{\"label\": true, \"text\": \"x\\u00e9\\ud83d\\ude00\"}\n",
        "{\"body\": \"b\", \"kind\": \"k\", \"other\": {\"deep\": [1, 2, {\"x\": null}]}}\n",
        "body,kind\nlate,k\n",
        "= Title =\n\nText of it .\n\n= = Heading = =\n\nMore .\n= Next =\nText\n");

    private static readonly byte[][] Pieces =
    [
        .. Soup.Bytes(
            "text", "label", "body", "kind", "text,label\n", "label\ttext\n", ",", ",", ";", "\t", "\"", "\"", "\"\"", "\n", "\n", "\r\n", "\r", " ", "  ", "a", "b", "word and word", "praise", "complaint",
            "\uFEFF", "\0", "\u0001", "\u007f", "\u0085", "\u2028", "é", "слово", "😀", "\u200B", "{", "}", "{\"text\":\"a\",\"label\":\"b\"}\n", "{\"text\":", "\"label\":", "null", "1e999", "\\u0000", "\\ud800", "\\",
            "[", "[{", "]", ":", "=", "= A =\n", "\n\n", "=1+1", "@SUM(A1)", "%00", "../", "<script>"),
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xFF, 0xFE], [0xFE, 0xFF], [0x1F, 0x8B],
        .. Soup.Bytes("PK\u0003\u0004", "%PDF-", "PAR1", new string('x', 300), new string('"', 60), new string(',', 60), new string('\n', 80)),
    ];

    private static readonly byte[][] Bombs = [Packed(new byte[20 << 20]), Packed(Repeated("a,b\n"u8, 20 << 20)), Packed(Repeated("{\"text\":\"a\",\"label\":\"b\"}\n"u8, 18 << 20)), Packed(Repeated("\""u8, 18 << 20))];

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new("labeled", 200, Make, Labeled, length => Buffers + (PerByte * length)),
        new("unlabeled", 40, Make, Unlabeled, length => Buffers + (PerByte * length)),
        new("corpus", 40, Make, Corpus, length => Buffers + (PerByte * length)),

        // Up to 16 MiB a file may unpack to whatever it will, beyond that to 200 times its size.
        new("gzip", 40, MakeGzip, Gzip, length => Buffers + (long)(60 * Math.Max(20 << 20, 200L * length))),
    ];

    private static byte[] Make(FuzzRandom random)
    {
        byte[] content = random.Below(10) switch
        {
            0 => random.Bytes(2000),
            < 4 => Soup.Of(random, Pieces, 60),
            4 => Wide(random, random.OneIn(2) ? Soup.Of(random, Pieces, 40) : random.Of<byte[]>(Samples)),
            _ => ByteMutator.Mutate(random, random.Of<byte[]>(Samples), Samples, Pieces),
        };
        return [(byte)random.Below(256), .. content];
    }

    private static byte[] MakeGzip(FuzzRandom random)
    {
        if (random.OneIn(4000))
        {
            return [(byte)(random.Below(256) & 0x0F), .. random.Of<byte[]>(Bombs)];
        }

        byte[] inner = Make(random);
        byte[] packed = Packed(inner.AsSpan(1));
        packed = random.Below(6) switch
        {
            0 => [.. packed, .. Packed(random.Of<byte[]>(Samples))],
            1 => packed[..random.Below(packed.Length + 1)],
            2 or 3 => ByteMutator.Mutate(random, packed, [], []),
            _ => packed,
        };
        return [inner[0], .. packed];
    }

    private static bool Labeled(byte[] input)
    {
        (string name, LabeledDataOptions options, MemoryStream content) = Open(input);
        return Check(LabeledDataReader.Read(content, name, options), options);
    }

    private static bool Gzip(byte[] input)
    {
        (string name, LabeledDataOptions options, MemoryStream content) = Open(input);
        return Check(LabeledDataReader.Read(content, name + ".gz", options), options);
    }

    private static bool Unlabeled(byte[] input)
    {
        (string name, LabeledDataOptions options, MemoryStream content) = Open(input);
        UnlabeledFile file = UnlabeledDataReader.Read(content, name, options);
        Promise.Holds(file.Error is null || file.Rows.Count == 0, "a refused file gives no rows");
        Promise.Holds(file.Rows.All(row => !string.IsNullOrWhiteSpace(row.Text) && row.Text.Length <= options.MaxRowLength && IsUnicode(row.Text)), "each text is text, and within its limit");
        Promise.Holds(Ascend(file.Rows.Select(row => row.Line)), "rows come in the order of their lines");
        CheckRejected(file.Rejected, file.RejectedCount, options);
        return file.Error is null;
    }

    private static bool Corpus(byte[] input)
    {
        (string name, _, MemoryStream content) = Open(input);
        try
        {
            foreach (string document in CorpusReader.Documents(() => content, name))
            {
                Promise.Holds(document.Length > 0 && IsUnicode(document), "each document is text");
            }

            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static bool Check(LabeledFile file, LabeledDataOptions options)
    {
        Promise.Holds(file.Error is null || file.Rows.Count == 0, "a refused file gives no rows");
        var labels = new HashSet<string>(StringComparer.Ordinal);
        foreach (LabeledRow row in file.Rows)
        {
            Promise.Holds(!string.IsNullOrWhiteSpace(row.Text) && row.Text.Length <= options.MaxRowLength && IsUnicode(row.Text), "each text is text, and within its limit");
            if (labels.Add(row.Label))
            {
                Promise.Holds(
                    row.Label.Length > 0 && row.Label.Length <= options.MaxLabelLength && row.Label == row.Label.Trim() && !row.Label.Any(char.IsControl) && IsUnicode(row.Label),
                    "each label is a name, and within its limit");
            }
        }

        Promise.Holds(file.Rows.Count <= options.MaxRows, "there are no more rows than allowed");
        Promise.Holds(labels.Count <= options.MaxLabels, "there are no more labels than allowed");
        Promise.Holds(Ascend(file.Rows.Select(row => row.Line)), "rows come in the order of their lines");
        Promise.Holds(file.Error is not null || file.Rows.Count > 0 || file.RejectedCount > 0, "a file without rows is refused");
        CheckRejected(file.Rejected, file.RejectedCount, options);
        return file.Error is null;
    }

    private static void CheckRejected(IReadOnlyList<RejectedRow> rejected, long count, LabeledDataOptions options)
    {
        Promise.Holds(rejected.Count == Math.Min(count, options.MaxRejected), "as many rejected rows are named as there are, up to the limit");
        Promise.Holds(rejected.All(row => row.Line >= 1 && row.Column is null or >= 1 && row.Reason.Length > 0), "each rejected row has a line and a reason");
    }

    private static bool Ascend(IEnumerable<long> lines)
    {
        long last = 0;
        foreach (long line in lines)
        {
            if (line <= last)
            {
                return false;
            }

            last = line;
        }

        return true;
    }

    private static bool IsUnicode(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (!char.IsHighSurrogate(text[i]) || ++i == text.Length || !char.IsLowSurrogate(text[i])))
            {
                return false;
            }
        }

        return true;
    }

    private static (string Name, LabeledDataOptions Options, MemoryStream Content) Open(byte[] input)
    {
        int choice = input.Length == 0 ? 0 : input[0];
        return (Names[choice & 0x0F], Limits[(choice >> 4) & 3], new MemoryStream(input, Math.Min(1, input.Length), Math.Max(0, input.Length - 1)));
    }

    private static byte[] Wide(FuzzRandom random, byte[] utf8)
    {
        Encoding encoding = random.OneIn(2) ? Encoding.Unicode : Encoding.BigEndianUnicode;
        byte[] wide = [.. random.OneIn(4) ? [] : encoding.Preamble, .. encoding.GetBytes(Encoding.UTF8.GetString(utf8))];
        return random.OneIn(2) ? wide : ByteMutator.Mutate(random, wide, [], []);
    }

    private static byte[] Packed(ReadOnlySpan<byte> content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    private static byte[] Repeated(ReadOnlySpan<byte> piece, int length)
    {
        var bytes = new byte[length / piece.Length * piece.Length];
        for (int i = 0; i < bytes.Length; i += piece.Length)
        {
            piece.CopyTo(bytes.AsSpan(i));
        }

        return bytes;
    }
}
