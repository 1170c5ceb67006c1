using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ulmfit.Text;

/// <summary>What the tokenizer's rules ask of a character.</summary>
[Flags]
internal enum CharacterClass : ushort
{
    None = 0,

    /// <summary>White space of any kind.</summary>
    Space = 1 << 0,

    /// <summary>A capital or title-case letter.</summary>
    Upper = 1 << 1,

    /// <summary>A small letter.</summary>
    Lower = 1 << 2,

    /// <summary>A letter of any kind; a mark that stays with a letter counts too (see <see cref="Mark"/>).</summary>
    Letter = 1 << 3,

    /// <summary>0 to 9.</summary>
    Digit = 1 << 4,

    /// <summary>Part of a word as the regular expression <c>\w</c> has it.</summary>
    Word = 1 << 5,

    /// <summary>Punctuation that is split from both ends of a word.</summary>
    Punctuation = 1 << 6,

    /// <summary>A quotation mark, apostrophe or CJK bracket.</summary>
    Quote = 1 << 7,

    /// <summary>A currency sign.</summary>
    Currency = 1 << 8,

    /// <summary>A symbol that is a token wherever it stands, emoji among them.</summary>
    Icon = 1 << 9,

    /// <summary>Combining marks, joiners, variation selectors: never apart from the character before them.</summary>
    Mark = 1 << 10,

    /// <summary>A letter of a script that is written without spaces.</summary>
    Solo = 1 << 11,

    /// <summary>A character that changes under lower-casing.</summary>
    Folds = 1 << 12,

    /// <summary>A character that fastai sets apart before anything else: / # \.</summary>
    Apart = 1 << 13,

    /// <summary>Invisible, removed from the text.</summary>
    Ignored = 1 << 14,

    /// <summary>Not ASCII.</summary>
    Wide = 1 << 15,
}

/// <summary>
/// The classes of all characters, from the Unicode tables that are part of .NET itself; neither ICU nor a culture is
/// asked, so the answers are the same on every machine with the same version of .NET.
/// </summary>
internal static class CharacterClasses
{
    /// <summary>
    /// Stand-ins for special tokens while the text is still one string. They are noncharacters, which
    /// <see cref="TextCleaner"/> has removed from the user's text.
    /// </summary>
    internal const char SpecialBase = '\uFDD0';

    internal const char ZeroWidthJoiner = '\u200D';

    private const string PunctuationCharacters = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪";
    private const string QuoteCharacters = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉〈〉⟦⟧";
    private const string CurrencyCharacters = "$£€¥฿﷼";

    private static readonly CharacterClass[] Table = BuildTable();

    /// <summary>The classes of a UTF-16 unit; of a surrogate only <see cref="CharacterClass.Wide"/>.</summary>
    internal static CharacterClass Of(char c) => Table[c];

    /// <summary>The classes of the code point that begins at <paramref name="index"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static CharacterClass At(ReadOnlySpan<char> text, int index, out int length)
    {
        char c = text[index];
        if (char.IsHighSurrogate(c) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
        {
            length = 2;
            return OfSupplementary(new Rune(c, text[index + 1]));
        }

        length = 1;
        return Table[c];
    }

    /// <summary>The classes of the code point that ends before <paramref name="index"/>, none at the very beginning.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static CharacterClass Before(ReadOnlySpan<char> text, int index)
    {
        if (index <= 0)
        {
            return CharacterClass.None;
        }

        char c = text[index - 1];
        return char.IsLowSurrogate(c) && index >= 2 && char.IsHighSurrogate(text[index - 2])
            ? OfSupplementary(new Rune(text[index - 2], c))
            : Table[c];
    }

    /// <summary>The classes of the code point at <paramref name="index"/>, none at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static CharacterClass After(ReadOnlySpan<char> text, int index) =>
        index >= text.Length ? CharacterClass.None : At(text, index, out _);

    /// <summary>True for a letter of the spaCy class "lower or without case".</summary>
    internal static bool IsLowerOrUncased(CharacterClass c) =>
        (c & (CharacterClass.Letter | CharacterClass.Mark)) != 0 && (c & CharacterClass.Upper) == 0;

    /// <summary>True for a letter of the spaCy class "upper or without case".</summary>
    internal static bool IsUpperOrUncased(CharacterClass c) =>
        (c & CharacterClass.Letter) != 0 && (c & CharacterClass.Lower) == 0;

    /// <summary>True for a letter or a mark upon one.</summary>
    internal static bool IsAlphabetic(CharacterClass c) => (c & (CharacterClass.Letter | CharacterClass.Mark)) != 0;

    internal static bool IsSkinTone(Rune rune) => rune.Value is >= 0x1F3FB and <= 0x1F3FF;

    internal static bool IsRegionalIndicator(Rune rune) => rune.Value is >= 0x1F1E6 and <= 0x1F1FF;

    /// <summary>
    /// Writes the simple lower-case form, as long as the input. The dotted capital I becomes i, which is the one letter
    /// whose treatment otherwise depends on the globalisation mode.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ToLower(ReadOnlySpan<char> source, Span<char> destination)
    {
        for (int i = 0; i < source.Length; i++)
        {
            char c = source[i];
            if (c < 128)
            {
                destination[i] = char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
            }
            else if (char.IsHighSurrogate(c) && i + 1 < source.Length && char.IsLowSurrogate(source[i + 1]))
            {
                Rune lower = Rune.ToLowerInvariant(new Rune(c, source[i + 1]));
                lower.EncodeToUtf16(destination[i..]);
                i++;
            }
            else
            {
                destination[i] = ToLower(c);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static CharacterClass OfSupplementary(Rune rune)
    {
        CharacterClass result = CharacterClass.Wide | OfCategory(Rune.GetUnicodeCategory(rune));
        if (IsSkinTone(rune))
        {
            result |= CharacterClass.Icon;
        }

        // Tag characters spell the flags of regions behind the black flag.
        if (rune.Value is >= 0xE0020 and <= 0xE007F or >= 0xE0100 and <= 0xE01EF)
        {
            result = CharacterClass.Wide | CharacterClass.Mark;
        }

        if (rune.Value is >= 0x20000 and <= 0x3FFFF or >= 0x1B000 and <= 0x1B16F)
        {
            result |= CharacterClass.Solo | CharacterClass.Letter;
        }

        if (Rune.ToLowerInvariant(rune) != rune)
        {
            result |= CharacterClass.Folds;
        }

        return result;
    }

    private static char ToLower(char c) => c == '\u0130' ? 'i' : char.ToLowerInvariant(c);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static CharacterClass[] BuildTable()
    {
        var table = new CharacterClass[char.MaxValue + 1];
        for (int i = 0; i < table.Length; i++)
        {
            table[i] = Classify((char)i);
        }

        // Known by name; looking for each of 65,536 characters in these lists would take longer than all the rest.
        foreach (char c in PunctuationCharacters)
        {
            table[c] |= CharacterClass.Punctuation;
        }

        foreach (char c in QuoteCharacters)
        {
            table[c] |= CharacterClass.Quote;
        }

        foreach (char c in CurrencyCharacters)
        {
            table[c] |= CharacterClass.Currency;
        }

        return table;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static CharacterClass Classify(char c)
    {
        CharacterClass result = c < 128 ? CharacterClass.None : CharacterClass.Wide;
        if (char.IsSurrogate(c))
        {
            return result;
        }

        if (c is >= SpecialBase and < (char)(SpecialBase + 16))
        {
            return result | CharacterClass.Word;
        }

        result |= OfCategory(CharUnicodeInfo.GetUnicodeCategory(c));

        // Of the format characters, the joiners belong to the letters round them, the zero-width space parts words.
        if (c is ZeroWidthJoiner or '\u200C')
        {
            result = CharacterClass.Wide | CharacterClass.Mark | CharacterClass.Word;
        }
        else if (c == '\u200B')
        {
            result = CharacterClass.Wide | CharacterClass.Space;
        }

        if (char.IsAsciiDigit(c))
        {
            result |= CharacterClass.Digit;
        }

        if (c == '_')
        {
            result |= CharacterClass.Word;
        }

        if (c is '/' or '#' or '\\')
        {
            result |= CharacterClass.Apart;
        }

        if (c is >= '\u20A0' and <= '\u20C0')
        {
            result |= CharacterClass.Currency;
        }

        if ((result & CharacterClass.Letter) != 0 && IsWrittenWithoutSpaces(c))
        {
            result |= CharacterClass.Solo;
        }

        if (ToLower(c) != c)
        {
            result |= CharacterClass.Folds;
        }

        return result;
    }

    private static CharacterClass OfCategory(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter =>
            CharacterClass.Letter | CharacterClass.Upper | CharacterClass.Word,
        UnicodeCategory.LowercaseLetter => CharacterClass.Letter | CharacterClass.Lower | CharacterClass.Word,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterClass.Letter | CharacterClass.Word,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber =>
            CharacterClass.Word,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark =>
            CharacterClass.Mark | CharacterClass.Word,
        UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.Control => CharacterClass.Space,
        UnicodeCategory.Format => CharacterClass.Ignored,
        UnicodeCategory.OtherSymbol => CharacterClass.Icon,
        _ => CharacterClass.None,
    };

    private static bool IsWrittenWithoutSpaces(char c) => c is
        >= '\u0E01' and <= '\u0E4E' // Thai
        or >= '\u0E80' and <= '\u0EDF' // Lao
        or >= '\u0F00' and <= '\u0FBC' // Tibetan
        or >= '\u1000' and <= '\u109F' // Myanmar
        or >= '\u1780' and <= '\u17D3' // Khmer
        or >= '\u1950' and <= '\u19DF' // Tai Le, New Tai Lue
        or >= '\u1A20' and <= '\u1AAF' // Tai Tham
        or >= '\u1B00' and <= '\u1B4B' // Balinese
        or >= '\u3005' and <= '\u3007' // Han iteration mark and zero
        or >= '\u3041' and <= '\u312F' // Hiragana, Katakana, Bopomofo
        or >= '\u31A0' and <= '\u31FF' // Bopomofo and Katakana extensions
        or >= '\u3400' and <= '\u4DBF' // Han
        or >= '\u4E00' and <= '\uA4CF' // Han, Yi
        or >= '\uA980' and <= '\uA9DF' // Javanese
        or >= '\uA9E0' and <= '\uA9FF' // Myanmar
        or >= '\uAA60' and <= '\uAADF' // Myanmar, Tai Viet
        or >= '\uF900' and <= '\uFAFF' // Han
        or >= '\uFF66' and <= '\uFF9D'; // Katakana, half width
}
