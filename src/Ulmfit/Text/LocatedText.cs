namespace Ulmfit.Text;

/// <summary>A text's tokens and where in the text they come from.</summary>
/// <param name="Tokens">The tokens, <c>xxbos</c> first.</param>
/// <param name="Words">What they stand for, in the order of the text. Of the tokens, each but <c>xxbos</c> belongs to one word.</param>
public sealed record LocatedText(IReadOnlyList<string> Tokens, IReadOnlyList<LocatedWord> Words);

/// <summary>
/// A part of a text that became tokens which belong together: a word or sign, with what marks its case (<c>xxmaj</c>, <c>xxup</c>); all of a
/// repetition with what marks that (<c>xxrep</c>, <c>xxwrep</c>); one or more line ends; several words where one entity of HTML became them.
/// </summary>
/// <param name="Start">Where it begins in the text, in UTF-16 units.</param>
/// <param name="End">Where it ends: behind its last unit. Words do not overlap.</param>
/// <param name="FirstToken">Its first token.</param>
/// <param name="TokenCount">How many tokens it has, at least one; they stand side by side.</param>
public readonly record struct LocatedWord(int Start, int End, int FirstToken, int TokenCount);
