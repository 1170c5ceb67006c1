namespace Ulmfit.Training;

/// <summary>
/// Chain-thaw (Felbo et al. 2017), which ULMFiT is compared with: the head alone, then each group alone from the lowest
/// up, one epoch each, then all together.
/// </summary>
public static class ChainThaw
{
    /// <summary>The classifier stages; the last has <paramref name="epochs"/> epochs.</summary>
    public static IEnumerable<Stage> Stages(int groups, int epochs, double[] rates)
    {
        yield return new Stage("head", StageKind.Classifier, 1, GradualUnfreezing.TopGroups(groups, 1), rates);
        for (int only = 0; only < groups - 1; only++)
        {
            int group = only;
            yield return new Stage($"only-{group + 1}", StageKind.Classifier, 1, [.. Enumerable.Range(0, groups).Select(g => g == group)], rates);
        }

        yield return new Stage("all", StageKind.Classifier, epochs, GradualUnfreezing.TopGroups(groups, groups), rates);
    }
}
