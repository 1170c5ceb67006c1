using System.Globalization;
using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>What a token is given out as: a number, which of a special token is its id.</summary>
internal interface ITokenForm
{
    /// <summary>The number of a token; the span is valid during the call only.</summary>
    int Of(ReadOnlySpan<char> token);
}

/// <summary>Applies the tokenizer's rules to one text after the other, for one thread at a time.</summary>
/// <param name="form">Numbers the tokens.</param>
/// <typeparam name="TForm">What numbers them.</typeparam>
internal sealed class TokenScanner<TForm>(TForm form)
    where TForm : struct, ITokenForm
{
    private readonly WordCache words = new();
    private readonly TokenBuffer tokens = new();
    private readonly SplitterScratch scratch = new();

    /// <summary>The tokens of a text, valid until the next call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal ReadOnlySpan<int> Scan(ReadOnlySpan<char> text)
    {
        tokens.Clear();
        var cleaned = new TextBuffer(text.Length + (text.Length / 8));
        var replaced = new TextBuffer(0);
        try
        {
            TextCleaner.Clean(text, ref cleaned);
            replaced.EnsureCapacity(cleaned.Count);
            ReadOnlySpan<char> rules = CharacterRepetition.Replace(cleaned.Written, ref replaced)
                ? replaced.Written
                : cleaned.Written;
            new WordScanner<TForm>(rules, form, words, tokens, scratch).Scan();
            return tokens.Written;
        }
        finally
        {
            cleaned.Dispose();
            replaced.Dispose();
        }
    }
}

/// <summary>
/// From the text with its repeated characters replaced on: repeated words, signs apart, case, splitting. The text is
/// clean, so that its only white space is ' ' and '\n' and nothing else lies at or below ' '.
/// </summary>
internal readonly ref struct WordScanner<TForm>
    where TForm : struct, ITokenForm
{
    private readonly ReadOnlySpan<char> text;
    private readonly TForm form;
    private readonly WordCache cache;
    private readonly TokenBuffer tokens;
    private readonly SplitterScratch scratch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal WordScanner(ReadOnlySpan<char> text, TForm form, WordCache cache, TokenBuffer tokens, SplitterScratch scratch)
    {
        this.text = text;
        this.form = form;
        this.cache = cache;
        this.tokens = tokens;
        this.scratch = scratch;
    }

    // A text's every character passes here: optimised from the first call on, or the first seconds of a process would
    // run unoptimised code.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Scan()
    {
        ReadOnlySpan<char> text = this.text;
        TokenBuffer tokens = this.tokens;
        WordCache cache = this.cache;
        tokens.Add(SpecialTokens.BeginningId);
        bool any = false;
        int i = 0;

        // A white space that ended a run of repeated words is used up: it cannot begin the next run as well.
        int usedSpace = 0;
        while (true)
        {
            int lines = 0;
            int spaceStart = i;
            while ((uint)i < (uint)text.Length && text[i] <= ' ')
            {
                lines += text[i] == '\n' ? 1 : 0;
                i++;
            }

            if (i == text.Length)
            {
                return;
            }

            int start = i;
            WordKey key = default;
            int all = 0;
            while ((uint)i < (uint)text.Length && text[i] > ' ')
            {
                key = key.With(text[i]);
                all |= text[i];
                i++;
            }

            ReadOnlySpan<char> word = text[start..i];
            int count = 1;
            int next = i;
            while ((uint)next < (uint)text.Length && text[next] <= ' ')
            {
                next++;
            }

            if ((uint)next < (uint)text.Length && text[next] == text[start]
                && (start == 0 || start - spaceStart > usedSpace)
                && (count = CountRepetitions(start, i, out int end)) >= 3)
            {
                // The rule takes the one white space before the run with it, a line end too.
                lines -= start > 0 && text[start - 1] == '\n' ? 1 : 0;
                i = end;
                usedSpace = 1;
            }
            else
            {
                usedSpace = 0;
            }

            if (lines > 0 && any)
            {
                tokens.Add(form.Of(lines == 1 ? "\n" : "\n\n"));
            }

            any = true;
            if (count >= 3)
            {
                MarkRepetition(count);
            }

            if (word.Length > WordCache.LongestWord || (all > '\u00FF' && !WordKey.TryOf(word, out key)))
            {
                Word(word);
                continue;
            }

            if (!cache.TryAppend(key, tokens))
            {
                int before = tokens.Count;
                Word(word);
                cache.Keep(key, tokens.Written[before..]);
            }
        }
    }

    private void MarkRepetition(int count)
    {
        Span<char> digits = stackalloc char[11];
        tokens.Add(SpecialTokens.WordRepetitionId);
        count.TryFormat(digits, out int length, provider: CultureInfo.InvariantCulture);
        tokens.Add(form.Of(digits[..length]));
    }

    /// <summary>
    /// How often the word stands in a row, 1 for a word with other signs than letters, digits and underscores;
    /// <paramref name="end"/> is behind the last one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int CountRepetitions(int start, int wordEnd, out int end)
    {
        ReadOnlySpan<char> word = text[start..wordEnd];
        int count = 1;
        end = wordEnd;
        while (true)
        {
            int i = end;
            while (i < text.Length && text[i] <= ' ')
            {
                i++;
            }

            if (i == end || !text[i..].StartsWith(word))
            {
                return count;
            }

            if (count == 1 && !IsOfWordCharacters(word))
            {
                return 1;
            }

            int next = i + word.Length;
            CharacterClass follower = CharacterClasses.After(text, next);
            if ((follower & CharacterClass.Word) != 0)
            {
                return count;
            }

            count++;
            end = next;
            if (next < text.Length && (follower & CharacterClass.Space) == 0)
            {
                return count;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool IsOfWordCharacters(ReadOnlySpan<char> word)
    {
        foreach (char c in word)
        {
            if ((CharacterClasses.Of(c) & CharacterClass.Word) == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What stands between white space and is not in the cache: / # \ are tokens of their own, each part between has its own case.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private void Word(ReadOnlySpan<char> word)
    {
        ReadOnlySpan<char> rest = word;
        while (!rest.IsEmpty)
        {
            CharacterClass classes = CharacterClass.None;
            CharacterClass common = (CharacterClass)ushort.MaxValue;
            int end = 0;
            while (end < rest.Length && CharacterClasses.Of(rest[end]) is var kind && (kind & CharacterClass.Apart) == 0)
            {
                classes |= kind;
                common &= kind;
                end++;
            }

            if (end > 0)
            {
                Part(rest[..end], classes, common);
            }

            if (end == rest.Length)
            {
                return;
            }

            tokens.Add(form.Of(rest.Slice(end, 1)));
            rest = rest[(end + 1)..];
        }
    }

    /// <param name="part">A word, or what of it stands between / # \.</param>
    /// <param name="classes">The classes that any of its characters has.</param>
    /// <param name="common">The classes that all of its characters have.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Part(ReadOnlySpan<char> part, CharacterClass classes, CharacterClass common)
    {
        if (part.Length == 1 && part[0] - CharacterClasses.SpecialBase is int id and >= 0
            && id < SpecialTokens.Count)
        {
            tokens.Add(id);
            return;
        }

        ReadOnlySpan<char> lower = part;

        // Of a surrogate pair, the scan above has seen the halves only, so any wide word is folded.
        if ((classes & (CharacterClass.Folds | CharacterClass.Wide)) != 0)
        {
            MarkCase(part);
            Span<char> folded = scratch.TakeFolded(part.Length);
            CharacterClasses.ToLower(part, folded);
            lower = folded;
        }

        List<int> ends = WordSplitter.Split(part, lower, classes, common, scratch);
        int start = 0;
        foreach (int end in ends)
        {
            ReadOnlySpan<char> token = lower[start..end];
            if (SpecialTokens.IsReserved(token))
            {
                tokens.Add(form.Of(token[..2]));
                token = token[2..];
            }

            tokens.Add(form.Of(token));
            start = end;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MarkCase(ReadOnlySpan<char> part)
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
            tokens.Add(lower ? SpecialTokens.CapitalisedId : SpecialTokens.AllCapitalsId);
        }
    }
}
