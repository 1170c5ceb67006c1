using System.Globalization;
using System.Text;
using Ulmfit.Model;

namespace Ulmfit.Cli.Bench;

/// <summary>
/// Text for measuring the tokenizer where no file is at hand. It is no English, but asks of the tokenizer what English
/// reviews ask: words of a Zipf-like frequency, capitals, contractions, numbers, punctuation, HTML line breaks and
/// entities, words in capitals, repeated characters. The same text every time.
/// </summary>
internal static class MadeText
{
    private const int Words = 20_000;
    private const int WordsPerText = 230;

    private static readonly string[] Common =
    [
        "the", "a", "and", "of", "to", "is", "in", "it", "I", "this", "that", "was", "as", "for", "with", "but", "film", "on", "not", "you", "are", "his", "have",
        "be", "one", "he", "all", "at", "by", "an", "they", "so", "like", "who", "from", "or", "just", "about", "out", "has", "if", "there", "some", "good", "what",
        "more", "when", "very", "up", "no", "time", "even", "she", "my", "would", "which", "only", "story", "really", "see", "their", "had", "can", "were", "me",
    ];

    private static readonly string[] Syllables = ["ba", "con", "der", "ed", "fi", "gra", "ing", "ka", "lo", "men", "na", "or", "per", "qui", "re", "ston", "ta", "un", "ver", "wi"];
    private static readonly string[] Contracted = ["don't", "it's", "can't", "I'm", "they're", "wasn't", "he'd", "we'll", "that's", "you've"];
    private static readonly string[] Asides = ["<br /><br />", "&quot;", " ... ", " (1987) ", " 10/10 ", " -- ", " Mr. ", " U.S. ", " sooooo ", " GREAT ", " 3.5 ", "&amp; "];

    /// <summary>So many texts of some 1,200 characters.</summary>
    public static IReadOnlyList<string> Texts(int count)
    {
        var random = new Philox(new RandomKey(1, 0, 0, 0), RandomPurpose.Shuffle, layer: 2000);
        long drawn = 0;
        string[] rare = [.. Enumerable.Range(0, Words).Select(i => RareWord(i))];
        var texts = new string[count];
        for (int i = 0; i < count; i++)
        {
            var text = new StringBuilder();
            bool begins = true;
            for (int word = 0; word < WordsPerText; word++)
            {
                string next = random.Below(100, drawn++) switch
                {
                    < 50 => Common[random.Below(Common.Length, drawn++)],
                    < 94 => rare[(int)(rare.Length * Math.Pow(random.Uniform(drawn++), 3))],
                    < 97 => Contracted[random.Below(Contracted.Length, drawn++)],
                    < 99 => random.Below(2100, drawn++).ToString(CultureInfo.InvariantCulture),
                    _ => Asides[random.Below(Asides.Length, drawn++)],
                };
                text.Append(begins || random.Below(20, drawn++) == 0 ? char.ToUpperInvariant(next[0]) + next[1..] : next);
                int end = random.Below(30, drawn++);
                begins = end < 2;
                text.Append(end switch { 0 => ". ", 1 => "! ", 2 or 3 => ", ", 4 => "; ", 5 => "-", _ => " " });
            }

            texts[i] = text.ToString();
        }

        return texts;
    }

    private static string RareWord(int index)
    {
        var word = new StringBuilder();
        for (int left = index + Syllables.Length; left > 0; left /= Syllables.Length)
        {
            word.Append(Syllables[left % Syllables.Length]);
        }

        return word.ToString();
    }
}
