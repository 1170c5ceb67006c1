using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ulmfit.Text;

/// <summary>
/// Cuts a text into the tokens that the language models are trained on, by the rules of fastai's tokenizer.
/// <para>
/// In this order: the repair of HTML and of the encoding (<see cref="TextCleaner"/>); a character three times or more in a
/// row → <c>xxrep n c</c>; a word three times or more → <c>xxwrep n w</c>; <c>/ # \</c> set apart; runs of spaces to one;
/// a word in capitals → <c>xxup</c> and the word, a word that begins with a capital → <c>xxmaj</c> and the word, where a
/// word is what stands between white space and has at least two characters; small letters; then each word is split as
/// spaCy's English tokenizer does (<see cref="WordSplitter"/>). The first token is <c>xxbos</c>.
/// </para>
/// <para>
/// White space: spaces only part words. A single line end within the text is the token <c>\n</c>; a run of white space with
/// two or more is the token <c>\n\n</c> (spaCy makes one token of a run; its spaces and any further line ends are left out
/// here, so that a vocabulary needs two such tokens and not dozens). White space at both ends is dropped.
/// </para>
/// <para>
/// Because <c>/</c> is set apart before words are looked at, as in fastai, only host names and e-mail addresses stay
/// whole, not complete URLs. Splitting looks at the text's own letters (as the tokenizer did that made fastai's published
/// vocabulary), so "Mr." keeps its full stop and "end.Start" is two words. The case rules know all letters, not only A–Z.
/// </para>
/// <para>
/// A word of the text that is spelt like a special token (<c>xxbos</c>) cannot pass for it: it becomes the two
/// tokens <c>xx</c> and <c>bos</c>.
/// </para>
/// <para>
/// The result depends on the text alone: no culture, no ICU, no state. Instances may be used from several threads.
/// </para>
/// </summary>
public sealed class Tokenizer
{
    /// <summary>Names the rules; it changes whenever the tokens of some text change, and is part of a model's lineage.</summary>
    public const string Version = "fastai-en-1";

    // What a scanner may have met before it is let go, so that no stream of texts and no huge one fills the memory.
    private const int MostTokensRemembered = 1 << 17;
    private const int LongestTextRemembered = 1 << 22;

    private readonly IdleScanners<WordReader> readers = new();

    // A scanner remembers the ids of words, which are those of one vocabulary, and goes with it.
    private readonly ConditionalWeakTable<Vocabulary, IdleScanners<TokenScanner<IdForm>>> scannersOf = [];

    /// <summary>The tokens of a text, <c>xxbos</c> first. Any string is accepted.</summary>
    /// <exception cref="ArgumentNullException">The text is null.</exception>
    public IReadOnlyList<string> Tokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new List<string>((text.Length / 4) + 4);
        Tokenize(text, tokens);
        return tokens;
    }

    /// <summary>Appends the tokens of a text, <c>xxbos</c> first, to a list. Frequent tokens are shared strings.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public void Tokenize(ReadOnlySpan<char> text, List<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        WordReader reader = readers.Take() ?? new WordReader();
        ReadOnlySpan<int> numbers = reader.Read(text);
        int count = tokens.Count;
        CollectionsMarshal.SetCount(tokens, count + numbers.Length);
        Span<string> added = CollectionsMarshal.AsSpan(tokens)[count..];
        for (int i = 0; i < added.Length; i++)
        {
            added[i] = reader.Tokens[numbers[i]];
        }

        if (reader.Tokens.Count <= MostTokensRemembered && text.Length <= LongestTextRemembered)
        {
            readers.GiveBack(reader);
        }
    }

    /// <summary>The tokens of a text, as <see cref="Tokenize(string)"/> gives them, with their places. Slower: for a text that is to be explained, not for many.</summary>
    /// <exception cref="ArgumentNullException">The text is null.</exception>
    public LocatedText Locate(string text)
    {
        IReadOnlyList<string> tokens = Tokenize(text);
        return new LocatedText(tokens, TokenLocator.Locate(text, tokens));
    }

    /// <summary>
    /// Appends the ids of a text's tokens, that of <c>xxbos</c> first, to a list: the same as
    /// <see cref="Vocabulary.Encode"/> of <see cref="Tokenize(string)"/>, without a string per token.
    /// </summary>
    /// <exception cref="ArgumentNullException">The vocabulary or the list is null.</exception>
    public void Encode(ReadOnlySpan<char> text, Vocabulary vocabulary, List<int> ids)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(ids);
        IdleScanners<TokenScanner<IdForm>> scanners = scannersOf.GetValue(vocabulary, static _ => new IdleScanners<TokenScanner<IdForm>>());
        TokenScanner<IdForm> scanner = scanners.Take() ?? new TokenScanner<IdForm>(new IdForm(vocabulary));
        ids.AddRange(scanner.Scan(text));
        if (text.Length <= LongestTextRemembered)
        {
            scanners.GiveBack(scanner);
        }
    }

    private readonly struct IdForm(Vocabulary vocabulary) : ITokenForm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Of(ReadOnlySpan<char> token) => vocabulary.IdOf(token);
    }
}
