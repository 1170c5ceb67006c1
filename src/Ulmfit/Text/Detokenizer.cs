using System.Globalization;
using System.Text;

namespace Ulmfit.Text;

/// <summary>
/// Turns tokens back into a text to read: what <c>xxmaj</c>, <c>xxup</c>, <c>xxrep</c> and <c>xxwrep</c> stand for, spaces
/// where a writer sets them, no other special token. The <see cref="Tokenizer"/> forgets what the text looked like in
/// between, so this is a reading of the tokens; of usual prose it is the text that they came from.
/// </summary>
public static class Detokenizer
{
    /// <summary>A model may write any number behind <c>xxrep</c>; more is not written out.</summary>
    private const int MostRepetitions = 100;

    /// <summary>The text of tokens, in the order of reading. Any sequence of tokens gives a text.</summary>
    public static string ToText(IReadOnlyList<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var writer = new Writer(tokens);
        writer.Write();
        return writer.ToString();
    }

    private enum WordCase
    {
        None,
        Capitalised,
        AllCapitals,
    }

    private sealed class Writer(IReadOnlyList<string> tokens)
    {
        private readonly StringBuilder text = new();
        private WordCase nextCase;
        private bool inCapitals;
        private bool joinNext = true;
        private bool inDoubleQuotes;
        private bool inSingleQuotes;
        private string previous = "";

        public void Write()
        {
            for (int i = 0; i < tokens.Count; i++)
            {
                switch (tokens[i])
                {
                    case "xxmaj":
                        nextCase = WordCase.Capitalised;
                        break;
                    case "xxup":
                        nextCase = WordCase.AllCapitals;
                        break;
                    case "xxrep":
                        if (TryCount(i + 1, out int count) && i + 2 < tokens.Count && !SpecialTokens.IsReserved(tokens[i + 2]))
                        {
                            Word(string.Concat(Enumerable.Repeat(tokens[i + 2], count)), i + 3);
                            i += 2;
                        }

                        break;
                    case "xxwrep":
                        if (TryCount(i + 1, out count))
                        {
                            i = RepeatedWord(i + 2, count);
                        }

                        break;
                    case "xxunk":
                        Word("<unk>", i + 1);
                        break;
                    case "\n" or "\n\n":
                        text.Append(tokens[i]);
                        joinNext = true;
                        previous = "";
                        inDoubleQuotes = inSingleQuotes = false;
                        break;
                    case string token when !SpecialTokens.IsReserved(token):
                        Word(token, i + 1);
                        break;
                }
            }
        }

        public override string ToString() => text.ToString();

        /// <summary>A word and its case mark, so many times; answers the index of its last token.</summary>
        private int RepeatedWord(int at, int count)
        {
            WordCase mark = at < tokens.Count ? tokens[at] switch { "xxmaj" => WordCase.Capitalised, "xxup" => WordCase.AllCapitals, _ => WordCase.None } : WordCase.None;
            int word = mark == WordCase.None ? at : at + 1;
            if (word >= tokens.Count || SpecialTokens.IsReserved(tokens[word]))
            {
                return at - 1;
            }

            for (int i = 0; i < count; i++)
            {
                nextCase = mark;
                Word(tokens[word], word + 1);
            }

            return word;
        }

        private bool TryCount(int at, out int count)
        {
            count = 0;
            if (at >= tokens.Count || !int.TryParse(tokens[at], NumberStyles.None, CultureInfo.InvariantCulture, out count) || count < 2)
            {
                return false;
            }

            count = Math.Min(count, MostRepetitions);
            return true;
        }

        private void Word(string word, int next)
        {
            (bool joinsLeft, bool joinsRight) = JoinsOf(word, next);
            bool joined = joinNext || joinsLeft;
            bool alone = !joinsLeft && (text.Length == 0 || !(char.IsLetterOrDigit(text[^1]) || text[^1] is '-' or '/' or '\\') || !joined);
            if (!joined)
            {
                text.Append(' ');
            }

            inCapitals = nextCase == WordCase.AllCapitals || (inCapitals && joined && nextCase == WordCase.None);
            text.Append(
                inCapitals && word is not ("'s" or "’s") ? word.ToUpperInvariant()
                : nextCase == WordCase.Capitalised || (word == "i" && alone) ? Capitalised(word)
                : word);
            nextCase = WordCase.None;
            joinNext = joinsRight;
            previous = word;
        }

        private (bool Left, bool Right) JoinsOf(string word, int next)
        {
            switch (word)
            {
                case "\"":
                    inDoubleQuotes = !inDoubleQuotes;
                    return inDoubleQuotes ? (false, true) : (true, false);
                case "'":
                    if (inSingleQuotes)
                    {
                        inSingleQuotes = false;
                        return (true, false);
                    }

                    // "the dogs' bowls"; a word that ends otherwise is not followed by an apostrophe of its own.
                    if (previous.EndsWith('s') && !joinNext)
                    {
                        return (true, false);
                    }

                    inSingleQuotes = true;
                    return (false, true);
                case "``" or "“" or "‘" or "«" or "„" or "(" or "[" or "{" or "$" or "£" or "€" or "¥" or "#" or "¿" or "¡":
                    return (false, true);
                case "/" or "\\":
                    return (true, true);
                case "-" or "—" when EndsInLetter(previous) && next < tokens.Count && StartsWithLetter(tokens[next]) && !SpecialTokens.IsReserved(tokens[next]):
                    return (true, true);
                case "n't" or "n’t" or "'s" or "’s" or "'m" or "’m" or "'re" or "’re" or "'ve" or "’ve" or "'ll" or "’ll" or "'d" or "’d":
                    return (true, false);
                case "''" or "”" or "’" or "»" or "…" or ")" or "]" or "}" or "%" or "°":
                    return (true, false);
                case "not" when previous == "can":
                case "na" when previous is "gon" or "wan":
                case "ta" when previous == "got":
                    return (true, false);
                default:
                    return (IsPunctuation(word), false);
            }
        }

        private static bool IsPunctuation(string word) => word.All(c => c is '.' or ',' or ';' or ':' or '!' or '?');

        private static bool EndsInLetter(string word) => word.Length > 0 && char.IsLetter(word[^1]);

        private static bool StartsWithLetter(string word) => word.Length > 0 && char.IsLetter(word[0]);

        private static string Capitalised(string word) => Rune.DecodeFromUtf16(word, out Rune first, out int length) == System.Buffers.OperationStatus.Done
            ? Rune.ToUpperInvariant(first).ToString() + word[length..]
            : word;
    }
}
