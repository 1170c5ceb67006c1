using System.Text;
using Fuzz.Mutation;
using Ulmfit.Data;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;
using Ulmfit.Text;

namespace Fuzz.Targets;

/// <summary>Texts to classify, and names: of data sets, models, drops, runs and blobs. No name leads out of its container's folder.</summary>
internal static class TextTargets
{
    // A tokenizer, one a thread, remembers words.
    private const long Buffers = 8L << 20;
    private const long PerByte = 4096;

    private static readonly string Root = Path.Combine(Path.GetTempPath(), "root", "container");

    private static readonly Vocabulary Words = Vocabulary.Build([["good", "bad", "good", "bad"]]);

    private static readonly byte[][] Texts = Soup.Bytes(
        "The parcel is late, isn't it? I'll never order at shop.example/x again!!!", "soooo goooood :-) <3 http://a.b/c?d=e&f#g me@x.org", "&lt;br /&gt; \\n #39; 1,234.56 $5 U.S.A. Mr. O'Neil's don't",
        "שלום עולם слово 漢字 👩‍👩‍👧‍👦 \u202e\u200b", "a@b.c@d e/f/g h-i-j k_l 12:30 1/2 50% @-@ <unk> xxunk xxbos xxmaj xxrep 3 a");

    private static readonly byte[][] Pieces =
    [
        .. Soup.Bytes("a", "A", "aaaaaaa", "word word word ", " ", "  ", "\n", "\r", "\t", "'", "n't", "'s", ".", "...", ",", "-", "--", "/", "&", "&amp;", "&lt;", "&#39;", "<", ">", "<br>", "#", "@", ":", "://", "http://", "1", "0.5", "$", "%", "(", ")", "\"", "\\", "\0", "\u0085", "\u2028", "\u00A0", "\u200D", "é", "e\u0301", "ß", "İ", "😀", "漢", "שׁ", "xxrep", "xxup", "xxmaj", "xxwrep", "U.", "S."),
        [0xFF], [0xED, 0xA0, 0x80],
        .. Soup.Bytes(new string('a', 200), new string('.', 100), new string('\'', 80), string.Concat(Enumerable.Repeat("ha ", 60))),
    ];

    private static readonly byte[][] NamePieces =
    [
        .. Soup.Bytes(
            "..", ".", "/", "\\", "%2e", "%2f", "a", "b", "x", "tickets", "-", "_", "1", "0", "000001", ".csv", ".CSV", ".tsv", ".jsonl", ".gz", ".csv.gz", "con", "NUL", "aux", "com1", "lpt9", "CONIN$", ":", "*", "?", "\"", "<", "|", "\0", "\n", " ", "~", "$(x)", "`x`", "'", ";", "é", "😀", "\u202e", "\uFFFE",
            "C:", "\\\\server\\share", "file://", "//", "../", "..\\", "./", "champion.json", "sha256", "2147483647", "2147483648", "-1", "+1", "٣"),
        [0xED, 0xA0, 0x80],
        .. Soup.Bytes(new string('a', 63), new string('a', 64), new string('x', 130), new string('y', 255), new string('z', 1030)),
    ];

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new("text", 60, random => random.Below(8) switch
        {
            0 => random.Bytes(600),
            < 4 => Soup.Of(random, Pieces, 50),
            _ => ByteMutator.Mutate(random, random.Of<byte[]>(Texts), Texts, Pieces),
        }, Text, length => Buffers + (PerByte * length)),
        new("names", 100, random => random.OneIn(10) ? random.Bytes(80) : Soup.Of(random, NamePieces, 8), Name, length => Buffers + (PerByte * length)),
    ];

    [ThreadStatic]
    private static Tokenizer? tokenizers;

    private static bool Text(byte[] input)
    {
        // Half of a surrogate pair can come out of JSON's escapes, so bytes stand for UTF-16 here as well.
        string text = input.Length > 0 && (input[0] & 7) == 0 ? Encoding.Unicode.GetString(input.AsSpan(0, input.Length & ~1)) : Encoding.UTF8.GetString(input);
        Tokenizer tokenizer = tokenizers ??= new Tokenizer();
        IReadOnlyList<string> tokens = tokenizer.Tokenize(text);
        Promise.Holds(tokens.Count >= 1 && tokens.All(token => token.Length > 0), "a text has tokens, none of them empty");
        var ids = new List<int>();
        tokenizer.Encode(text, Words, ids);
        Promise.Holds(ids.SequenceEqual(tokens.Select(Words.IdOf)), "a text has the same ids by way of tokens");
        Detokenizer.ToText(tokens);
        Promise.Holds(TextDigest.Of(text) == TextDigest.Of(" " + text + "\n"), "white space around a text changes nothing");
        return true;
    }

    private static bool Name(byte[] input)
    {
        string name = Encoding.UTF8.GetString(input);
        bool dataset = ResourceNames.IsDataset(name), drop = ResourceNames.IsDrop(name), blob = BlobNames.IsBlobName(name);
        if (RunId.TryParse(name, out RunId run))
        {
            Promise.Holds(ResourceNames.IsDataset(run.Dataset) && run.Number > 0 && run.ToString() == name, "the id of a run is a data set and a number, written in one way");
        }

        Promise.Holds(!dataset || BlobNames.IsBlobName(name), "the name of a data set can be that of a folder");
        Promise.Holds(!drop || BlobNames.IsBlobName("tickets/" + name), "the name of a drop can be that of a file");
        if (blob)
        {
            string path = Path.GetFullPath(Path.Combine(Root, name));
            Promise.Holds(path.StartsWith(Root + Path.DirectorySeparatorChar, StringComparison.Ordinal), "no name leads out of its container");
            Promise.Holds(Path.GetRelativePath(Root, path).Replace(Path.DirectorySeparatorChar, '/') == name, "a name and its file are one to one");
        }

        return dataset || drop || blob;
    }
}
