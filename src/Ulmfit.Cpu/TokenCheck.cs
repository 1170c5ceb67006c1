namespace Ulmfit.Cpu;

/// <summary>Token ids come from outside; a wrong one must not be read as an address.</summary>
internal static class TokenCheck
{
    /// <summary>Throws where an id is not in the vocabulary.</summary>
    /// <exception cref="ArgumentException">An id is negative or not below <paramref name="vocabularySize"/>.</exception>
    public static void Throw(ReadOnlySpan<int> tokens, int vocabularySize)
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            if ((uint)tokens[i] >= (uint)vocabularySize)
            {
                throw new ArgumentException($"Token {tokens[i]} at position {i} is not in a vocabulary of {vocabularySize}.");
            }
        }
    }
}
