namespace Ulmfit.Text;

/// <summary>Which words a <see cref="Vocabulary"/> takes in; fastai's values by default.</summary>
public sealed record VocabularyOptions
{
    /// <summary>How often a word must occur.</summary>
    public int MinimumCount { get; init; } = 3;

    /// <summary>The most tokens it may have, special tokens counted, the filling to a multiple of 8 not.</summary>
    public int MaximumSize { get; init; } = 60_000;

    /// <summary>Whether it is filled up with <see cref="SpecialTokens.Filler"/> to a multiple of 8, which kernels and GPUs like.</summary>
    public bool PadToMultipleOf8 { get; init; } = true;

    /// <exception cref="ArgumentOutOfRangeException">A value makes no sense.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MinimumCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumSize, SpecialTokens.Count);
    }
}
