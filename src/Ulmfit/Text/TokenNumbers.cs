using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>
/// Numbers tokens in the order in which they are first met, the special tokens by their ids: what stands for a token
/// where there is no vocabulary yet. For one thread at a time.
/// </summary>
internal sealed class TokenNumbers
{
    private const int UsualWords = 1 << 14;

    private readonly SpanMap<int> numbers = new(UsualWords);

    internal TokenNumbers()
    {
        foreach (string special in SpecialTokens.All)
        {
            numbers.Add(special, numbers.Count);
        }
    }

    /// <summary>How many different tokens were met.</summary>
    internal int Count => numbers.Count;

    /// <summary>The token of a number.</summary>
    internal string this[int number] => numbers.KeyAt(number);

    /// <summary>The number of a token, a new one for a new token.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Of(ReadOnlySpan<char> token)
    {
        if (!numbers.TryGet(token, out int number))
        {
            number = numbers.Count;
            numbers.Add(token.ToString(), number);
        }

        return number;
    }
}
