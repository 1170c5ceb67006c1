using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>
/// The tokens that carry structure instead of words, in fastai's names. Their ids are fixed: every
/// <see cref="Vocabulary"/> begins with them in this order.
/// </summary>
public static class SpecialTokens
{
    /// <summary>A word outside the vocabulary, <c>xxunk</c>.</summary>
    public const int UnknownId = 0;

    /// <summary>Padding after the end of a shorter text, <c>xxpad</c>.</summary>
    public const int PaddingId = 1;

    /// <summary>The beginning of a text, <c>xxbos</c>.</summary>
    public const int BeginningId = 2;

    /// <summary>The end of a text, <c>xxeos</c>.</summary>
    public const int EndId = 3;

    /// <summary>The beginning of a field of a text that has several, <c>xxfld</c>.</summary>
    public const int FieldId = 4;

    /// <summary>A repeated character: <c>xxrep 4 !</c> for <c>!!!!</c>.</summary>
    public const int CharacterRepetitionId = 5;

    /// <summary>A repeated word: <c>xxwrep 3 no</c> for <c>no no no</c>.</summary>
    public const int WordRepetitionId = 6;

    /// <summary>The next word was in capitals, <c>xxup</c>.</summary>
    public const int AllCapitalsId = 7;

    /// <summary>The next word began with a capital, <c>xxmaj</c>.</summary>
    public const int CapitalisedId = 8;

    /// <summary>What fills a vocabulary up to a multiple of 8, <c>xxfake</c>. It may occur several times and stands for no word.</summary>
    public const string Filler = "xxfake";

    private static readonly string[] Names =
        ["xxunk", "xxpad", "xxbos", "xxeos", "xxfld", "xxrep", "xxwrep", "xxup", "xxmaj"];

    /// <summary>The special tokens by id.</summary>
    public static IReadOnlyList<string> All { get; } = Array.AsReadOnly(Names);

    /// <summary>How many there are; the id of a vocabulary's first word.</summary>
    public static int Count => Names.Length;

    /// <summary>The special token with this id.</summary>
    internal static string NameOf(int id) => Names[id];

    /// <summary>
    /// True for the spelling of a special token (or of the filler): a word of a user's text that is spelt so
    /// must not pass for it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool IsReserved(ReadOnlySpan<char> token)
    {
        if (token.Length < 4 || token[0] != 'x' || token[1] != 'x')
        {
            return false;
        }

        foreach (string name in Names)
        {
            if (token.SequenceEqual(name))
            {
                return true;
            }
        }

        return token.SequenceEqual(Filler);
    }
}
