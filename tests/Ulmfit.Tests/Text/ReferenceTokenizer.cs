using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

/// <summary>
/// The rules of <see cref="Tokenizer"/> written down once more, for reading and not for speed: a string goes in and a new
/// one comes out of each rule, nothing is remembered from word to word. Only the tables are shared with the product: the
/// classes of characters and the list of exceptions.
/// </summary>
internal static class ReferenceTokenizer
{
    private const string Windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ";

    private static readonly HashSet<string> Units =
    [
        .. """
        km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz kmh mph mbar mb kb gb tb %
        км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг мбар кб мб гб тб كم كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ غرام جرام جم كغ ملغ كوب اكواب
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
    ];

    internal static List<string> Tokenize(string text)
    {
        var tokens = new List<string> { "xxbos" };
        Words(ReplaceRepeatedCharacters(Clean(text)), tokens);
        return tokens;
    }

    private static string Clean(string text)
    {
        var output = new StringBuilder();
        for (int i = 0; i < text.Length;)
        {
            string rest = text[i..Math.Min(text.Length, i + 8)];
            if (rest.StartsWith("...", StringComparison.Ordinal))
            {
                output.Append(" …");
                i += 3;
            }
            else if (rest[0] == ';')
            {
                CloseEntity(output);
                i++;
            }
            else if (rest.StartsWith("\\n", StringComparison.Ordinal) || rest.StartsWith("\\\"", StringComparison.Ordinal))
            {
                output.Append(rest[1] == 'n' ? '\n' : '"');
                i += 2;
            }
            else if (rest.StartsWith("<unk>", StringComparison.Ordinal))
            {
                output.Append(' ').Append(CharacterClasses.SpecialBase).Append(' ');
                i += 5;
            }
            else if (Regex.Match(rest, "^<[bB][rR]( /|/|)>") is { Success: true } tag)
            {
                output.Append('\n');
                i += tag.Length;
            }
            else if (Regex.IsMatch(rest, "^@[.,-]@ ") && output.Length > 0 && output[^1] == ' ')
            {
                output.Length--;
                output.Append(rest[1]);
                i += 4;
            }
            else if (rest[0] == '\r')
            {
                output.Append('\n');
                i += rest.StartsWith("\r\n", StringComparison.Ordinal) ? 2 : 1;
            }
            else
            {
                bool valid = Rune.TryGetRuneAt(text, i, out Rune rune);
                AppendClean(valid ? rune : Rune.ReplacementChar, output);
                i += valid ? rune.Utf16SequenceLength : 1;
            }
        }

        return output.ToString();
    }

    private static void AppendClean(Rune rune, StringBuilder output)
    {
        if (rune.Value is >= 0x80 and <= 0x9F)
        {
            rune = new Rune(Windows1252[rune.Value - 0x80]);
        }

        CharacterClass kind = ClassOf(rune.ToString());
        if (rune.Value is '\n' or 0x2028 or 0x2029)
        {
            output.Append('\n');
        }
        else if ((rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF)
        {
            output.Append('\uFFFD');
        }
        else if (kind.HasFlag(CharacterClass.Space))
        {
            output.Append(' ');
        }
        else if (!kind.HasFlag(CharacterClass.Ignored))
        {
            output.Append(rune.ToString());
        }
    }

    private static void CloseEntity(StringBuilder output)
    {
        string written = output.ToString(Math.Max(0, output.Length - 33), Math.Min(33, output.Length));
        string name = Regex.Match(written[Math.Max(0, written.Length - 32)..], "[A-Za-z0-9#]*$").Value;
        bool ampersand = written.Length > name.Length && written[^(name.Length + 1)] == '&';
        string? bare = name switch { "#39" or "#146" or "quot" => "'", "amp" => "&", "nbsp" => " ", "#36" => "$", _ => null };
        int hash = name.LastIndexOf('#');
        if (bare is not null)
        {
            output.Length -= name.Length + (ampersand ? 1 : 0);
            output.Append(bare);
        }
        else if (hash > 0 && name[hash..] is "#39" or "#146" or "#36")
        {
            output.Length -= name.Length - hash;
            output.Append(name[hash..] == "#36" ? '$' : '\'');
        }
        else if (ampersand && Decode(name) is { } decoded)
        {
            output.Length -= name.Length + 1;
            foreach (Rune rune in decoded.EnumerateRunes())
            {
                AppendClean(rune, output);
            }
        }
        else
        {
            output.Append(';');
        }
    }

    private static string? Decode(string name)
    {
        if (name.StartsWith('#'))
        {
            bool hexadecimal = name.Length > 1 && name[1] is 'x' or 'X';
            return uint.TryParse(name[(hexadecimal ? 2 : 1)..], hexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out uint value)
                ? (value != 0 && Rune.IsValid(value) ? new Rune(value) : Rune.ReplacementChar).ToString()
                : null;
        }

        string decoded = WebUtility.HtmlDecode($"&{name};");
        return decoded == $"&{name};" ? null : decoded;
    }

    private static string ReplaceRepeatedCharacters(string text)
    {
        string[] runes = [.. text.EnumerateRunes().Select(rune => rune.ToString())];
        var output = new StringBuilder();
        for (int i = 0; i < runes.Length;)
        {
            int end = i;
            while (end < runes.Length && runes[end] == runes[i])
            {
                end++;
            }

            int count = end - i;
            bool clings = end < runes.Length && (ClassOf(runes[end]).HasFlag(CharacterClass.Mark) || CharacterClasses.IsSkinTone(Rune.GetRuneAt(runes[end], 0)));
            int replaced = (ClassOf(runes[i]) & (CharacterClass.Space | CharacterClass.Mark)) != 0 ? 0 : clings && count >= 3 ? count - 1 : count;
            if (replaced >= 3)
            {
                output.Append(CultureInfo.InvariantCulture, $" {Stand(SpecialTokens.CharacterRepetitionId)} {replaced} {runes[i]} ");
                i += replaced;
            }

            for (; i < end; i++)
            {
                output.Append(runes[i]);
            }
        }

        return output.ToString();
    }

    private static void Words(string text, List<string> tokens)
    {
        bool any = false;
        int usedSpace = 0;
        for (int i = 0; ;)
        {
            int spaces = LengthOf(text, i, c => IsSpace(c));
            string space = text.Substring(i, spaces);
            i += spaces;
            if (i == text.Length)
            {
                return;
            }

            int start = i;
            string word = text.Substring(i, LengthOf(text, i, c => !IsSpace(c)));
            i += word.Length;
            int lines = space.Count(c => c == '\n');
            int count = 1;
            if (word.All(c => CharacterClasses.Of(c).HasFlag(CharacterClass.Word)) && (start == 0 || spaces > usedSpace))
            {
                count = Repetitions(text, word, i, out int end);
                if (count >= 3)
                {
                    i = end;
                    lines -= space.EndsWith('\n') ? 1 : 0;
                }
            }

            usedSpace = count >= 3 ? 1 : 0;
            if (lines > 0 && any)
            {
                tokens.Add(lines == 1 ? "\n" : "\n\n");
            }

            any = true;
            if (count >= 3)
            {
                tokens.Add("xxwrep");
                tokens.Add(count.ToString(CultureInfo.InvariantCulture));
            }

            foreach (string part in Regex.Split(word, @"([/#\\])"))
            {
                if (part is "/" or "#" or "\\")
                {
                    tokens.Add(part);
                }
                else if (part.Length > 0)
                {
                    Part(part, tokens);
                }
            }
        }
    }

    private static int Repetitions(string text, string word, int behind, out int end)
    {
        int count = 1;
        end = behind;
        while (true)
        {
            int spaces = LengthOf(text, end, IsSpace);
            int next = end + spaces + word.Length;
            if (spaces == 0 || next > text.Length || text.Substring(end + spaces, word.Length) != word || ClassAt(text, next).HasFlag(CharacterClass.Word))
            {
                return count;
            }

            count++;
            end = next;
            if (next < text.Length && !ClassAt(text, next).HasFlag(CharacterClass.Space))
            {
                return count;
            }
        }
    }

    private static void Part(string part, List<string> tokens)
    {
        for (int id = 0; id < SpecialTokens.Count; id++)
        {
            if (part == Stand(id))
            {
                tokens.Add(SpecialTokens.All[id]);
                return;
            }
        }

        CharacterClass[] kinds = [.. part.EnumerateRunes().Select(rune => ClassOf(rune.ToString()))];
        bool lower = kinds.Skip(1).Any(kind => kind.HasFlag(CharacterClass.Lower));
        bool upper = kinds.Skip(1).Any(kind => kind.HasFlag(CharacterClass.Upper));
        if (kinds[0].HasFlag(CharacterClass.Upper) && kinds.Skip(1).Any(kind => !kind.HasFlag(CharacterClass.Mark)) && !(lower && upper))
        {
            tokens.Add(lower ? "xxmaj" : "xxup");
        }

        var folded = new char[part.Length];
        CharacterClasses.ToLower(part, folded);
        string small = new(folded);
        int begin = 0;
        foreach (int end in new Splitter(part, small).Split())
        {
            string token = small[begin..end];
            if (SpecialTokens.All.Contains(token) || token == SpecialTokens.Filler)
            {
                tokens.Add("xx");
                token = token[2..];
            }

            tokens.Add(token);
            begin = end;
        }
    }

    private static string Stand(int id) => ((char)(CharacterClasses.SpecialBase + id)).ToString();

    private static bool IsSpace(char c) => CharacterClasses.Of(c).HasFlag(CharacterClass.Space);

    private static int LengthOf(string text, int start, Func<char, bool> holds)
    {
        int end = start;
        while (end < text.Length && holds(text[end]))
        {
            end++;
        }

        return end - start;
    }

    private static CharacterClass ClassOf(string rune) => CharacterClasses.At(rune, 0, out _);

    private static CharacterClass ClassAt(string text, int index) => index < text.Length ? CharacterClasses.At(text, index, out _) : CharacterClass.None;

    /// <summary>Splits one word as spaCy does; indices are those of the word.</summary>
    private sealed class Splitter(string word, string small)
    {
        private readonly List<int> ends = [];

        internal List<int> Split()
        {
            if (Exception(0, word.Length) is { } lengths)
            {
                Add(0, lengths);
                return ends;
            }

            int segment = 0;
            for (int i = 0; i < word.Length;)
            {
                CharacterClass kind = CharacterClasses.At(word, i, out int length);
                if ((kind & (CharacterClass.Icon | CharacterClass.Solo)) == 0)
                {
                    i += length;
                    continue;
                }

                Segment(segment, i);
                i = segment = EndOfCluster(i, length, kind);
                ends.Add(i);
            }

            Segment(segment, word.Length);
            Join();
            return ends;
        }

        private void Add(int start, byte[] lengths)
        {
            foreach (byte length in lengths)
            {
                start += length;
                ends.Add(start);
            }
        }

        private byte[]? Exception(int low, int high) =>
            high - low <= SplitExceptions.MaximumLength && SplitExceptions.TryGet(word.AsSpan(low, high - low), small.AsSpan(low, high - low), out byte[]? lengths) ? lengths : null;

        private bool IsListed(int low, int high) => Exception(low, high) is not null || IsInitials(word[low..high]);

        private static bool IsInitials(string part) =>
            part.Length is >= 4 and <= 24 && part.Length % 2 == 0
            && part.Where((_, i) => i % 2 == 1).All(c => c == '.')
            && part.Where((_, i) => i % 2 == 0).All(c => CharacterClasses.Of(c).HasFlag(CharacterClass.Letter));

        private int EndOfCluster(int start, int length, CharacterClass kind)
        {
            int end = start + length;
            if (RuneAt(start) is { } first && CharacterClasses.IsRegionalIndicator(first) && RuneAt(end) is { } second && CharacterClasses.IsRegionalIndicator(second))
            {
                end += 2;
            }

            while (end < word.Length)
            {
                CharacterClass next = CharacterClasses.At(word, end, out int size);
                bool joins = next.HasFlag(CharacterClass.Mark)
                    || (RuneAt(end) is { } rune && CharacterClasses.IsSkinTone(rune))
                    || (word[end - 1] == '\u200D' && (kind & next).HasFlag(CharacterClass.Icon));
                if (!joins)
                {
                    break;
                }

                end += size;
            }

            return end;
        }

        private Rune? RuneAt(int index) => Rune.TryGetRuneAt(index < word.Length ? word : " ", index < word.Length ? index : 0, out Rune rune) ? rune : null;

        private void Segment(int low, int high)
        {
            if (low == high)
            {
                return;
            }

            if (IsDegree(low, high))
            {
                ends.Add(low + 1);
                ends.Add(high);
                return;
            }

            var suffixes = new Stack<int>();
            bool listed = false;
            while (low < high && !(listed = IsListed(low, high)))
            {
                int prefix = Prefix(low, high);
                if (prefix > 0 && low + prefix < high && IsListed(low + prefix, high))
                {
                    low += prefix;
                    ends.Add(low);
                    listed = true;
                    break;
                }

                int suffix = Suffix(low + prefix, high);
                if (suffix > 0 && high - suffix > low && IsListed(low, high - suffix))
                {
                    suffixes.Push(high);
                    high -= suffix;
                    listed = true;
                    break;
                }

                if (prefix == 0 && suffix == 0)
                {
                    break;
                }

                low += prefix;
                if (prefix > 0)
                {
                    ends.Add(low);
                }

                if (suffix > 0)
                {
                    suffixes.Push(high);
                    high -= suffix;
                }
            }

            if (low < high)
            {
                if (!listed)
                {
                    Infixes(low, high);
                }
                else
                {
                    Add(low, Exception(low, high) ?? [(byte)(high - low)]);
                }
            }

            ends.AddRange(suffixes);
        }

        private bool IsDegree(int low, int high) =>
            high - low == 2 && high <= word.Length && low > 0 && word[low - 1] == '°' && small[low] is 'c' or 'f' or 'k' && word[low + 1] == '.';

        private int Prefix(int low, int high)
        {
            string part = word[low..high];
            CharacterClass kind = CharacterClasses.Of(part[0]);
            int length =
                (kind & (CharacterClass.Punctuation | CharacterClass.Quote | CharacterClass.Currency)) != 0 || part[0] is '§' or '%' or '=' or '—' or '–' ? 1
                : part[0] == '+' ? (part.Length == 1 || !char.IsAsciiDigit(part[1]) ? 1 : 0)
                : part.StartsWith("..", StringComparison.Ordinal) ? LengthOf(part, 0, c => c == '.')
                : part.StartsWith("US$", StringComparison.Ordinal) ? 3
                : part.StartsWith("C$", StringComparison.Ordinal) || part.StartsWith("A$", StringComparison.Ordinal) ? 2
                : 0;
            return MarkAt(low + length, high) ? 0 : length;
        }

        private bool MarkAt(int index, int high) => index < high && ClassAt(word, index).HasFlag(CharacterClass.Mark);

        private int Suffix(int low, int high)
        {
            if (low >= high)
            {
                return 0;
            }

            string part = word[low..high];
            char last = part[^1];
            CharacterClass kind = CharacterClasses.Of(last);
            bool afterDigit = part.Length >= 2 && char.IsAsciiDigit(part[^2]);
            if (Regex.IsMatch(part, @"['’][sS]\z"))
            {
                return 2;
            }

            if ((kind & (CharacterClass.Punctuation | CharacterClass.Quote)) != 0 || last is '—' or '–')
            {
                return 1;
            }

            if (last == '.')
            {
                return Periods(part);
            }

            if (last == '+' || kind.HasFlag(CharacterClass.Currency))
            {
                return afterDigit ? 1 : 0;
            }

            // A unit of up to five characters, the last of which is no digit, right behind a digit.
            Match unit = Regex.Match(part, @"[0-9]([^0-9]{1,5})\z");
            return unit.Success && Units.Contains(small[(high - unit.Groups[1].Length)..high]) ? unit.Groups[1].Length : 0;
        }

        private static int Periods(string part)
        {
            int periods = part.Reverse().TakeWhile(c => c == '.').Count();
            if (periods >= 2 || part.Length < 2)
            {
                return periods >= 2 ? periods : 0;
            }

            CharacterClass before = CharacterClasses.Before(part, part.Length - 1);
            if ((before & (CharacterClass.Digit | CharacterClass.Punctuation | CharacterClass.Quote)) != 0
                || CharacterClasses.IsLowerOrUncased(before) || part[^2] is '%' or '²' or '-' or '+' or '|')
            {
                return 1;
            }

            if (!before.HasFlag(CharacterClass.Upper))
            {
                return 0;
            }

            CharacterClass earlier = CharacterClasses.Before(part, part.Length - 1 - (char.IsLowSurrogate(part[^2]) ? 2 : 1));
            return CharacterClasses.IsAlphabetic(earlier) || earlier.HasFlag(CharacterClass.Digit) ? 1 : 0;
        }

        private void Infixes(int low, int high)
        {
            int start = low;
            for (int i = low + 1; i < high;)
            {
                int length = Infix(low, i, high);
                if (length == 0)
                {
                    i++;
                    continue;
                }

                if (start == low && IsAddress(low, high))
                {
                    break;
                }

                if (i > start)
                {
                    ends.Add(i);
                }

                i += length;
                ends.Add(i);
                start = i;
            }

            if (start < high)
            {
                ends.Add(high);
            }
        }

        private int Infix(int low, int i, int high)
        {
            string until = word[..high];
            char c = word[i];
            CharacterClass before = CharacterClasses.Before(until, i);
            bool wordBefore = CharacterClasses.IsAlphabetic(before) || before.HasFlag(CharacterClass.Digit);
            bool digitsRound = char.IsAsciiDigit(word[i - 1]) && i + 1 < high && (char.IsAsciiDigit(word[i + 1]) || word[i + 1] == '-');
            bool LetterAt(int index) => ClassAt(until, index).HasFlag(CharacterClass.Letter);
            switch (c)
            {
                case '…':
                    return MarkAt(i + 1, high) ? 0 : 1;
                case '.' when i + 1 < high && word[i + 1] == '.':
                    return LengthOf(until, i, d => d == '.');
                case '.':
                    CharacterClass inside = CharacterClasses.Before(until.AsSpan(low), i - low);
                    CharacterClass after = ClassAt(until, i + 1);
                    return (CharacterClasses.IsLowerOrUncased(inside) || inside.HasFlag(CharacterClass.Quote))
                        && (CharacterClasses.IsUpperOrUncased(after) || after.HasFlag(CharacterClass.Quote)) ? 1 : 0;
                case '+' or '*' or '^':
                    return digitsRound ? 1 : 0;
                case ',':
                    return CharacterClasses.IsAlphabetic(before) && LetterAt(i + 1) ? 1 : 0;
                case ':' or '<' or '>' or '=' or '–' or '~':
                    return wordBefore && LetterAt(i + 1) ? 1 : 0;
                case '-' when digitsRound:
                    return 1;
                case '-' or '—':
                    int run = LengthOf(until, i, d => d == c);
                    return run <= (c == '-' ? 3 : 2) && wordBefore && LetterAt(i + run) ? run : 0;
                default:
                    return 0;
            }
        }

        private bool IsAddress(int low, int high)
        {
            int at = word[low..high].LastIndexOf('@');
            return at != 0 && IsHost(at < 0 ? word[low..high] : small[(low + at + 1)..high]);
        }

        private static bool IsHost(string text)
        {
            Match match = Regex.Match(text, @"\A(?<host>[^:?]*)(:[0-9]{2,5}(\?.*)?|\?.*)?\z", RegexOptions.Singleline);
            string[] labels = match.Groups["host"].Value.Split('.');
            return match.Success && labels.Length >= 2
                && labels[..^1].All(label => label.Length is > 0 and <= 64 && IsHostCharacter(label[0]) && IsHostCharacter(label[^1])
                    && label.All(c => IsHostCharacter(c) || c is '-' or '_'))
                && labels[^1].Length is >= 2 and <= 63 && labels[^1].All(c => CharacterClasses.IsLowerOrUncased(CharacterClasses.Of(c)));
        }

        private static bool IsHostCharacter(char c) => char.IsAsciiLetterOrDigit(c) || (c >= '\u00A1' && !char.IsSurrogate(c));

        private void Join()
        {
            var joined = new List<int>();
            int begin = 0;
            for (int i = 0; i < ends.Count;)
            {
                int last = i;
                for (int j = i + 1; j < ends.Count && ends[i] - begin <= 3 && !IsDegree(begin, begin + 2); j++)
                {
                    if (Exception(begin, ends[j]) is { Length: 1 })
                    {
                        last = j;
                    }
                }

                begin = ends[last];
                joined.Add(begin);
                i = last + 1;
            }

            ends.Clear();
            ends.AddRange(joined);
        }
    }
}
