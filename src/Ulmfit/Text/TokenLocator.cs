using System.Globalization;

namespace Ulmfit.Text;

/// <summary>
/// Finds the places of a text's tokens. It follows the tokenizer's steps from the text to the tokens that it gave, and decides nothing
/// anew: cleaning says itself where its characters come from, a repetition tells its length, and what a word was split into has the word's
/// characters one for one.
/// </summary>
internal static class TokenLocator
{
    private const char RepetitionStand = (char)(CharacterClasses.SpecialBase + SpecialTokens.CharacterRepetitionId);

    /// <summary>The places.</summary>
    /// <param name="text">The text.</param>
    /// <param name="tokens">Its tokens.</param>
    internal static List<LocatedWord> Locate(ReadOnlySpan<char> text, IReadOnlyList<string> tokens)
    {
        var origins = new List<TextRange>(text.Length);
        var cleaned = new TextBuffer(text.Length);
        var replaced = new TextBuffer(0);
        try
        {
            TextCleaner.Clean(text, ref cleaned, origins);
            return CharacterRepetition.Replace(cleaned.Written, ref replaced)
                ? Follow(replaced.Written, OriginsOfReplaced(replaced.Written, origins), tokens)
                : Follow(cleaned.Written, origins, tokens);
        }
        finally
        {
            cleaned.Dispose();
            replaced.Dispose();
        }
    }

    /// <summary>Where the characters of <c> xxrep n c </c> come from: all of them from the whole run; the others from where they came from.</summary>
    private static List<TextRange> OriginsOfReplaced(ReadOnlySpan<char> text, List<TextRange> cleaned)
    {
        var origins = new List<TextRange>(text.Length);
        int from = 0;
        int i = 0;
        while (i < text.Length)
        {
            if (text[i] != ' ' || i + 1 == text.Length || text[i + 1] != RepetitionStand)
            {
                origins.Add(cleaned[from++]);
                i++;
                continue;
            }

            int number = i + 3;
            int repeated = number + text[number..].IndexOf(' ') + 1;
            int count = int.Parse(text[number..(repeated - 1)], NumberStyles.None, CultureInfo.InvariantCulture);
            int size = char.IsHighSurrogate(text[repeated]) ? 2 : 1;
            int behind = from + (count * size);
            var run = new TextRange(cleaned[from].Start, cleaned[behind - 1].End);
            for (int end = repeated + size + 1; i < end; i++)
            {
                origins.Add(run);
            }

            from = behind;
        }

        return origins;
    }

    /// <summary>Goes through text and tokens side by side.</summary>
    private static List<LocatedWord> Follow(ReadOnlySpan<char> text, List<TextRange> origins, IReadOnlyList<string> tokens)
    {
        var words = new List<LocatedWord>(tokens.Count);
        int i = 0;
        int first = 1;
        int token = 1;
        while (token < tokens.Count)
        {
            int space = i;
            i = SkipSpace(text, i);
            switch (tokens[token])
            {
                case "\n" or "\n\n":
                    int begin = space + text[space..i].IndexOf('\n');
                    int last = space + text[space..i].LastIndexOf('\n');
                    Add(words, origins, begin, last + 1, first, token + 1 - first);
                    break;

                case "xxmaj" or "xxup":
                    // With the token that follows.
                    token++;
                    continue;

                case "xxwrep":
                    int start = i;
                    int count = int.Parse(tokens[token + 1], NumberStyles.None, CultureInfo.InvariantCulture);
                    int end = start;
                    while (end < text.Length && text[end] > ' ')
                    {
                        end++;
                    }

                    token++;
                    while (i < end)
                    {
                        i += LengthOf(tokens[++token], text, i);
                    }

                    for (int again = 1; again < count; again++)
                    {
                        i = SkipSpace(text, i) + end - start;
                    }

                    Add(words, origins, start, i, first, token + 1 - first);
                    break;

                default:
                    int length = LengthOf(tokens[token], text, i);
                    Add(words, origins, i, i + length, first, token + 1 - first);
                    i += length;
                    break;
            }

            token++;
            first = token;
        }

        return SkipSpace(text, i) == text.Length && first == token
            ? words
            : throw new InvalidOperationException($"The tokens are those of another text: character {i} is left.");
    }

    private static int LengthOf(string token, ReadOnlySpan<char> text, int i) =>
        token is "xxmaj" or "xxup" ? 0
        : i < text.Length && text[i] - CharacterClasses.SpecialBase is int id and >= 0 && id < SpecialTokens.Count ? 1
        : token.Length;

    private static int SkipSpace(ReadOnlySpan<char> text, int i)
    {
        while (i < text.Length && text[i] <= ' ')
        {
            i++;
        }

        return i;
    }

    private static void Add(List<LocatedWord> words, List<TextRange> origins, int begin, int end, int firstToken, int tokens)
    {
        int start = origins[begin].Start;
        int behind = origins[end - 1].End;
        if (words.Count > 0 && words[^1] is var before && start < before.End)
        {
            // Both come from one place of the text.
            words[^1] = before with { End = Math.Max(before.End, behind), TokenCount = firstToken + tokens - before.FirstToken };
            return;
        }

        words.Add(new LocatedWord(start, behind, firstToken, tokens));
    }
}

/// <summary>A part of a text.</summary>
internal readonly record struct TextRange(int Start, int End);
