using System.Text;
using Ulmfit.Model;

namespace Ulmfit.Tests.Text;

/// <summary>Fragments, letters and any UTF-16 units, in words and runs of all lengths.</summary>
internal sealed class RandomText(ulong seed)
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
