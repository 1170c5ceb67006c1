using System.Globalization;
using Ulmfit.Text;

namespace ServingBenchmark;

/// <summary>Texts of exactly so many tokens as the product's tokenizer counts them, the one that begins every text included.</summary>
internal sealed class TextsOfLength
{
    private const int MostWords = 4000;

    private readonly Tokenizer tokenizer = new();
    private readonly Vocabulary vocabulary;
    private readonly string[] words;

    /// <summary>Makes texts of a vocabulary's frequent words.</summary>
    public TextsOfLength(Vocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        words =
        [
            .. vocabulary.Tokens.Skip(SpecialTokens.Count)
                .Where(word => word.Length is >= 2 and <= 12 && word.All(char.IsAsciiLetterLower) && tokenizer.Tokenize(word).Count == 2)
                .Take(MostWords),
        ];
        if (words.Length < 2)
        {
            throw new ArgumentException("The vocabulary has no words to make texts of.", nameof(vocabulary));
        }
    }

    /// <summary>Makes texts, the same for the same arguments.</summary>
    /// <param name="tokens">Tokens of each.</param>
    /// <param name="count">How many texts.</param>
    /// <exception cref="InvalidOperationException">No such text is found.</exception>
    public IReadOnlyList<string> Make(int tokens, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1);
        var texts = new string[count];
        uint state = (uint)tokens;
        for (int i = 0; i < count; i++)
        {
            const int Attempts = 100;
            for (int attempt = 0; texts[i] is null; attempt++)
            {
                // Neighbours may make one token of two words, or three ("cannot"): then other words are taken.
                string text = string.Join(' ', Enumerable.Range(0, tokens - 1).Select(_ => words[Next(words.Length)]));
                if (Count(text) == tokens)
                {
                    texts[i] = text;
                }
                else if (attempt == Attempts)
                {
                    throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"No text of {tokens} tokens was found."));
                }
            }
        }
        return texts;

        // Knuth and Lewis' generator: the order of the words is to be the same everywhere, no more.
        int Next(int below) => (int)(((state = (state * 1_664_525) + 1_013_904_223) >> 8) % (uint)below);
    }

    /// <summary>The tokens of a text.</summary>
    public int Count(string text) => Ids(text).Length;

    /// <summary>The ids of a text's tokens.</summary>
    public int[] Ids(string text)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, vocabulary, ids);
        return [.. ids];
    }
}
