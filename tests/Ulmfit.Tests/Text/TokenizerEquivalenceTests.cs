using System.IO.Compression;
using System.Text;
using Ulmfit.Data;
using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

/// <summary>Holds the tokenizer, which remembers words and scans ahead, against the plain transcription of its rules.</summary>
public sealed class TokenizerEquivalenceTests
{
    // What the rules look for, and what stands next to it.
    private static readonly string[] Fragments =
    [
        "don't", "DON’T", "U.S.", "u.s.", "Mr.", "Miss.", "10am", "e.g.", "...", "..", "....", "…", "<br />", "<br>", "<BR/>", "<br", "<unk>", "&amp;", "&lt;", "&#39;",
        "&#x1F600;", "&#xD800;", "&eacute;", "&unknown;", "#39;", "quot;", "nbsp;", "amp;", ";", "&", "#", " @-@ ", " @.@ ", " @,@ ", "@", "\\n", "\\\"", "\\", "\n", "\r\n", "\r",
        " ", " ", " ", " ", " ", "  ", "\t", "\u00A0", "\u200B", "\u2028", "no no no", "No No No ", "no no", " the the the the.", "aaaa", "!!!", "---", "ééé", "111", "A", "I",
        "Word", "WORD", "wOrd", "iPhone", "'s", "’S", "'", "''", "\"", "“", "”", ":)", ":-(", ":", ")", "great:)", "xD", "<3", "^_^", "o_O", "xxbos", "xxmaj", "xxfake", "http://", "www.example.com",
        "a@b.com", "site.com:80?x", "end.Start", "one,two", "well-known", "a--b", "a—b", "3-4", "2+2", "key=value", "5km", "64GB", "25°C.", "$", "US$5", "5€", "50%", "(", "[", "{", "/", "and/or",
        "😀", "😂😂😂", "👍🏽", "👨‍👩‍👧", "🇩🇪🇫🇷", "❤️", "𝐀𝐁", "𐐀", "漢", "日本語", "ที่นี่", "한국어", "Привет", "МИР", "كم", "5كم", "\u0301", "e\u0301", "eee\u0301", "\u200D", "\u00AD", "\uFEFF", "\uD83D", "\uDE00",
        "\0", "\u0007", "\u007F", "\u0085", "\u0096", "İ", "ǅ", "Ⅷ", "Σ", "ß", "\uFDD0", "\uFDD5", "\uFFFE", "\uFFFF", "﷼", "ಠ_ಠ", "(╯°□°）╯︵┻━┻", "sixteen-letters!", "seventeen-letters", "pneumonoultramicroscopic",
    ];

    [Fact]
    public void Tokenize_AdversarialText_GivesTheTokensOfThePlainRules()
    {
        var tokenizer = new Tokenizer();
        var random = new RandomText(1);
        for (int round = 0; round < 6000; round++)
        {
            AssertSame(tokenizer, random.Next());
        }
    }

    [Fact]
    public void Tokenize_WordsWithEveryCharacter_GivesTheTokensOfThePlainRules()
    {
        var tokenizer = new Tokenizer();
        for (int c = 0; c <= char.MaxValue; c++)
        {
            AssertSame(tokenizer, $"ab{(char)c} {(char)c}{(char)c}{(char)c} {(char)c}Ab. {(char)c} {(char)c} {(char)c}");
        }
    }

    [Fact]
    public void Tokenize_AllShortWordsOfSigns_GivesTheTokensOfThePlainRules() =>
        AssertSameForAll(["a", "s", "A", ".", "-", "'", "‘", "’", "“", "”", "–", "—", "…", "é", "Ж", "1"], 3, " ");

    [Fact]
    public void Tokenize_AllShortTextsOfRepeatedWords_GivesTheTokensOfThePlainRules() =>
        AssertSameForAll(["a ", "b ", "\n", "a.", " "], 7, "");

    [Fact]
    public void Tokenize_MoreWordsThanAreRemembered_GivesTheTokensOfThePlainRules()
    {
        var tokenizer = new Tokenizer();
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 200_000; i += 500)
            {
                AssertSame(tokenizer, string.Join(' ', Enumerable.Range(i, 500).Select(k => $"Wor{k}d, the {k}'s end.")));
            }
        }
    }

    [Fact]
    public void Encode_AdversarialText_GivesTheIdsOfThePlainTokens()
    {
        var random = new RandomText(2);
        string[] texts = [.. Enumerable.Range(0, 1500).Select(_ => random.Next())];
        List<string>[] tokens = [.. texts.Select(ReferenceTokenizer.Tokenize)];
        var tokenizer = new Tokenizer();
        foreach (int minimum in (int[])[1, 40])
        {
            var vocabulary = Vocabulary.Build(tokens, new VocabularyOptions { MinimumCount = minimum });
            for (int i = 0; i < texts.Length; i++)
            {
                var ids = new List<int> { -1 };
                tokenizer.Encode(texts[i], vocabulary, ids);
                Assert.Equal([-1, .. vocabulary.Encode(tokens[i])], ids);
            }
        }
    }

    [Theory]
    [InlineData("imdb/train.csv.gz", 3000)]
    [InlineData("banking77/train.csv", 10000)]
    [InlineData("trec/train.csv", 10000)]
    public void Tokenize_RealRows_GivesTheTokensOfThePlainRules(string name, int rows)
    {
        string path = Path.Combine(SharedData.Folder, "data", name);
        Assert.SkipUnless(File.Exists(path), $"{path} is not on this machine.");
        using FileStream content = File.OpenRead(path);
        LabeledFile file = LabeledDataReader.Read(content, Path.GetFileName(path));
        Assert.Null(file.Error);
        var tokenizer = new Tokenizer();
        foreach (LabeledRow row in file.Rows.Take(rows))
        {
            AssertSame(tokenizer, row.Text);
        }
    }

    [Fact]
    public void Tokenize_RealArticles_GivesTheTokensOfThePlainRules()
    {
        string path = Path.Combine(SharedData.Folder, "data", "enwiki", "valid.txt.gz");
        Assert.SkipUnless(File.Exists(path), $"{path} is not on this machine.");
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress), Encoding.UTF8);
        var tokenizer = new Tokenizer();
        while (reader.ReadLine() is { } line)
        {
            AssertSame(tokenizer, line);
        }
    }

    /// <summary>All sequences of some pieces up to a length, read by one tokenizer; each between the ends given.</summary>
    private static void AssertSameForAll(string[] pieces, int longest, string ends)
    {
        var tokenizer = new Tokenizer();
        IEnumerable<string> texts = [""];
        for (int length = 1; length <= longest; length++)
        {
            texts = [.. texts.SelectMany(text => pieces.Select(piece => text + piece))];
            foreach (string text in texts)
            {
                AssertSame(tokenizer, ends + text + ends);
            }
        }
    }

    private static void AssertSame(Tokenizer tokenizer, string text)
    {
        List<string> expected = ReferenceTokenizer.Tokenize(text);
        IReadOnlyList<string> found = tokenizer.Tokenize(text);
        if (!expected.SequenceEqual(found, StringComparer.Ordinal))
        {
            Assert.Fail($"'{Escape(text)}': expected '{Escape(string.Join('|', expected))}', found '{Escape(string.Join('|', found))}'");
        }
    }

    // A test runner cannot pass on lone surrogates and control characters.
    private static string Escape(string text) =>
        string.Concat(text.Select(c => c is >= ' ' and <= '~' ? c.ToString() : $"\\u{(int)c:X4}"));

    /// <summary>Fragments, letters and any UTF-16 units, in words and runs of all lengths.</summary>
    private sealed class RandomText(ulong seed)
    {
        private long drawn;

        private readonly Philox random = new(new RandomKey(seed, 0, 0, 0), RandomPurpose.Shuffle);

        internal string Next()
        {
            var text = new StringBuilder();
            int pieces = Below(24);
            for (int i = 0; i < pieces; i++)
            {
                string piece = Below(10) switch
                {
                    < 6 => Fragments[Below(Fragments.Length)],
                    6 => ((char)Below(128)).ToString(),
                    7 => ((char)Below(char.MaxValue + 1)).ToString(),
                    8 => new string((char)('a' + Below(26)), 1 + Below(3)),
                    _ => char.ConvertFromUtf32(0x1F300 + Below(0x400)),
                };
                int times = Below(40) switch { 0 => 3 + Below(200), < 6 => 2 + Below(3), _ => 1 };
                for (int k = 0; k < times; k++)
                {
                    text.Append(piece);
                }

                text.Append(Below(3) == 0 ? " " : "");
            }

            return text.ToString();
        }

        private int Below(int bound) => random.Below(bound, drawn++);
    }
}
