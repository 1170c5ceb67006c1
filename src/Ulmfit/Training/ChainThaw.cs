namespace Ulmfit.Training;

/// <summary>
/// Chain-thaw (Felbo et al. 2017), which ULMFiT is compared with: the head alone, then each group alone from the lowest
/// up, one epoch each, then all together. The groups below the head learn at a tenth of its rate, whatever is said of
/// discriminative rates, which are another method's.
/// </summary>
public static class ChainThaw
{
    private const double ShareOfLowerGroups = 0.1;

    /// <summary>The classifier stages.</summary>
    /// <param name="groups">Number of parameter groups.</param>
    /// <param name="epochs">Epochs of the last stage.</param>
    /// <param name="learningRate">Rate of the head.</param>
    public static IEnumerable<Stage> Stages(int groups, int epochs, double learningRate)
    {
        double[] rates = [.. Enumerable.Repeat(ShareOfLowerGroups * learningRate, groups - 1), learningRate];
        yield return new Stage("head", StageKind.Classifier, 1, GradualUnfreezing.TopGroups(groups, 1), rates);
        for (int only = 0; only < groups - 1; only++)
        {
            int group = only;
            yield return new Stage($"only-{group + 1}", StageKind.Classifier, 1, [.. Enumerable.Range(0, groups).Select(g => g == group)], rates);
        }

        yield return new Stage("all", StageKind.Classifier, epochs, GradualUnfreezing.TopGroups(groups, groups), rates);
    }
}
