using System.Globalization;

namespace Ulmfit.Text;

/// <summary>Receives the tokens of a text in order.</summary>
internal interface ITokenSink
{
    /// <summary>A token of the text; the span is valid during the call only.</summary>
    void Add(ReadOnlySpan<char> token);

    /// <summary>A special token.</summary>
    void AddSpecial(int id);
}

/// <summary>Applies the tokenizer's rules to one text and hands the tokens to a sink.</summary>
internal static class TokenScanner
{
    internal static void Scan<TSink>(ReadOnlySpan<char> text, ref TSink sink)
        where TSink : struct, ITokenSink
    {
        var cleaned = new TextBuffer(text.Length + (text.Length / 8));
        var replaced = new TextBuffer(0);
        try
        {
            TextCleaner.Clean(text, ref cleaned);
            replaced.EnsureCapacity(cleaned.Count);
            ReadOnlySpan<char> rules = CharacterRepetition.Replace(cleaned.Written, ref replaced)
                ? replaced.Written
                : cleaned.Written;
            var words = new WordScanner<TSink>(rules);
            words.Scan(ref sink);
        }
        finally
        {
            cleaned.Dispose();
            replaced.Dispose();
        }
    }
}

/// <summary>From the text with its repeated characters replaced on: repeated words, signs apart, case, splitting.</summary>
internal readonly ref struct WordScanner<TSink>
    where TSink : struct, ITokenSink
{
    private readonly ReadOnlySpan<char> _text;
    private readonly SplitterScratch _scratch = new();

    internal WordScanner(ReadOnlySpan<char> text)
    {
        _text = text;
    }

    internal void Scan(ref TSink sink)
    {
        ReadOnlySpan<char> text = _text;
        sink.AddSpecial(SpecialTokens.BeginningId);
        bool any = false;
        int i = 0;

        // A white space that ended a run of repeated words is used up: it cannot begin the next run as well.
        int usedSpace = 0;
        Span<char> digits = stackalloc char[11];
        while (true)
        {
            int lines = 0;
            int spaceStart = i;
            while (i < text.Length && (CharacterClasses.Of(text[i]) & CharacterClass.Space) != 0)
            {
                lines += text[i] == '\n' ? 1 : 0;
                i++;
            }

            if (i == text.Length)
            {
                return;
            }

            int start = i;
            CharacterClass classes = CharacterClass.None;
            CharacterClass common = (CharacterClass)ushort.MaxValue;
            while (i < text.Length)
            {
                CharacterClass kind = CharacterClasses.Of(text[i]);
                if ((kind & CharacterClass.Space) != 0)
                {
                    break;
                }

                classes |= kind;
                common &= kind;
                i++;
            }

            ReadOnlySpan<char> word = text[start..i];
            bool mayRepeat = (common & CharacterClass.Word) != 0 && (start == 0 || start - spaceStart > usedSpace);
            usedSpace = 0;
            int count = 1;
            if (mayRepeat && (count = CountRepetitions(start, i, out int end)) >= 3)
            {
                // The rule takes the one white space before the run with it, a line end too.
                lines -= start > 0 && text[start - 1] == '\n' ? 1 : 0;
                i = end;
                usedSpace = 1;
            }

            if (lines > 0 && any)
            {
                sink.Add(lines == 1 ? "\n" : "\n\n");
            }

            any = true;
            if (count >= 3)
            {
                sink.AddSpecial(SpecialTokens.WordRepetitionId);
                count.TryFormat(digits, out int length, provider: CultureInfo.InvariantCulture);
                sink.Add(digits[..length]);
            }

            Word(word, classes, common, ref sink);
        }
    }

    /// <summary>How often the word stands in a row; <paramref name="end"/> is behind the last one.</summary>
    private int CountRepetitions(int start, int wordEnd, out int end)
    {
        ReadOnlySpan<char> word = _text[start..wordEnd];
        int count = 1;
        end = wordEnd;
        while (true)
        {
            int i = end;
            while (i < _text.Length && (CharacterClasses.Of(_text[i]) & CharacterClass.Space) != 0)
            {
                i++;
            }

            if (i == end || !_text[i..].StartsWith(word))
            {
                return count;
            }

            int next = i + word.Length;
            CharacterClass follower = CharacterClasses.After(_text, next);
            if ((follower & CharacterClass.Word) != 0)
            {
                return count;
            }

            count++;
            end = next;
            if (next < _text.Length && (follower & CharacterClass.Space) == 0)
            {
                return count;
            }
        }
    }

    /// <param name="word">What stands between white space.</param>
    /// <param name="classes">The classes that any of its characters has.</param>
    /// <param name="common">The classes that all of its characters have.</param>
    /// <param name="sink">Receives the tokens.</param>
    /// <summary>What stands between white space: / # \ are tokens of their own, each part between has its own case.</summary>
    private void Word(ReadOnlySpan<char> word, CharacterClass classes, CharacterClass common, ref TSink sink)
    {
        if ((classes & CharacterClass.Apart) == 0)
        {
            Part(word, classes, common, ref sink);
            return;
        }

        while (!word.IsEmpty)
        {
            int apart = word.IndexOfAny('/', '#', '\\');
            ReadOnlySpan<char> part = apart < 0 ? word : word[..apart];
            if (!part.IsEmpty)
            {
                CharacterClass kinds = CharacterClass.None;
                CharacterClass shared = (CharacterClass)ushort.MaxValue;
                foreach (char c in part)
                {
                    kinds |= CharacterClasses.Of(c);
                    shared &= CharacterClasses.Of(c);
                }

                Part(part, kinds, shared, ref sink);
            }

            if (apart < 0)
            {
                return;
            }

            sink.Add(word.Slice(apart, 1));
            word = word[(apart + 1)..];
        }
    }

    private void Part(ReadOnlySpan<char> part, CharacterClass classes, CharacterClass common, ref TSink sink)
    {
        if (part.Length == 1 && part[0] - CharacterClasses.SpecialBase is int id and >= 0
            && id < SpecialTokens.Count)
        {
            sink.AddSpecial(id);
            return;
        }

        ReadOnlySpan<char> lower = part;

        // Of a surrogate pair, the scan above has seen the halves only, so any wide word is folded.
        if ((classes & (CharacterClass.Folds | CharacterClass.Wide)) != 0)
        {
            MarkCase(part, ref sink);
            Span<char> folded = _scratch.TakeFolded(part.Length);
            CharacterClasses.ToLower(part, folded);
            lower = folded;
        }

        List<int> ends = WordSplitter.Split(part, lower, classes, common, _scratch);
        int start = 0;
        foreach (int end in ends)
        {
            ReadOnlySpan<char> token = lower[start..end];
            if (SpecialTokens.IsReserved(token))
            {
                sink.Add(token[..2]);
                token = token[2..];
            }

            sink.Add(token);
            start = end;
        }
    }

    private static void MarkCase(ReadOnlySpan<char> part, ref TSink sink)
    {
        CharacterClass first = CharacterClasses.At(part, 0, out int i);
        if ((first & CharacterClass.Upper) == 0)
        {
            return;
        }

        int characters = 1;
        bool lower = false;
        bool upper = false;
        while (i < part.Length)
        {
            CharacterClass kind = CharacterClasses.At(part, i, out int length);
            lower |= (kind & CharacterClass.Lower) != 0;
            upper |= (kind & CharacterClass.Upper) != 0;
            characters += (kind & CharacterClass.Mark) == 0 ? 1 : 0;
            i += length;
        }

        if (characters > 1 && !(lower && upper))
        {
            sink.AddSpecial(lower ? SpecialTokens.CapitalisedId : SpecialTokens.AllCapitalsId);
        }
    }
}
