namespace Ulmfit.Training;

/// <summary>
/// Discriminative fine-tuning (Howard &amp; Ruder 2018, 3.2): the top group learns at the stage's rate, each group below
/// it at <c>η(l−1) = η(l) / factor</c>.
/// </summary>
public static class DiscriminativeLearningRates
{
    /// <summary>The paper's factor.</summary>
    public const double PaperFactor = 2.6;

    /// <summary>Learning rates of <paramref name="groups"/> groups, lowest first; a factor of 1 gives all the same.</summary>
    public static double[] Of(double top, int groups, double factor)
    {
        var rates = new double[groups];
        double rate = top;
        for (int group = groups - 1; group >= 0; group--)
        {
            rates[group] = rate;
            rate /= factor;
        }

        return rates;
    }
}
