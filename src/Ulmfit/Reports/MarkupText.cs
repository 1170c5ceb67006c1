using System.Globalization;
using System.Text;

namespace Ulmfit.Reports;

/// <summary>Texts that strangers wrote, made safe to stand in HTML and XML, as content or in a quoted attribute.</summary>
internal static class MarkupText
{
    /// <summary>
    /// The text with everything escaped that could end it or be markup. What no XML document may hold is shown instead:
    /// control characters as their pictures (U+2400 and on), half surrogate pairs and the like as U+FFFD.
    /// </summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                escaped.Append(c).Append(text[++i]);
                continue;
            }

            _ = c switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                '\t' or '\n' or '\r' => escaped.Append(c),
                < ' ' => escaped.Append((char)(0x2400 + c)),
                '\u007f' => escaped.Append('\u2421'),
                (>= '\u0080' and <= '\u009f') or '\ufffe' or '\uffff' => escaped.Append('\ufffd'),
                _ when char.IsSurrogate(c) => escaped.Append('\ufffd'),
                _ => escaped.Append(c),
            };
        }

        return escaped.ToString();
    }

    /// <summary>
    /// The text on one line and without characters that change the direction of writing: where nothing isolates it from its
    /// neighbours (in an SVG, in a tooltip) it must not turn them round.
    /// </summary>
    public static string OneLine(string text) => string.Concat(text
        .Where(c => c is not ((>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\u200e' or '\u200f' or '\u061c'))
        .Select(c => char.IsWhiteSpace(c) ? ' ' : c));

    /// <summary>
    /// About how wide a text is in a sans-serif face, in the unit of the font size; rather too wide than too narrow. Exact
    /// widths are the reader's fonts' and known to nobody here.
    /// </summary>
    public static double WidthOf(string text, double fontSize)
    {
        double ems = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            ems += rune.Value switch
            {
                'i' or 'j' or 'l' or 't' or 'f' or 'r' or '.' or ',' or ':' or ';' or '\'' or '|' or '!' or ' ' or '-' or '(' or ')' => 0.37,
                'm' or 'w' or 'M' or 'W' or '@' or '%' => 0.93,
                >= 'A' and <= 'Z' => 0.7,
                < 0x1100 => 0.6,
                _ when Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format => 0,
                _ => 1.05,
            };
        }

        return ems * fontSize;
    }

    /// <summary>The text, or as much of its beginning as fits with an ellipsis.</summary>
    public static string Fit(string text, double width, double fontSize)
    {
        if (text.Length == 0 || WidthOf(text, fontSize) <= width)
        {
            return text;
        }

        // By what a reader sees as one character: a letter is not parted from its accents.
        int[] starts = StringInfo.ParseCombiningCharacters(text);
        int kept = starts.Length;
        while (kept > 0 && (kept == starts.Length || WidthOf(text[..starts[kept]] + "…", fontSize) > width))
        {
            kept--;
        }

        return text[..starts[kept]] + "…";
    }
}
