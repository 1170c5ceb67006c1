namespace Ulmfit.Onnx;

/// <summary>A text is too long to be explained.</summary>
/// <param name="tokens">Its tokens.</param>
/// <param name="limit">The most tokens that a text may have.</param>
public sealed class TextTooLongException(int tokens, int limit)
    : Exception(FormattableString.Invariant($"The text has {tokens} tokens, and only texts of at most {limit} are explained."))
{
    /// <summary>The most tokens that a text may have.</summary>
    public int Limit => limit;
}
