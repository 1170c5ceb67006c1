using System.Globalization;

namespace Ulmfit.Import;

/// <summary>Text of a file that somebody else made, in a message.</summary>
internal static class ForeignText
{
    private const int Most = 60;

    /// <summary>The text, shortened, and without characters that would move a terminal's cursor or turn its direction.</summary>
    public static string Shown(string text)
    {
        string start = text.Length > Most ? text[..Most] + "…" : text;
        return string.Concat(start.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '?' : c));
    }
}
