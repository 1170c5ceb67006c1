namespace Ulmfit.Training;

/// <summary>Settings of the report of a run. They change nothing of the training.</summary>
public sealed record ReportSettings
{
    /// <summary>
    /// How many of the measured rows with the highest loss the report shows. Their texts are then part of it; with 0 it holds
    /// no text of the data.
    /// </summary>
    public int HardestExamples { get; init; } = 20;

    internal void Check(Action<bool, string, string> check) => check(HardestExamples is >= 0 and <= 1000, "report.hardestExamples", "must lie in [0, 1000]");
}
