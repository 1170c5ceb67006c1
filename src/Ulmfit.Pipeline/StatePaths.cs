using System.Globalization;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Pipeline;

/// <summary>
/// Where things stand in the container <see cref="Containers.State"/>. Numbers are padded, so that a listing is in their order.
/// </summary>
internal static class StatePaths
{
    public const string Datasets = "datasets/";
    public const string Runs = "runs/";
    public const string Pretrainings = "pretrainings/";

    public static string Settings(string dataset) => $"datasets/{dataset}/settings.json";

    public static string DatasetManifest(string dataset) => $"datasets/{dataset}/manifest.json";

    public static string DatasetVersions(string dataset) => $"datasets/{dataset}/versions/";

    public static string DatasetVersion(string dataset, int version) => $"{DatasetVersions(dataset)}{Padded(version)}.json";

    /// <summary>Payloads of a data set's versions.</summary>
    public static string DataPayloads(string dataset) => $"sha256/{dataset}/data/";

    public static string RunsOf(string dataset) => $"{Runs}{dataset}/";

    public static string Run(RunId run) => $"{RunsOf(run.Dataset)}{Padded(run.Number)}.json";

    public static string CancelsOf(string dataset) => $"cancels/{dataset}/";

    public static string Cancel(RunId run) => $"{CancelsOf(run.Dataset)}{Padded(run.Number)}.json";

    public static string ProgressOf(RunId run) => $"progress/{run.Dataset}/{Padded(run.Number)}/";

    public static string Progress(RunId run, Direction direction) => $"{ProgressOf(run)}{NameOf(direction)}.json";

    public static string StepsOf(string dataset) => $"steps/{dataset}/";

    public static string StepsOf(RunId run) => $"{StepsOf(run.Dataset)}{Padded(run.Number)}/";

    public static string StepsOf(RunId run, Direction direction) => $"{StepsOf(run)}{NameOf(direction)}/";

    public static string Candidate(RunId run) => $"{StepsOf(run)}candidate.json";

    public static string ReportsOf(string dataset) => $"reports/{dataset}/";

    /// <summary>The report of a run, which outlives its checkpoints.</summary>
    public static string Report(RunId run) => $"{ReportsOf(run.Dataset)}{Padded(run.Number)}.json";

    public static string PayloadsOfRuns(string dataset) => $"sha256/{dataset}/runs/";

    /// <summary>Payloads of one run's steps. They are apart from those of other runs, so that a run's can be deleted whole.</summary>
    public static string Payloads(RunId run) => $"{PayloadsOfRuns(run.Dataset)}{Padded(run.Number)}/";

    /// <summary>Who holds which version number of a model.</summary>
    public static string VersionReservations(string model) => $"versions/{model}/";

    public static string VersionReservation(string model, int version) => $"{VersionReservations(model)}{Padded(version)}.json";

    /// <summary>What models were asked, by version and day: <c>served/{model}/{version}/{day}/{process}.json</c>.</summary>
    public const string ServedDays = "served/";

    /// <summary>How days are written, so that a listing is in their order.</summary>
    public const string DayFormat = "yyyy-MM-dd";

    public static string ServedOf(string model, int version) => $"{ServedDays}{model}/{Padded(version)}/";

    public static string ServedOf(string model, int version, DateOnly day) => $"{ServedOf(model, version)}{day.ToString(DayFormat, CultureInfo.InvariantCulture)}/";

    public static string Served(string model, int version, DateOnly day, string writer) => $"{ServedOf(model, version, day)}{writer}.json";

    public static string Pretraining(string name) => $"{Pretrainings}{name}.json";

    public static string PretrainingSteps(string name, Direction direction) => $"pretraining-steps/{name}/{NameOf(direction)}/";

    public static string PretrainingNote(string name) => $"pretraining-progress/{name}.json";

    /// <summary>Checkpoints of a pretraining, deleted whole when its model is published. No data set has a name with an underscore.</summary>
    public static string PretrainingPayloads(string name) => $"sha256/_pretraining/{name}/";

    /// <summary>Rows of feedback that wait to become a drop.</summary>
    public const string FeedbackRows = "feedback/rows/";

    public static string FeedbackRowsOf(string dataset) => $"{FeedbackRows}{dataset}/";

    public static string FeedbackRow(string dataset, string digest) => $"{FeedbackRowsOf(dataset)}{digest}.json";

    /// <summary>The time of the last call of feedback.</summary>
    public static string FeedbackClock(string dataset) => $"feedback/clocks/{dataset}.json";

    /// <summary>The calls of feedback that came under a key.</summary>
    public static string FeedbackKeysOf(string dataset) => $"feedback/keys/{dataset}/";

    public static string FeedbackKey(string dataset, string digest) => $"{FeedbackKeysOf(dataset)}{digest}.json";

    /// <summary>Served texts worth labelling, where they are written down at all.</summary>
    public const string UncertainTexts = "uncertain/";

    public static string UncertainOf(string dataset) => $"{UncertainTexts}{dataset}/";

    /// <summary>Those of a day and a process; of a day that is over, those of all processes are put together.</summary>
    public static string Uncertain(string dataset, string day, string process) => $"{UncertainOf(dataset)}{day}/{process}.json";

    public static string NameOf(Direction direction) => direction == Direction.Forward ? "forward" : "backward";

    public static string Padded(int number) => number.ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>The number that a padded name such as <c>a/b/000012.json</c> or <c>a/b/000012/…</c> has behind a prefix.</summary>
    public static bool TryNumber(string name, string prefix, out int number)
    {
        number = 0;
        if (!name.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }
        ReadOnlySpan<char> rest = name.AsSpan(prefix.Length);
        int end = rest.IndexOfAny('.', '/');
        return end > 0 && int.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
    }
}
