namespace Ulmfit.Pipeline.Drift;

/// <summary>What a version of a model was asked on a day. No text is part of it.</summary>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="Texts">Texts in them.</param>
/// <param name="Tokens">Tokens of those texts.</param>
/// <param name="Words">Tokens that stand for a word.</param>
/// <param name="UnknownWords">Words that the vocabulary does not have.</param>
/// <param name="Classes">How often each label was the best one.</param>
public sealed record ServedCounts(long Requests, long Texts, long Tokens, long Words, long UnknownWords, IReadOnlyList<ClassFrequency> Classes)
{
    /// <summary>Nothing.</summary>
    public static ServedCounts None { get; } = new(0, 0, 0, 0, 0, []);

    /// <summary>Both together; labels in the order in which they come.</summary>
    public static ServedCounts operator +(ServedCounts a, ServedCounts b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return new ServedCounts(
            a.Requests + b.Requests, a.Texts + b.Texts, a.Tokens + b.Tokens, a.Words + b.Words, a.UnknownWords + b.UnknownWords,
            [
                .. a.Classes.Concat(b.Classes)
                    .GroupBy(frequency => frequency.Label, StringComparer.Ordinal)
                    .Select(group => new ClassFrequency(group.Key, group.Sum(frequency => frequency.Count))),
            ]);
    }
}
