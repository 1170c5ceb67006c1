using Ulmfit.Text;

namespace Ulmfit.Onnx.Execution;

/// <summary>
/// A text with each of its parts left out (representation erasure; Li, Monroe &amp; Jurafsky, "Understanding neural networks through
/// representation erasure", 2016): what the model thinks without a part, it does not think because of it. The tokens of a part are taken
/// out of the text's tokens; the others stay what they were in the whole text.
/// </summary>
/// <remarks>
/// As many parts as words where the tokens of all the shortened texts together are within the budget; of a longer text, as many as are,
/// each of the same number of words. The parts are a function of the text and the budget alone.
/// </remarks>
internal sealed class Occlusion
{
    private readonly int[] tokens;
    private readonly LocatedWord[] parts;

    /// <summary>Cuts a text into parts.</summary>
    /// <param name="text">The text with its tokens.</param>
    /// <param name="ids">The tokens' ids.</param>
    /// <param name="budget">The most tokens that are computed, about.</param>
    /// <exception cref="TextTooLongException">The budget is too small for <see cref="Explanation.FewestParts"/>.</exception>
    public Occlusion(LocatedText text, int[] ids, int budget)
    {
        int most = budget / ids.Length;
        if (text.Words.Count > most && most < Explanation.FewestParts)
        {
            throw new TextTooLongException(ids.Length, budget / Explanation.FewestParts);
        }

        tokens = ids;
        int together = text.Words.Count <= most ? 1 : (text.Words.Count + most - 1) / most;
        parts = [.. text.Words.Chunk(together).Select(Join)];
    }

    /// <summary>How many parts there are.</summary>
    public int Count => parts.Length;

    /// <summary>The text without a part: at least xxbos.</summary>
    public int[] Without(int part) =>
        [.. tokens.AsSpan(0, parts[part].FirstToken), .. tokens.AsSpan(parts[part].FirstToken + parts[part].TokenCount)];

    /// <summary>How much each part speaks for a class.</summary>
    /// <param name="probabilities">Of the whole text: <c>[classes]</c>.</param>
    /// <param name="without">Of the text without each part: <c>[parts][classes]</c>.</param>
    /// <param name="label">The class.</param>
    public TextContribution[] Contributions(float[] probabilities, IReadOnlyList<float[]> without, int label)
    {
        double whole = LogOdds(probabilities, label);
        return [.. parts.Select((part, i) => new TextContribution(part.Start, part.End, whole - LogOdds(without[i], label)))];
    }

    // Of all the others rather than 1 - p: near 1, float32 has no p to tell them apart.
    private static double LogOdds(float[] probabilities, int label)
    {
        double others = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            others += i == label ? 0 : probabilities[i];
        }

        return Math.Clamp(Math.Log(probabilities[label]) - Math.Log(others), -TextContribution.MostLogOdds, TextContribution.MostLogOdds);
    }

    private static LocatedWord Join(LocatedWord[] words) =>
        new(words[0].Start, words[^1].End, words[0].FirstToken, words[^1].FirstToken + words[^1].TokenCount - words[0].FirstToken);
}
