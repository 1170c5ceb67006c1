using System.Globalization;

namespace Ulmfit.Pipeline.Registry;

/// <summary>Whether a trained model becomes the champion. All scores are of the same held-out rows.</summary>
/// <remarks>
/// <list type="number">
/// <item>A model that does no better than always answering the most frequent class is rejected, champion or not.</item>
/// <item>Without a champion, any other model is accepted.</item>
/// <item>Otherwise the higher macro-F1 wins, then the higher accuracy.</item>
/// <item>Where both are equal, the model is accepted if it was trained on more rows: what it knows more of will show in texts that
/// nobody has held out. Else the champion stays, so that training again on the same data publishes nothing.</item>
/// </list>
/// </remarks>
public static class EvaluationGate
{
    /// <summary>Decides.</summary>
    /// <param name="candidate">Scores of the trained model.</param>
    /// <param name="candidateTrainRows">Rows it was trained on.</param>
    /// <param name="baseline">Scores of always answering the class that is most frequent in the training rows.</param>
    /// <param name="champion">The champion; null where there is none.</param>
    public static GateDecision Decide(Scores candidate, int candidateTrainRows, Scores baseline, ChampionScores? champion)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        ArgumentNullException.ThrowIfNull(baseline);
        if (candidate.Rows == 0)
        {
            return champion is null
                ? new GateDecision(true, "published unmeasured: no row is held out")
                : new GateDecision(false, "rejected: no row is held out, so nothing shows that it is better than the champion");
        }
        if (Compare(candidate, baseline) <= 0)
        {
            return new GateDecision(false, $"rejected: no better ({Text(candidate)}) than always answering the most frequent class ({Text(baseline)})");
        }
        if (champion is null)
        {
            return new GateDecision(true, $"published as the first champion: {Text(candidate)}");
        }
        string pair = $"{Text(candidate)} against {Text(champion.Scores)} of version {champion.Version}";
        return Compare(candidate, champion.Scores) switch
        {
            > 0 => new GateDecision(true, $"published: {pair}"),
            < 0 => new GateDecision(false, $"rejected: {pair}"),
            _ when candidateTrainRows > champion.TrainRows =>
                new GateDecision(true, $"published: as good as version {champion.Version} ({Text(candidate)}) and trained on {candidateTrainRows - champion.TrainRows} more rows"),
            _ => new GateDecision(false, $"rejected: no better than version {champion.Version} ({Text(candidate)})"),
        };
    }

    private static int Compare(Scores a, Scores b)
    {
        int byF1 = a.MacroF1.CompareTo(b.MacroF1);
        return byF1 != 0 ? byF1 : a.Accuracy.CompareTo(b.Accuracy);
    }

    private static string Text(Scores scores) =>
        string.Create(CultureInfo.InvariantCulture, $"macro-F1 {scores.MacroF1:0.0000}, accuracy {scores.Accuracy:0.0000}");
}

/// <summary>The champion in a comparison.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Scores">Its scores on the candidate's held-out rows.</param>
/// <param name="TrainRows">Rows it was trained on.</param>
public sealed record ChampionScores(int Version, Scores Scores, int TrainRows);

/// <summary>What the gate decided.</summary>
/// <param name="Accepted">Whether the model becomes the champion.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record GateDecision(bool Accepted, string Reason);
