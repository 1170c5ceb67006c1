using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Ulmfit.Reports;
using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary>What was measured with a number of labels.</summary>
/// <param name="Labels">How many rows were labelled.</param>
/// <param name="Scores">The scores.</param>
internal sealed record LowShotPoint(int Labels, Measurements Scores);

/// <summary>A way of training over numbers of labels.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What is done.</param>
/// <param name="Points">The points, fewest labels first.</param>
internal sealed record LowShotSeries(string Name, string Description, IReadOnlyList<LowShotPoint> Points);

/// <summary>Which rows of a whole are labelled.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SampleKind>))]
internal enum SampleKind
{
    /// <summary>Random ones, in which the classes have the shares of the whole (<see cref="StratifiedSample"/>).</summary>
    [JsonStringEnumMemberName("random")]
    Random,

    /// <summary>Those that stand for the others, whatever their class (<see cref="RepresentativeTexts"/>).</summary>
    [JsonStringEnumMemberName("representative")]
    Representative,
}

/// <summary>What <c>ulmfit lowshot</c> writes.</summary>
/// <param name="Finished">Whether every run is done.</param>
/// <param name="Subject">What the runs have in common.</param>
/// <param name="Sample">Which rows are labelled.</param>
/// <param name="Classes">How many classes there are.</param>
/// <param name="Series">The series, as far as they are done.</param>
internal sealed record LowShotReport(bool Finished, ComparisonSubject Subject, SampleKind Sample, int Classes, IReadOnlyList<LowShotSeries> Series)
{
    /// <summary>The table that goes into a text, and the runs behind it.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder(Subject.ToMarkdown())
            .Append(Sample == SampleKind.Random
                ? "Samples have the shares of the classes of the whole, and at least one row of each; the smaller sample of a seed is part of the larger one.\n\n"
                : "The pretrained language model chose the rows that are labelled by their texts alone: those that stand for the others. A class may be without a row.\n\n")
            .Append(Summary()).Append('\n');
        var runs = new MarkdownTable("training", " labels", " seed", " accuracy, %", " macro-F1", " seconds", "weights");
        foreach (LowShotSeries series in Series)
        {
            foreach ((LowShotPoint point, SeedScore run) in series.Points.SelectMany(point => point.Scores.Runs.Select(run => (point, run))))
            {
                runs.Add([series.Name, Number(point.Labels), .. run.Cells()]);
            }
        }

        return text.Append(runs).Append('\n').Append(string.Concat(Series.Select(series => $"* {series.Name}: {series.Description}\n"))).ToString();
    }

    /// <summary>The table of test errors, a row for each number of labels.</summary>
    public MarkdownTable Summary()
    {
        var table = new MarkdownTable([" labels", .. Series.Select(series => $" {series.Name}: error, %")]);
        foreach (int labels in Series.SelectMany(series => series.Points).Select(point => point.Labels).Distinct().Order())
        {
            table.Add([Number(labels), .. Series.Select(series => Measurements.Cell(series.Points.FirstOrDefault(point => point.Labels == labels)?.Scores.Error, 100, "F2"))]);
        }

        return table;
    }

    /// <summary>The curves as a picture.</summary>
    public string ToSvg() => LearningCurvePlot.ToSvg([.. Series.Select(series => new LearningCurve(
        series.Name, [.. series.Points.Where(point => point.Scores.Error is not null).Select(point => (point.Labels, point.Scores.Error!))]))]);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
