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
            yield return new Stage(top == 1 ? "head" : $"last-{top}", StageKind.Classifier, 1, TopGroups(groups, top), ratesOf(top == 1 ? 2 * learningRate : learningRate));
        }

        yield return new Stage("all", StageKind.Classifier, epochs, TopGroups(groups, groups), ratesOf(learningRate));
    }

    /// <summary>True for the <paramref name="top"/> highest of <paramref name="groups"/> groups.</summary>
    internal static bool[] TopGroups(int groups, int top) => [.. Enumerable.Range(0, groups).Select(group => group >= groups - top)];
}
