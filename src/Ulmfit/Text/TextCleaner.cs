using System.Buffers;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ulmfit.Text;

/// <summary>
/// The first rule, fastai's <c>fix_html</c>, together with the repair of the encoding: line ends become \n, control
/// characters and spaces of all kinds a plain space (but 128 to 159 what they are in Windows-1252), invisible format characters go, a lone surrogate or noncharacter
/// becomes U+FFFD.
/// <para>
/// Replaced, as fastai does: <c>#39; #146; quot;</c> by an apostrophe, <c>amp;</c> by &amp;, <c>nbsp;</c> by a space,
/// <c>#36;</c> by $, <c>&lt;br /&gt;</c> and a literal <c>\n</c> by a line end, <c>\"</c> by ", <c>&lt;unk&gt;</c> by
/// the unknown token, <c> @.@ </c>, <c> @-@ </c> and <c> @,@ </c> by the sign within, <c>...</c> by an ellipsis, then
/// HTML entities (named ones of HTML 4, decimal and hexadecimal ones) by what they stand for.
/// </para>
/// <para>
/// Where fastai damages text, this does not: the ampersand of <c>&amp;amp;</c> is part of the entity (fastai leaves
/// "&amp;&amp;"), a bare <c>amp;</c> counts only where a word begins (fastai turns "lamp;" into "l&amp;"), and
/// <c>&lt;br&gt;</c> and <c>&lt;br/&gt;</c> are line ends too.
/// </para>
/// </summary>
internal static class TextCleaner
{
    private const int LongestEntity = 32;

    /// <summary>What begins or ends a pattern, beside three full stops.</summary>
    private const string Signs = ";\\<@";

    /// <summary>The control characters 128 to 159 of a text are Windows-1252 read as Latin-1; so HTML reads their numbers too.</summary>
    private const string Windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Clean(ReadOnlySpan<char> text, ref TextBuffer output)
    {
        int i = 0;
        while (i < text.Length)
        {
            int other = text[i..].IndexOfAnyExceptInRange(' ', '~');
            int end = other < 0 ? text.Length : i + other;
            while (i < end)
            {
                int sign = text[i..end].IndexOfAny(Signs);
                if (sign < 0)
                {
                    AppendPlain(text[i..end], ref output);
                    i = end;
                    break;
                }

                AppendPlain(text.Slice(i, sign), ref output);
                i += sign;
                i += CleanAt(text, i, ref output);
            }

            if (i < text.Length)
            {
                i += CleanAt(text, i, ref output);
            }
        }
    }

    /// <summary>The same, and tells from where in the text each character of the output comes.</summary>
    internal static void Clean(ReadOnlySpan<char> text, ref TextBuffer output, List<TextRange> origins)
    {
        int i = 0;
        while (i < text.Length)
        {
            int before = output.Least = output.Count;
            int end = i + CleanOne(text, i, ref output);

            // What was written before may have been taken back: an entity is known by its end.
            int kept = output.Least;
            var origin = new TextRange(kept < before ? origins[kept].Start : i, end);
            origins.RemoveRange(kept, before - kept);
            while (origins.Count < output.Count)
            {
                origins.Add(origin);
            }

            i = end;
        }
    }

    private static int CleanOne(ReadOnlySpan<char> text, int i, ref TextBuffer output)
    {
        if (text[i] is < ' ' or > '~' || Signs.Contains(text[i], StringComparison.Ordinal))
        {
            return CleanAt(text, i, ref output);
        }

        int length = text[i..].StartsWith("...") ? 3 : 1;
        AppendPlain(text.Slice(i, length), ref output);
        return length;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AppendPlain(ReadOnlySpan<char> text, ref TextBuffer output)
    {
        int ellipsis;
        while ((ellipsis = text.IndexOf("...")) >= 0)
        {
            output.Append(text[..ellipsis]);
            output.Append(" …");
            text = text[(ellipsis + 3)..];
        }

        output.Append(text);
    }

    /// <summary>Handles the character at <paramref name="i"/> and answers how many were consumed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int CleanAt(ReadOnlySpan<char> text, int i, ref TextBuffer output)
    {
        char c = text[i];
        ReadOnlySpan<char> rest = text[i..];
        switch (c)
        {
            case ';':
                CloseEntity(ref output);
                return 1;

            case '\\' when rest.Length > 1 && rest[1] is 'n' or '"':
                output.Append(rest[1] == 'n' ? '\n' : '"');
                return 2;

            case '<':
                return Tag(rest, ref output);

            case '@' when rest.Length > 2 && rest[1] is '.' or '-' or ',':
                if (rest[2] == '@' && rest.Length > 3 && rest[3] == ' ' && output.Last == ' ')
                {
                    output.Count--;
                    output.Append(rest[1]);
                    return 4;
                }

                output.Append(c);
                return 1;

            case '\n':
                output.Append(c);
                return 1;

            case '\r':
                output.Append('\n');
                return rest.Length > 1 && rest[1] == '\n' ? 2 : 1;

            default:
                if (c < 128 && c >= ' ' && c != '\u007F')
                {
                    output.Append(c);
                    return 1;
                }

                return Rune.DecodeFromUtf16(rest, out Rune rune, out int length) == OperationStatus.Done
                    ? Append(rune, length, ref output)
                    : Append(Rune.ReplacementChar, 1, ref output);
        }
    }

    private static int Append(Rune rune, int length, ref TextBuffer output)
    {
        if (rune.Value is >= 0x80 and <= 0x9F)
        {
            rune = new Rune(Windows1252[rune.Value - 0x80]);
        }

        if (rune.Value is 0x2028 or 0x2029)
        {
            output.Append('\n');
        }
        else if (IsNonCharacter(rune.Value))
        {
            output.Append('\uFFFD');
        }
        else if (rune.IsBmp)
        {
            char c = (char)rune.Value;
            CharacterClass kind = CharacterClasses.Of(c);
            if (c == '\n' || (kind & (CharacterClass.Space | CharacterClass.Ignored)) == 0)
            {
                output.Append(c);
            }
            else if ((kind & CharacterClass.Space) != 0)
            {
                output.Append(' ');
            }
        }
        else if ((CharacterClasses.OfSupplementary(rune) & CharacterClass.Ignored) == 0)
        {
            Span<char> pair = stackalloc char[2];
            rune.EncodeToUtf16(pair);
            output.Append(pair);
        }

        return length;
    }

    private static bool IsNonCharacter(int value) =>
        (value & 0xFFFE) == 0xFFFE || value is >= 0xFDD0 and <= 0xFDEF;

    private static int Tag(ReadOnlySpan<char> rest, ref TextBuffer output)
    {
        if (rest.StartsWith("<unk>"))
        {
            output.Append([' ', CharacterClasses.SpecialBase, ' ']);
            return 5;
        }

        if (rest.StartsWith("<br", StringComparison.OrdinalIgnoreCase))
        {
            ReadOnlySpan<char> tail = rest[3..];
            int length = tail.StartsWith(">") ? 4 : tail.StartsWith("/>") ? 5 : tail.StartsWith(" />") ? 6 : 0;
            if (length > 0)
            {
                output.Append('\n');
                return length;
            }
        }

        output.Append('<');
        return 1;
    }

    /// <summary>At a semicolon: if what was written last is an entity, it is replaced, else the semicolon is text.</summary>
    private static void CloseEntity(ref TextBuffer output)
    {
        ReadOnlySpan<char> written = output.Written;
        int start = written.Length;
        int limit = Math.Max(0, start - LongestEntity);
        while (start > limit && (char.IsAsciiLetterOrDigit(written[start - 1]) || written[start - 1] == '#'))
        {
            start--;
        }

        bool ampersand = start > 0 && written[start - 1] == '&';
        ReadOnlySpan<char> name = written[start..];
        string? bare = name switch
        {
            "#39" or "#146" or "quot" => "'",
            "amp" => "&",
            "nbsp" => " ",
            "#36" => "$",
            _ => null,
        };
        if (bare is not null)
        {
            // A run of letters and digits that does not begin at the start of the text's own word is no entity:
            // the loop above stopped at the longest run, so here the name is the whole of it.
            output.Count = ampersand ? start - 1 : start;
            output.Append(bare);
            return;
        }

        // "Barnes #39;s": the entity may close a longer run such as "Bears#39".
        int hash = name.LastIndexOf('#');
        if (hash > 0 && name[hash..] is "#39" or "#146" or "#36")
        {
            char replacement = name[hash..] is "#36" ? '$' : '\'';
            output.Count = start + hash;
            output.Append(replacement);
            return;
        }

        if (!ampersand || name.IsEmpty || !TryDecode(name, ref output, start - 1))
        {
            output.Append(';');
        }
    }

    private static bool TryDecode(ReadOnlySpan<char> name, ref TextBuffer output, int start)
    {
        if (name[0] == '#')
        {
            ReadOnlySpan<char> digits = name[1..];
            bool hexadecimal = digits.Length > 0 && digits[0] is 'x' or 'X';
            bool parsed = hexadecimal
                ? uint.TryParse(digits[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
                : uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
            if (!parsed)
            {
                return false;
            }

            output.Count = start;
            Append(value != 0 && Rune.IsValid(value) ? new Rune(value) : Rune.ReplacementChar, 1, ref output);
            return true;
        }

        string entity = $"&{name};";
        string decoded = WebUtility.HtmlDecode(entity);
        if (decoded == entity)
        {
            return false;
        }

        output.Count = start;
        foreach (Rune rune in decoded.EnumerateRunes())
        {
            Append(rune, 1, ref output);
        }

        return true;
    }
}
