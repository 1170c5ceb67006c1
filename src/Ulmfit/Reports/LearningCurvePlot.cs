using System.Globalization;
using Ulmfit.Metrics;

namespace Ulmfit.Reports;

/// <summary>A way of training over numbers of labels.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">Numbers of labels, fewest first, with the test errors (0 to 1) that were measured.</param>
public sealed record LearningCurve(string Name, IReadOnlyList<(int Labels, SampleStatistics Error)> Points);

/// <summary>The test error over the number of labels, on a logarithmic axis (Howard &amp; Ruder 2018, figure 3); bars reach from the least to the greatest error.</summary>
public static class LearningCurvePlot
{
    private static readonly PlotStyle[] Styles = [PlotStyle.Circles, PlotStyle.Diamonds, PlotStyle.Squares, PlotStyle.Triangles];

    /// <summary>The plot as an SVG file; empty when no curve has a point.</summary>
    /// <param name="curves">The curves, four at most.</param>
    /// <exception cref="ArgumentException">There are more curves than can be told apart.</exception>
    public static string ToSvg(IReadOnlyList<LearningCurve> curves)
    {
        ArgumentNullException.ThrowIfNull(curves);
        if (curves.Count > Styles.Length)
        {
            throw new ArgumentException($"At most {Styles.Length} curves can be told apart, {curves.Count} were given.", nameof(curves));
        }

        double[] labels = [.. curves.SelectMany(curve => curve.Points).Select(point => (double)point.Labels).Distinct().Order()];
        var plot = new SvgPlot
        {
            Description = string.Join(' ', curves.Where(curve => curve.Points.Count > 0).Select(Summary)),
            XLabel = "labels",
            YLabel = "test error, %",
            FromZero = true,
            LogarithmicAt = labels,
            Series = [.. curves.Zip(Styles, (curve, style) => new PlotSeries(curve.Name, style, [.. curve.Points.Select(point => PointOf(curve, point.Labels, point.Error))]))],
        };
        return labels.Length == 0 ? "" : plot.ToFile();
    }

    private static PlotPoint PointOf(LearningCurve curve, int labels, SampleStatistics error)
    {
        string spread = error.StandardDeviation is double deviation ? string.Create(CultureInfo.InvariantCulture, $" ± {100 * deviation:F2}, {error.Count} seeds") : "";
        return new PlotPoint(labels, 100 * error.Mean, string.Create(CultureInfo.InvariantCulture, $"{curve.Name}, {labels} labels: {100 * error.Mean:F2} %{spread}"))
        {
            Range = error.Count > 1 ? (100 * error.Minimum, 100 * error.Maximum) : null,
        };
    }

    private static string Summary(LearningCurve curve) => string.Create(
        CultureInfo.InvariantCulture,
        $"{curve.Name}: test error {100 * curve.Points[0].Error.Mean:F1} % with {curve.Points[0].Labels} labels, {100 * curve.Points[^1].Error.Mean:F1} % with {curve.Points[^1].Labels}.");
}
