using System.Runtime.CompilerServices;
using System.Text;

namespace Ulmfit.Text;

/// <summary>
/// fastai's <c>replace_rep</c>: a character three times or more in a row becomes <c>xxrep n c</c>, set apart by spaces.
/// Characters are code points; a mark, joiner or skin tone that follows the run keeps its own copy of the character.
/// </summary>
internal static class CharacterRepetition
{
    private const char Stand = (char)(CharacterClasses.SpecialBase + SpecialTokens.CharacterRepetitionId);

    /// <summary>Writes the text with its repetitions replaced; answers false, with nothing written, if it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool Replace(ReadOnlySpan<char> text, ref TextBuffer output)
    {
        int copied = 0;
        int i = FirstRepetition(text);
        while (i + 2 < text.Length)
        {
            char c = text[i];
            int size = char.IsHighSurrogate(c) ? 2 : 1;
            int count = size == 1
                ? (c == text[i + 1] && c == text[i + 2] ? RunLength(text, i, 1) : 1)
                : RunLength(text, i, 2);
            if (count < 3)
            {
                i += size;
                continue;
            }

            int end = i + (count * size);
            CharacterClass kind = CharacterClasses.At(text, i, out _);
            if ((kind & (CharacterClass.Space | CharacterClass.Mark)) != 0)
            {
                i = end;
                continue;
            }

            if (Clings(text, end))
            {
                count--;
                if (count < 3)
                {
                    i = end;
                    continue;
                }

                end -= size;
            }

            output.Append(text[copied..i]);
            output.Append([' ', Stand, ' ']);
            output.AppendNumber(count);
            output.Append(' ');
            output.Append(text.Slice(i, size));
            output.Append(' ');
            i = copied = end;
        }

        if (copied == 0)
        {
            return false;
        }

        output.Append(text[copied..]);
        return true;
    }

    /// <summary>Where a character first stands three times, in a text without surrogates; or an earlier place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int FirstRepetition(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return 0;
        }

        // Of three places in a row, one that is odd has its right neighbour among them: every other pair need be looked at.
        for (int i = 1; i + 1 < text.Length; i += 2)
        {
            if (text[i] == text[i + 1] && (text[i - 1] == text[i] || (i + 2 < text.Length && text[i + 2] == text[i])))
            {
                return i - 1;
            }
        }

        return text.Length;
    }

    private static int RunLength(ReadOnlySpan<char> text, int start, int size)
    {
        if (size == 1)
        {
            int end = text[start..].IndexOfAnyExcept(text[start]);
            return end < 0 ? text.Length - start : end;
        }

        ReadOnlySpan<char> unit = text.Slice(start, size);
        int count = 1;
        while (text[(start + (count * size))..].StartsWith(unit))
        {
            count++;
        }

        return count;
    }

    private static bool Clings(ReadOnlySpan<char> text, int index) =>
        index < text.Length
        && ((CharacterClasses.At(text, index, out int length) & CharacterClass.Mark) != 0
            || (length == 2 && CharacterClasses.IsSkinTone(new Rune(text[index], text[index + 1]))));
}
