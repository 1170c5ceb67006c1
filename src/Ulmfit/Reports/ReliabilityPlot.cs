using System.Globalization;
using Ulmfit.Metrics;

namespace Ulmfit.Reports;

/// <summary>
/// A reliability diagram: for each bin of confidence how often the model is right, beside the diagonal on which it would be
/// right as often as it says; below, how many rows are in each bin.
/// </summary>
internal static class ReliabilityPlot
{
    private const double Size = 400;
    private const double Left = 54;
    private const double Top = 30;
    private const double Bottom = 300;
    private const double CountsTop = 312;
    private const double CountsBottom = 350;

    /// <summary>Writes the SVG.</summary>
    public static void WriteTo(MarkupWriter to, Calibration calibration)
    {
        var x = new PlotScale(0, 1, Left, Size - 12, Logarithmic: false);
        var y = new PlotScale(0, 1, Bottom, Top, Logarithmic: false);
        int most = Math.Max(1, calibration.Bins.Max(bin => bin.Count));
        string description = string.Create(
            CultureInfo.InvariantCulture, $"Reliability diagram. Expected calibration error {calibration.ExpectedError:P1}; the table beside it has the numbers.");
        using MarkupWriter.Scope svg = to.Open("svg", ("class", "plot square"), ("viewBox", $"0 0 {Size} {Size}"), ("role", "img"), ("aria-label", description));
        foreach (double tick in (double[])[0, 0.2, 0.4, 0.6, 0.8, 1])
        {
            to.Void("line", ("class", "grid"), ("x1", Left), ("x2", Size - 12), ("y1", y.At(tick)), ("y2", y.At(tick)));
            to.Element("text", AxisTicks.Text(tick, 0.2), ("class", "tick"), ("x", Left - 6), ("y", y.At(tick) + (SvgPlot.FontSize * 0.35)), ("text-anchor", "end"));
            to.Element("text", AxisTicks.Text(tick, 0.2), ("class", "tick"), ("x", x.At(tick)), ("y", CountsBottom + 18), ("text-anchor", "middle"));
        }

        foreach (CalibrationBin bin in calibration.Bins.Where(bin => bin.Count > 0))
        {
            double from = x.At(bin.Lower) + 1, width = x.At(bin.Upper) - x.At(bin.Lower) - 2, height = bin.Count * (CountsBottom - CountsTop) / most;
            using (to.Open("g"))
            {
                to.Element("title", string.Create(CultureInfo.InvariantCulture, $"confidence {bin.Lower:0.##} to {bin.Upper:0.##}: {bin.Count} rows, on average {bin.Confidence:P1} sure, {bin.Accuracy:P1} right"));
                to.Void("rect", ("class", "bar"), ("x", from), ("y", y.At(bin.Accuracy)), ("width", width), ("height", Bottom - y.At(bin.Accuracy)));
                to.Void("rect", ("class", "count"), ("x", from), ("y", CountsBottom - Math.Max(1, height)), ("width", width), ("height", Math.Max(1, height)));
                to.Void("circle", ("class", "marker-b"), ("cx", x.At(bin.Confidence)), ("cy", y.At(bin.Accuracy)), ("r", 4));
            }
        }

        to.Void("line", ("class", "diagonal"), ("x1", x.At(0)), ("y1", y.At(0)), ("x2", x.At(1)), ("y2", y.At(1)));
        to.Void("line", ("class", "axis"), ("x1", Left), ("x2", Size - 12), ("y1", Bottom), ("y2", Bottom));
        to.Void("line", ("class", "axis"), ("x1", Left), ("x2", Size - 12), ("y1", CountsBottom), ("y2", CountsBottom));
        to.Element("text", "rows", ("class", "tick"), ("x", Left - 6), ("y", CountsBottom - 10), ("text-anchor", "end"));
        to.Element("text", "confidence: probability of the predicted class", ("class", "label"), ("x", (Left + Size - 12) / 2), ("y", Size - 8), ("text-anchor", "middle"));
        to.Element("text", "share that is right", ("class", "label"), ("x", 13), ("y", (Top + Bottom) / 2), ("text-anchor", "middle"), ("transform", $"rotate(-90 13 {(Top + Bottom) / 2})"));
        to.Void("rect", ("class", "bar"), ("x", Left), ("y", 8), ("width", 14), ("height", 10));
        to.Void("circle", ("class", "marker-b"), ("cx", Left + 7), ("cy", 8), ("r", 4));
        to.Element("text", "rows of a bin", ("class", "tick"), ("x", Left + 20), ("y", 16.5));
        to.Void("line", ("class", "diagonal"), ("x1", Left + 126), ("x2", Left + 150), ("y1", 12), ("y2", 12));
        to.Element("text", "right as often as it says", ("class", "tick"), ("x", Left + 156), ("y", 16.5));
    }
}
