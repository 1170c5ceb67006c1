using Ulmfit.Engine;

namespace Ulmfit.Torch;

/// <summary>What comes from outside is checked before anything changes; a wrong token id must not be read as an address.</summary>
internal static class BatchCheck
{
    /// <summary>Throws where an id is not in the vocabulary.</summary>
    /// <exception cref="ArgumentException">An id is negative or not below <paramref name="vocabularySize"/>.</exception>
    public static void Tokens(ReadOnlySpan<int> tokens, int vocabularySize)
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            if ((uint)tokens[i] >= (uint)vocabularySize)
            {
                throw new ArgumentException($"Token {tokens[i]} at position {i} is not in a vocabulary of {vocabularySize}.");
            }
        }
    }

    /// <summary>Throws where a step does not go with a network of that many groups.</summary>
    /// <exception cref="ArgumentException">The step has another number of groups, or a number below 1.</exception>
    public static void Step(OptimizerStep step, int groups)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (step.Groups.Count != groups)
        {
            throw new ArgumentException($"The network has {groups} parameter groups, but the step has {step.Groups.Count}.", nameof(step));
        }

        if (step.Number < 1)
        {
            throw new ArgumentException($"Steps are numbered from 1, but {step.Number} was given.", nameof(step));
        }
    }
}
