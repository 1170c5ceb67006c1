using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Generation;

/// <summary>
/// Draws token after token. Equal options and probabilities give equal tokens; with a temperature other than 0 and 1 as far
/// as the machine's power function has the same bits.
/// </summary>
internal sealed class TokenSampler
{
    private readonly GenerationOptions options;
    private readonly bool[] never;
    private readonly Philox random;
    private readonly PriorityQueue<int, (float Probability, int Order)> best = new();
    private readonly List<int> candidates = [];
    private long drawn;

    /// <summary>A sampler for one text.</summary>
    public TokenSampler(GenerationOptions options, Vocabulary vocabulary)
    {
        this.options = options;
        random = new Philox(new RandomKey(options.Seed, 0, 0, 0), RandomPurpose.Generation);

        // What stands for no word is not written: a model gives unknown words a tenth of its mass.
        never = [.. vocabulary.Tokens.Select((token, id) => id is SpecialTokens.UnknownId or SpecialTokens.PaddingId || token == SpecialTokens.Filler)];
    }

    /// <summary>Whether a token stands for the end of a text.</summary>
    public static bool IsEnd(int token) => token is SpecialTokens.BeginningId or SpecialTokens.EndId;

    /// <summary>The next token.</summary>
    /// <param name="probabilities">That of each token.</param>
    /// <param name="mayEnd">Whether it may be the end of the text.</param>
    public int Next(ReadOnlySpan<float> probabilities, bool mayEnd)
    {
        candidates.Clear();
        int most = options.Temperature == 0 ? 1 : options.TopK == 0 ? int.MaxValue : options.TopK;
        for (int token = 0; token < probabilities.Length; token++)
        {
            if (never[token] || (!mayEnd && IsEnd(token)))
            {
                continue;
            }

            if (most == int.MaxValue)
            {
                candidates.Add(token);
                continue;
            }

            // Of equal ones the first.
            (float, int) priority = (probabilities[token], -token);
            if (best.Count < most)
            {
                best.Enqueue(token, priority);
            }
            else
            {
                best.EnqueueDequeue(token, priority);
            }
        }

        while (best.TryDequeue(out int token, out _))
        {
            candidates.Add(token);
        }

        return candidates.Count == 0 ? throw new InvalidDataException("The vocabulary has no token that could be written.") : Draw(probabilities);
    }

    private int Draw(ReadOnlySpan<float> probabilities)
    {
        candidates.Sort();
        if (options.Temperature == 0)
        {
            return candidates[0];
        }

        float likeliest = 0;
        foreach (int token in candidates)
        {
            likeliest = Math.Max(likeliest, probabilities[token]);
        }

        double total = 0;
        var weights = new double[candidates.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = Weight(probabilities[candidates[i]], likeliest);
            total += weights[i];
        }

        double left = Uniform() * total;
        int last = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] > 0)
            {
                last = i;
                left -= weights[i];
                if (left < 0)
                {
                    break;
                }
            }
        }

        return candidates[last];
    }

    private double Weight(float probability, float likeliest) =>
        likeliest == 0 ? 1 : options.Temperature == 1 ? probability : Math.Pow((double)probability / likeliest, 1 / options.Temperature);

    /// <summary>In [0, 1), of 53 bits.</summary>
    private double Uniform()
    {
        uint high = random.Word(drawn) >> 5, low = random.Word(drawn + 1) >> 6;
        drawn += 2;
        return ((high * 67108864.0) + low) / 9007199254740992.0;
    }
}
