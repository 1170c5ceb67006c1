using System.Runtime.CompilerServices;
using System.Text;

namespace Ulmfit.Text;

/// <summary>
/// Splits a word without white space as spaCy's English tokenizer does: first what is listed in
/// <see cref="SplitExceptions"/>; else punctuation, quotes, currency and units come off both ends, one at a time, until
/// what is left is listed or has nothing to come off; that core is cut at infixes (ellipses, hyphens and commas between
/// letters, signs between digits, …) unless it is an e-mail address or host name; last, pieces side by side that spell an
/// emoticon are put together again.
/// <para>
/// Beyond spaCy: every symbol or emoji (with its joiners, modifiers and flags) and every letter of a script without
/// spaces is a token of its own, an abbreviation of single letters (<c>U.S.</c>, <c>e.g.</c>) is kept in small letters too,
/// and a mark is never parted from the character before it.
/// </para>
/// </summary>
internal ref struct WordSplitter
{
    private const int LongestUnit = 4;
    private const int LongestInitials = 24;
    private const int LongestFirstPieceOfEmoticon = 3;

    private const CharacterClass AffixClasses = CharacterClass.Punctuation | CharacterClass.Quote;

    private const string UnitList =
        """
        km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz kmh mph mbar mb kb gb tb %
        км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг мбар кб мб гб тб كم كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ غرام جرام جم كغ ملغ كوب اكواب
        """;

    private static readonly SpanMap<bool> Units = BuildUnits();

    private readonly ReadOnlySpan<char> original;
    private readonly ReadOnlySpan<char> lower;
    private readonly List<int> ends;
    private readonly List<int> suffixStarts;

    private WordSplitter(ReadOnlySpan<char> original, ReadOnlySpan<char> lower, SplitterScratch scratch)
    {
        this.original = original;
        this.lower = lower;
        ends = scratch.Ends;
        suffixStarts = scratch.SuffixStarts;
    }

    /// <summary>
    /// Finds where the tokens of a word end; they follow one another without gaps. The spans hold the same word in its own
    /// and in lower case, of equal length; the classes are those that any, and that all of its characters have. The answer
    /// is valid until the scratch is used again.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static List<int> Split(
        ReadOnlySpan<char> original, ReadOnlySpan<char> lower, CharacterClass classes, CharacterClass common, SplitterScratch scratch)
    {
        var splitter = new WordSplitter(original, lower, scratch);
        splitter.ends.Clear();
        if (splitter.TryException(0, lower.Length))
        {
            return splitter.ends;
        }

        bool plainLetters = (common & CharacterClass.Letter) != 0 && (classes & CharacterClass.Wide) == 0;
        if (plainLetters)
        {
            splitter.ends.Add(lower.Length);
            return splitter.ends;
        }

        if ((classes & CharacterClass.Wide) != 0)
        {
            splitter.SplitWide();
        }
        else
        {
            splitter.SplitSegment(0, lower.Length);
        }

        splitter.JoinEmoticons();
        return splitter.ends;
    }

    /// <summary>Cuts at symbols and at letters of scripts without spaces; what is between is split by the rules.</summary>
    private readonly void SplitWide()
    {
        int segment = 0;
        int i = 0;
        while (i < original.Length)
        {
            CharacterClass kind = CharacterClasses.At(original, i, out int length);
            if ((kind & (CharacterClass.Icon | CharacterClass.Solo)) == 0)
            {
                i += length;
                continue;
            }

            if (segment < i)
            {
                SplitSegment(segment, i);
            }

            i = segment = EndOfCluster(i, length, kind);
            ends.Add(i);
        }

        if (segment < original.Length)
        {
            SplitSegment(segment, original.Length);
        }
    }

    private readonly int EndOfCluster(int start, int length, CharacterClass kind)
    {
        int end = start + length;
        if (length == 2 && CharacterClasses.IsRegionalIndicator(new Rune(original[start], original[start + 1]))
            && end + 1 < original.Length && char.IsSurrogatePair(original[end], original[end + 1])
            && CharacterClasses.IsRegionalIndicator(new Rune(original[end], original[end + 1])))
        {
            end += 2;
        }

        while (end < original.Length)
        {
            CharacterClass next = CharacterClasses.At(original, end, out int size);
            bool skinTone = size == 2 && (next & CharacterClass.Icon) != 0
                && CharacterClasses.IsSkinTone(new Rune(original[end], original[end + 1]));
            if ((next & CharacterClass.Mark) != 0 || skinTone)
            {
                end += size;
            }
            else if (original[end - 1] == CharacterClasses.ZeroWidthJoiner && (kind & next & CharacterClass.Icon) != 0)
            {
                end += size;
            }
            else
            {
                break;
            }
        }

        return end;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void SplitSegment(int low, int high)
    {
        if (IsDegree(low, high))
        {
            ends.Add(low + 1);
            ends.Add(high);
            return;
        }

        int outer = high;
        suffixStarts.Clear();
        bool listed = false;
        while (low < high)
        {
            if (IsListed(low, high))
            {
                listed = true;
                break;
            }

            int prefix = PrefixLength(low, high);
            if (prefix > 0 && low + prefix < high && IsListed(low + prefix, high))
            {
                low += prefix;
                ends.Add(low);
                listed = true;
                break;
            }

            int suffix = SuffixLength(low + prefix, high);
            if (suffix > 0 && high - suffix > low && IsListed(low, high - suffix))
            {
                high -= suffix;
                suffixStarts.Add(high);
                listed = true;
                break;
            }

            if (prefix == 0 && suffix == 0)
            {
                break;
            }

            if (prefix > 0)
            {
                low += prefix;
                ends.Add(low);
            }

            if (suffix > 0)
            {
                high -= suffix;
                suffixStarts.Add(high);
            }
        }

        if (low < high)
        {
            if (!listed)
            {
                SplitInfixes(low, high);
            }
            else if (!TryException(low, high))
            {
                ends.Add(high);
            }
        }

        // Suffixes came off from the outside in, so the last one starts first.
        for (int i = suffixStarts.Count - 1; i >= 0; i--)
        {
            int end = i > 0 ? suffixStarts[i - 1] : outer;
            ends.Add(end);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly bool TryException(int low, int high)
    {
        if (high - low > SplitExceptions.MaximumLength
            || !SplitExceptions.TryGet(original[low..high], lower[low..high], out byte[]? lengths))
        {
            return false;
        }

        int end = low;
        foreach (byte length in lengths)
        {
            end += length;
            ends.Add(end);
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly bool IsListed(int low, int high) =>
        (high - low <= SplitExceptions.MaximumLength
            && SplitExceptions.TryGet(original[low..high], lower[low..high], out _))
        || IsInitials(low, high);

    /// <summary>Two single letters or more, each with its full stop: "U.S.", "e.g.".</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly bool IsInitials(int low, int high)
    {
        if (high - low is < 4 or > LongestInitials || ((high - low) & 1) != 0)
        {
            return false;
        }

        for (int i = low; i < high; i += 2)
        {
            if (original[i + 1] != '.' || (CharacterClasses.Of(original[i]) & CharacterClass.Letter) == 0)
            {
                return false;
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int PrefixLength(int low, int high)
    {
        char c = original[low];
        CharacterClass kind = CharacterClasses.Of(c);
        int length = 0;
        if ((kind & (AffixClasses | CharacterClass.Currency)) != 0 || c is '§' or '%' or '=' or '—' or '–')
        {
            length = 1;
        }
        else if (c == '+')
        {
            length = low + 1 == high || !char.IsAsciiDigit(original[low + 1]) ? 1 : 0;
        }
        else if (c == '.' && low + 1 < high && original[low + 1] == '.')
        {
            length = RunOfPeriods(low, high);
        }
        else if (c is 'U' or 'C' or 'A')
        {
            ReadOnlySpan<char> word = original[low..high];
            length = word.StartsWith("US$") ? 3 : word.StartsWith("C$") || word.StartsWith("A$") ? 2 : 0;
        }

        return length > 0 && MarkFollows(low + length, high) ? 0 : length;
    }

    private readonly int RunOfPeriods(int low, int high)
    {
        int end = low;
        while (end < high && original[end] == '.')
        {
            end++;
        }

        return end - low;
    }

    private readonly bool MarkFollows(int index, int high) =>
        index < high && (CharacterClasses.After(original, index) & CharacterClass.Mark) != 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int SuffixLength(int low, int high)
    {
        if (low >= high)
        {
            return 0;
        }

        ReadOnlySpan<char> word = original[low..high];
        char c = word[^1];
        CharacterClass kind = CharacterClasses.Of(c);
        if (c is 's' or 'S' && word.Length >= 2 && word[^2] is '\'' or '’')
        {
            return 2;
        }

        if ((kind & AffixClasses) != 0 || c is '—' or '–')
        {
            return 1;
        }

        if (c == '.')
        {
            return PeriodLength(word);
        }

        if (c == '+')
        {
            return word.Length >= 2 && char.IsAsciiDigit(word[^2]) ? 1 : 0;
        }

        if ((kind & CharacterClass.Currency) != 0)
        {
            return word.Length >= 2 && char.IsAsciiDigit(word[^2]) ? 1 : 0;
        }

        return UnitLength(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int PeriodLength(ReadOnlySpan<char> word)
    {
        int periods = 1;
        while (periods < word.Length && word[^(periods + 1)] == '.')
        {
            periods++;
        }

        if (periods >= 2)
        {
            return periods;
        }

        if (word.Length < 2)
        {
            return 0;
        }

        CharacterClass before = CharacterClasses.Before(word, word.Length - 1);
        char c = word[^2];
        if ((before & (CharacterClass.Digit | AffixClasses)) != 0
            || CharacterClasses.IsLowerOrUncased(before)
            || c is '%' or '²' or '-' or '+' or '|')
        {
            return 1;
        }

        if ((before & CharacterClass.Upper) == 0)
        {
            return 0;
        }

        // A capital after another letter or a digit ends a word; one that stands alone is an initial ("J.", "Ph.D.").
        int start = word.Length - 1 - (char.IsLowSurrogate(c) ? 2 : 1);
        CharacterClass earlier = CharacterClasses.Before(word, start);
        return CharacterClasses.IsAlphabetic(earlier) || (earlier & CharacterClass.Digit) != 0 ? 1 : 0;
    }

    /// <summary>The rest of "25°C." at the end of a sentence, where "C." is no abbreviation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool IsDegree(int low, int high) =>
        high - low == 2 && high <= original.Length && low > 0 && original[low - 1] == '°' && lower[low] is 'c' or 'f' or 'k' && original[low + 1] == '.';

    /// <summary>A unit stands right behind a digit: "5km", "64GB", "3m²". Only units without capitals: of "MST3K" nothing comes off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int UnitLength(int low, int high)
    {
        int start = high;
        while (start > low && high - start <= LongestUnit && !char.IsAsciiDigit(original[start - 1]))
        {
            start--;
        }

        if (start == low || start == high || !char.IsAsciiDigit(original[start - 1]))
        {
            return 0;
        }

        return Units.TryGet(lower[start..high], out _) ? high - start : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void SplitInfixes(int low, int high)
    {
        int start = low;
        int i = low + 1;
        while (i < high)
        {
            int length = InfixLength(low, i, high);
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

    /// <summary>The length of the infix at <paramref name="i"/>, 0 if there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int InfixLength(int low, int i, int high)
    {
        char c = original[i];
        ReadOnlySpan<char> word = original[..high];
        switch (c)
        {
            case '…':
                return MarkFollows(i + 1, high) ? 0 : 1;

            case '.':
            {
                if (i + 1 < high && original[i + 1] == '.')
                {
                    return RunOfPeriods(i, high);
                }

                CharacterClass before = CharacterClasses.Before(word[low..], i - low);
                CharacterClass after = CharacterClasses.After(word, i + 1);
                return (CharacterClasses.IsLowerOrUncased(before) || (before & CharacterClass.Quote) != 0)
                    && (CharacterClasses.IsUpperOrUncased(after) || (after & CharacterClass.Quote) != 0) ? 1 : 0;
            }

            case '+' or '*' or '^':
                return BetweenDigits(i, high) ? 1 : 0;

            case ',':
                return CharacterClasses.IsAlphabetic(CharacterClasses.Before(word, i)) && LetterAt(i + 1, high) ? 1 : 0;

            case ':' or '<' or '>' or '=':
                return AfterLetterOrDigit(i) && LetterAt(i + 1, high) ? 1 : 0;

            case '-' or '—':
            {
                if (c == '-' && BetweenDigits(i, high))
                {
                    return 1;
                }

                int run = 1;
                while (i + run < high && original[i + run] == c)
                {
                    run++;
                }

                return run <= (c == '-' ? 3 : 2) && AfterLetterOrDigit(i) && LetterAt(i + run, high) ? run : 0;
            }

            case '–' or '~':
                return AfterLetterOrDigit(i) && LetterAt(i + 1, high) ? 1 : 0;

            default:
                return 0;
        }
    }

    private readonly bool BetweenDigits(int i, int high) =>
        char.IsAsciiDigit(original[i - 1]) && i + 1 < high && (char.IsAsciiDigit(original[i + 1]) || original[i + 1] == '-');

    private readonly bool AfterLetterOrDigit(int i)
    {
        CharacterClass before = CharacterClasses.Before(original, i);
        return CharacterClasses.IsAlphabetic(before) || (before & CharacterClass.Digit) != 0;
    }

    private readonly bool LetterAt(int i, int high) =>
        i < high && (CharacterClasses.After(original, i) & CharacterClass.Letter) != 0;

    /// <summary>
    /// True for an e-mail address or a host name, with a port or query if there is one. The top-level domain is of small
    /// letters, so that a missing space between sentences ("end.Start") makes no host name.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly bool IsAddress(int low, int high)
    {
        int at = original[low..high].LastIndexOf('@');
        return at switch
        {
            0 => false,
            > 0 => IsHost(lower[(low + at + 1)..high]),
            _ => IsHost(original[low..high]),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool IsHost(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAny(':', '?');
        ReadOnlySpan<char> host = end < 0 ? text : text[..end];
        if (end >= 0 && text[end] == ':')
        {
            ReadOnlySpan<char> port = text[(end + 1)..];
            int query = port.IndexOf('?');
            port = query < 0 ? port : port[..query];
            if (port.Length is < 2 or > 5 || port.ContainsAnyExceptInRange('0', '9'))
            {
                return false;
            }
        }

        int labels = 0;
        while (true)
        {
            int dot = host.IndexOf('.');
            if (dot < 0)
            {
                break;
            }

            ReadOnlySpan<char> label = host[..dot];
            if (label.Length is 0 or > 64 || !IsHostCharacter(label[0]) || !IsHostCharacter(label[^1]))
            {
                return false;
            }

            foreach (char c in label)
            {
                if (!IsHostCharacter(c) && c is not ('-' or '_'))
                {
                    return false;
                }
            }

            labels++;
            host = host[(dot + 1)..];
        }

        if (labels == 0 || host.Length is < 2 or > 63)
        {
            return false;
        }

        foreach (char c in host)
        {
            if (!CharacterClasses.IsLowerOrUncased(CharacterClasses.Of(c)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHostCharacter(char c) =>
        char.IsAsciiLetterOrDigit(c) || (c >= '\u00A1' && !char.IsSurrogate(c));

    private static SpanMap<bool> BuildUnits()
    {
        string[] all = UnitList.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var units = new SpanMap<bool>(all.Length);
        foreach (string unit in all)
        {
            units.Add(unit, true);
        }

        return units;
    }

    /// <summary>"great:)" was cut into "great", ":" and ")"; the last two are one emoticon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void JoinEmoticons()
    {
        if (ends.Count < 2)
        {
            return;
        }

        int written = 0;
        int begin = 0;
        for (int i = 0; i < ends.Count;)
        {
            int last = i;
            if (ends[i] - begin <= LongestFirstPieceOfEmoticon && !IsDegree(begin, begin + 2))
            {
                for (int j = i + 1; j < ends.Count && ends[j] - begin <= SplitExceptions.MaximumLength; j++)
                {
                    if (SplitExceptions.TryGet(original[begin..ends[j]], lower[begin..ends[j]], out byte[]? lengths)
                        && lengths.Length == 1)
                    {
                        last = j;
                    }
                }
            }

            begin = ends[last];
            ends[written++] = begin;
            i = last + 1;
        }

        ends.RemoveRange(written, ends.Count - written);
    }
}

/// <summary>What <see cref="WordSplitter"/> writes into, kept from word to word.</summary>
internal sealed class SplitterScratch
{
    private char[] folded = new char[128];

    /// <summary>Where the tokens of the word end.</summary>
    internal List<int> Ends { get; } = new(16);

    /// <summary>Where the suffixes of the segment in hand start, the outermost first.</summary>
    internal List<int> SuffixStarts { get; } = new(16);

    /// <summary>Room for a word in small letters, valid until the next call.</summary>
    internal Span<char> TakeFolded(int length)
    {
        if (folded.Length < length)
        {
            folded = new char[Math.Max(length, folded.Length * 2)];
        }

        return folded.AsSpan(0, length);
    }
}
