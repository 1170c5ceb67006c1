namespace Ulmfit.Training;

/// <summary>
/// Gradual unfreezing (Howard &amp; Ruder 2018, 3.3): the head alone for one epoch, then with one more group from the top
/// each epoch, then all groups to the end.
/// </summary>
public static class GradualUnfreezing
{
    /// <summary>The classifier stages.</summary>
    /// <param name="groups">Number of parameter groups.</param>
    /// <param name="epochs">Epochs of the last stage, in which all groups are trained.</param>
    /// <param name="learningRate">Rate of the last stage; the first runs at twice that, the ones between at the same.</param>
    /// <param name="ratesOf">Spreads a stage's rate over the groups.</param>
    public static IEnumerable<Stage> Stages(int groups, int epochs, double learningRate, Func<double, double[]> ratesOf)
    {
        ArgumentNullException.ThrowIfNull(ratesOf);
        for (int top = 1; top < groups; top++)
        {
            yield return TopStage(groups, top, 1, ratesOf(top == 1 ? 2 * learningRate : learningRate));
        }

        yield return TopStage(groups, groups, epochs, ratesOf(learningRate));
    }

    /// <summary>A classifier stage that trains the <paramref name="top"/> highest of <paramref name="groups"/> groups.</summary>
    internal static Stage TopStage(int groups, int top, int epochs, double[] rates) =>
        new(top == 1 ? "head" : top == groups ? "all" : $"last-{top}", StageKind.Classifier, epochs, TopGroups(groups, top), rates);

    /// <summary>True for the <paramref name="top"/> highest of <paramref name="groups"/> groups.</summary>
    internal static bool[] TopGroups(int groups, int top) => [.. Enumerable.Range(0, groups).Select(group => group >= groups - top)];
}
