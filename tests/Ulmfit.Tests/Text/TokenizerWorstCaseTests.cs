using System.Diagnostics;
using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

/// <summary>No text costs much more than ordinary ones: time grows with its length alone, whatever it is made of.</summary>
public sealed class TokenizerWorstCaseTests
{
    private const int Length = 1 << 20;

    // The worst seen is a twelfth of the speed of ordinary text; what is quadratic is beyond a thousandth at this length.
    private const double MostTimesOrdinary = 50;

    private const string Ordinary =
        "The film wasn't bad at all, and Mr. Jones (who plays the $5 million thief) is great! It's well-made...<br /><br />I'd see it again. ";

    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "one character", "x" },
        { "one sign", "!" },
        { "spaces", " " },
        { "line ends", "\n" },
        { "carriage returns", "\r" },
        { "control characters", "\0" },
        { "one-letter words", "a " },
        { "two words in turn", "a b " },
        { "words twice in a row", "a a b b " },
        { "one word all the same but for its case", "no No " },
        { "long words that begin alike", new string('q', 2) + string.Concat(Enumerable.Repeat("ab", 500)) + " " },
        { "a long word of two letters", "ab" },
        { "repeated characters in turn", "aaabbb" },
        { "semicolons", ";" },
        { "ampersands", "&" },
        { "entities", "&lt;" },
        { "entities within entities", "&amp;" },
        { "ends of entities", "amp;" },
        { "numbered entities", "&#38;" },
        { "half entities", "#39" },
        { "unknown entities", "&abcdefghijklmnopqrstuvwxyz;" },
        { "tags", "<br>" },
        { "half tags", "<br " },
        { "marks of numbers", " @.@ " },
        { "full stops in pairs", "..x" },
        { "suffixes that are initials", "a.b." },
        { "capitals with full stops", "aB." },
        { "prefixes", "(" },
        { "suffixes", "'s" },
        { "emoticons", ":)" },
        { "emoticons within words", "o_o" },
        { "hyphens", "-a" },
        { "three hyphens", "a---" },
        { "commas", "a,b" },
        { "host names", "a.bc:" },
        { "addresses", "a@b.cd" },
        { "slashes", "/a" },
        { "digits and units", "5km" },
        { "money", "US$" },
        { "emoji", "👍🏽" },
        { "joined emoji", "👩\u200D" },
        { "flags", "🇩🇪" },
        { "lone surrogates", "\uD83D" },
        { "letters with marks", "e\u0301" },
        { "marks", "\u0301" },
        { "letters without spaces", "漢字" },
        { "invisible characters", "x\u00AD" },
        { "special tokens", "xxbos " },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Tokenize_HostileText_IsNotMuchSlowerThanOrdinaryText(string name, string unit)
    {
        string text = string.Concat(Enumerable.Repeat(unit, Length / unit.Length));
        string ordinary = string.Concat(Enumerable.Repeat(Ordinary, Length / Ordinary.Length));
        var tokenizer = new Tokenizer();
        var tokens = new List<string>();
        tokenizer.Tokenize(text, tokens);

        // Whatever else runs on the machine can only slow things down: one good attempt of several is proof.
        double times = double.PositiveInfinity;
        for (int attempt = 0; attempt < 10 && times > MostTimesOrdinary; attempt++)
        {
            times = Math.Min(times, Seconds(text) / Seconds(ordinary));
        }

        Assert.True(times <= MostTimesOrdinary, $"{name}: {times:F0} times as long as ordinary text");

        double Seconds(string what)
        {
            tokens.Clear();
            var watch = Stopwatch.StartNew();
            tokenizer.Tokenize(what, tokens);
            return watch.Elapsed.TotalSeconds;
        }
    }
}
