namespace Ulmfit.Text;

/// <summary>Counts the tokens of texts. Any number of threads may add at once.</summary>
public sealed class TokenTally
{
    private long tokens;
    private long words;
    private long unknown;

    /// <summary>All tokens, the special ones among them: what is computed.</summary>
    public long Tokens => Interlocked.Read(ref tokens);

    /// <summary>Tokens that stand for a word, known or not.</summary>
    public long Words => Interlocked.Read(ref words);

    /// <summary>Words that the vocabulary does not have.</summary>
    public long UnknownWords => Interlocked.Read(ref unknown);

    /// <summary>Adds a text.</summary>
    /// <param name="ids">Its tokens as <see cref="Vocabulary.Encode"/> gives them.</param>
    public void Add(ReadOnlySpan<int> ids)
    {
        (long ofWords, long ofUnknown) = Vocabulary.CountWords(ids);
        Interlocked.Add(ref tokens, ids.Length);
        Interlocked.Add(ref words, ofWords);
        Interlocked.Add(ref unknown, ofUnknown);
    }
}
