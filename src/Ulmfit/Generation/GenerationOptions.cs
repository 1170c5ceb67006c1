namespace Ulmfit.Generation;

/// <summary>How a language model writes.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens that are written.</summary>
    public int Tokens { get; init; } = 100;

    /// <summary>
    /// T: token i is drawn with a probability in proportion to p_i^(1/T). Below 1 the likely ones become likelier; 0 takes the
    /// likeliest always.
    /// </summary>
    public double Temperature { get; init; } = 0.8;

    /// <summary>Only the so many likeliest tokens are drawn from; 0 for all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Decides every draw.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>These options, if they make sense.</summary>
    /// <exception cref="ArgumentException">Tokens or top-k are negative, or the temperature is negative or no number.</exception>
    public GenerationOptions Validated()
    {
        if (Tokens < 0 || TopK < 0)
        {
            throw new ArgumentException($"The number of tokens ({Tokens}) and of the likeliest of them (top-k {TopK}) cannot be negative.");
        }

        return Temperature >= 0 && double.IsFinite(Temperature) ? this : throw new ArgumentException($"A temperature is 0 or above, but {Temperature} was given.");
    }
}
