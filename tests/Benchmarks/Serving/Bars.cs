using System.Globalization;
using Ulmfit.Onnx;

namespace ServingBenchmark;

/// <summary>What a report has to show, as far as it has measured it.</summary>
internal static class Bars
{
    private const int ManyClients = 32;
    private const int ShortText = 8;
    private const double MostP99 = 3, MostAdded = 0.3, MostMilliseconds = 1500;

    /// <summary>The bars of what was measured, in the order of the report.</summary>
    public static IReadOnlyList<Bar> Of(ServingReport report) =>
    [
        .. report.Load.Where(HasBar).SelectMany(OfLoad),
        .. report.Overheads.Select(measure => new Bar(Line($"{measure.Model}, {measure.Tokens} tokens: added to the computation, ms"), measure.Added, MostAdded, IsMost: true)),
        .. report.ColdStarts.Where(measure => measure.Model.Size == NetworkSize.Base)
            .Select(measure => new Bar($"{measure.Model}: first answer after the start, ms", measure.AnswersAfter, MostMilliseconds, IsMost: true)),
    ];

    // What a published model answers with as a rule; of the others it is told how fast they are, and no more.
    private static bool HasBar(LoadMeasure measure) => measure is { Model: { Size: NetworkSize.EnSmall, Precision: OnnxPrecision.Int8 }, Training: false };

    private static IEnumerable<Bar> OfLoad(LoadMeasure measure)
    {
        if (measure.Clients == ManyClients && PublishedFigures.InfinityOf(measure.Tokens) is { } published)
        {
            double least = !measure.Model.Backward || measure.Tokens == ShortText ? 2 : 1;
            yield return new Bar(Line($"{measure.Model}, {measure.Tokens} tokens, {measure.Clients} clients: requests a second against Infinity's"), measure.RequestsPerSecond / published, least, IsMost: false);
        }
        if (measure.Clients == 1)
        {
            yield return new Bar(Line($"{measure.Model}, {measure.Tokens} tokens, one client: p99 against p50"), measure.P99 / measure.P50, MostP99, IsMost: true);
        }
    }

    private static string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Something that has to hold.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Measured">The figure.</param>
/// <param name="Limit">What it is held against.</param>
/// <param name="IsMost">Whether that is the most it may be, and not the least.</param>
internal sealed record Bar(string What, double Measured, double Limit, bool IsMost)
{
    /// <summary>Whether it holds. What could not be measured does not.</summary>
    public bool Holds => IsMost ? Measured <= Limit : Measured >= Limit;
}
