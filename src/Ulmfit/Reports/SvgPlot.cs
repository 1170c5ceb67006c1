using System.Globalization;
using System.Text;

namespace Ulmfit.Reports;

/// <summary>A point of a series.</summary>
/// <param name="X">Where along the horizontal axis.</param>
/// <param name="Y">Where along the vertical axis.</param>
/// <param name="Tooltip">What is told of it.</param>
internal sealed record PlotPoint(double X, double Y, string Tooltip)
{
    /// <summary>The least and the greatest of the values whose mean the point is, drawn as a bar; null where it is one value.</summary>
    public (double Least, double Greatest)? Range { get; init; }
}

/// <summary>How a series is drawn: by colour and by form, since not everybody tells colours apart.</summary>
internal enum PlotStyle
{
    /// <summary>The first colour, a line.</summary>
    Line,

    /// <summary>The second colour, a broken line with diamonds.</summary>
    Diamonds,

    /// <summary>The first colour, a line with circles.</summary>
    Circles,

    /// <summary>The third colour, a dotted line with squares.</summary>
    Squares,

    /// <summary>The fourth colour, a line of dashes and dots with triangles.</summary>
    Triangles,
}

/// <summary>Values that belong together.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Style">How it is drawn.</param>
/// <param name="Points">Its points, in order of X.</param>
internal sealed record PlotSeries(string Name, PlotStyle Style, IReadOnlyList<PlotPoint> Points);

/// <summary>A stretch of the horizontal axis with a name.</summary>
/// <param name="Name">What stands above it, if there is room.</param>
/// <param name="From">Where it begins.</param>
/// <param name="To">Where it ends.</param>
internal sealed record PlotBand(string Name, double From, double To);

/// <summary>A chart of lines, as an SVG that scales to the width it gets.</summary>
internal sealed record SvgPlot
{
    internal const double Width = 480;
    internal const double Height = 290;
    internal const double FontSize = 12.5;

    private const double Right = 14;
    private const double Row = 18;
    private const double LogarithmicFrom = 8;
    private const int MostTargets = 120;

    /// <summary>What the chart says, for those who do not see it.</summary>
    public required string Description { get; init; }

    /// <summary>What is along the horizontal axis.</summary>
    public required string XLabel { get; init; }

    /// <summary>What is along the vertical axis.</summary>
    public required string YLabel { get; init; }

    /// <summary>The series; those without points are left out.</summary>
    public required IReadOnlyList<PlotSeries> Series { get; init; }

    /// <summary>Stretches of the horizontal axis.</summary>
    public IReadOnlyList<PlotBand> Bands { get; init; } = [];

    /// <summary>Whether the vertical axis begins at zero.</summary>
    public bool FromZero { get; init; }

    /// <summary>Whether the horizontal axis counts: then it is labelled at whole numbers alone.</summary>
    public bool WholeX { get; init; }

    /// <summary>
    /// Where the horizontal axis is labelled; then equal ratios along it, and not equal differences, are equally far. When
    /// absent it is linear, with round numbers.
    /// </summary>
    public IReadOnlyList<double>? LogarithmicAt { get; init; }

    /// <summary>Writes the SVG as part of a page that has <see cref="ReportStyle.Sheet"/>; nothing when there is no point.</summary>
    public void WriteTo(MarkupWriter to) => WriteTo(to, standalone: false);

    /// <summary>The SVG as a file of its own, which brings its style with it.</summary>
    public string ToFile()
    {
        var writer = new MarkupWriter();
        WriteTo(writer, standalone: true);
        writer.Line();
        return writer.ToString();
    }

    private void WriteTo(MarkupWriter to, bool standalone)
    {
        PlotSeries[] drawn = [.. Series.Where(series => series.Points.Count > 0)];
        if (drawn.Length == 0)
        {
            return;
        }

        double[] xs = [.. drawn.SelectMany(series => series.Points).Select(point => point.X), .. Bands.SelectMany(band => new[] { band.From, band.To })];
        double[] ys = [.. drawn.SelectMany(series => series.Points).SelectMany(point => point.Range is (double least, double greatest) ? new[] { point.Y, least, greatest } : [point.Y])];
        double lowest = FromZero ? Math.Min(0, ys.Min()) : ys.Min(), highest = ys.Max();
        bool logarithmic = !FromZero && lowest > 0 && highest > LogarithmicFrom * lowest;
        double[] yTicks = logarithmic ? AxisTicks.Logarithmic(lowest, highest) : AxisTicks.Linear(lowest, highest);
        string[] yTexts = [.. yTicks.Select((tick, i) => AxisTicks.Text(tick, logarithmic ? tick : yTicks[1] - yTicks[0]))];
        double left = Row + 12 + yTexts.Max(text => MarkupText.WidthOf(text, FontSize)), top = 6 + Row + (Bands.Count > 0 ? Row : 4), bottom = Height - (2 * Row) - 4;
        var x = new PlotScale(xs.Min(), xs.Max(), left, Width - Right, Logarithmic: LogarithmicAt is not null);
        var y = new PlotScale(yTicks[0], yTicks[^1], bottom, top, logarithmic);

        using MarkupWriter.Scope svg = to.Open(
            "svg", ("xmlns", standalone ? "http://www.w3.org/2000/svg" : null), ("class", "plot"), ("width", standalone ? Width : null), ("height", standalone ? Height : null),
            ("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {Width} {Height}")), ("role", "img"), ("aria-label", Description));
        if (standalone)
        {
            to.Element("style", ReportStyle.File);
            to.Void("rect", ("class", "page"), ("width", Width), ("height", Height));
        }

        WriteBands(to, x, top, bottom);
        for (int i = 0; i < yTicks.Length; i++)
        {
            to.Void("line", ("class", "grid"), ("x1", left), ("x2", Width - Right), ("y1", y.At(yTicks[i])), ("y2", y.At(yTicks[i])));
            to.Element("text", yTexts[i], ("class", "tick"), ("x", left - 6), ("y", y.At(yTicks[i]) + (FontSize * 0.35)), ("text-anchor", "end"));
        }

        WriteXTicks(to, x, bottom);
        to.Element("text", YLabel, ("class", "label"), ("x", 13), ("y", (top + bottom) / 2), ("text-anchor", "middle"), ("transform", string.Create(CultureInfo.InvariantCulture, $"rotate(-90 13 {(top + bottom) / 2:0.#})")));
        to.Element("text", XLabel, ("class", "label"), ("x", (left + Width - Right) / 2), ("y", Height - 7), ("text-anchor", "middle"));
        WriteLegend(to, drawn, left);
        foreach (PlotSeries series in drawn)
        {
            WriteSeries(to, series, x, y);
        }
    }

    private void WriteBands(MarkupWriter to, PlotScale x, double top, double bottom)
    {
        for (int i = 0; i < Bands.Count; i++)
        {
            PlotBand band = Bands[i];
            double from = x.At(band.From), width = x.At(band.To) - from;
            if (i % 2 == 1)
            {
                to.Void("rect", ("class", "band"), ("x", from), ("y", top), ("width", width), ("height", bottom - top));
            }

            if (i > 0)
            {
                to.Void("line", ("class", "border"), ("x1", from), ("x2", from), ("y1", top - 4), ("y2", bottom));
            }

            if (MarkupText.WidthOf(band.Name, FontSize) <= width - 2)
            {
                to.Element("text", band.Name, ("class", "tick"), ("x", from + (width / 2)), ("y", top - 6), ("text-anchor", "middle"));
            }
        }
    }

    private void WriteXTicks(MarkupWriter to, PlotScale x, double bottom)
    {
        const double Gap = 4;
        double[] ticks = LogarithmicAt is not null ? [.. LogarithmicAt]
            : [.. AxisTicks.Linear(x.Minimum, x.Maximum, 6).Where(tick => tick >= x.Minimum - 1e-9 && tick <= x.Maximum + 1e-9 && (!WholeX || tick == Math.Round(tick)))];
        double step = LogarithmicAt is null && ticks.Length > 1 ? ticks[1] - ticks[0] : 1, free = double.NegativeInfinity;
        to.Void("line", ("class", "axis"), ("x1", x.From), ("x2", x.To), ("y1", bottom), ("y2", bottom));
        foreach (double tick in ticks)
        {
            string text = AxisTicks.Text(tick, step);
            double half = MarkupText.WidthOf(text, FontSize) / 2, at = Math.Min(x.At(tick), Width - half);
            to.Void("line", ("class", "axis"), ("x1", x.At(tick)), ("x2", x.At(tick)), ("y1", bottom), ("y2", bottom + 4));
            if (at - half >= free)
            {
                to.Element("text", text, ("class", "tick"), ("x", at), ("y", bottom + Row), ("text-anchor", "middle"));
                free = at + half + Gap;
            }
        }
    }

    private static void WriteLegend(MarkupWriter to, PlotSeries[] drawn, double left)
    {
        const double Name = 28;
        double widths = drawn.Sum(series => Name + MarkupText.WidthOf(series.Name, FontSize));
        double gap = Math.Clamp((Width - left - widths) / drawn.Length, 6, 16), at = Math.Clamp(Width - widths - (gap * drawn.Length), 0, left);
        foreach (PlotSeries series in drawn)
        {
            to.Void("line", ("class", ClassOf(series.Style)), ("x1", at), ("x2", at + 22), ("y1", 12), ("y2", 12));
            WriteMarker(to, series.Style, at + 11, 12);
            to.Element("text", series.Name, ("class", "tick"), ("x", at + Name), ("y", 12 + (FontSize * 0.35)));
            at += Name + MarkupText.WidthOf(series.Name, FontSize) + gap;
        }
    }

    private static void WriteSeries(MarkupWriter to, PlotSeries series, PlotScale x, PlotScale y)
    {
        var path = new StringBuilder();
        foreach (PlotPoint point in series.Points)
        {
            path.Append(path.Length == 0 ? 'M' : 'L').Append(CultureInfo.InvariantCulture, $"{x.At(point.X):0.#} {y.At(point.Y):0.#}");
        }

        foreach (PlotPoint point in series.Points)
        {
            if (point.Range is (double least, double greatest))
            {
                to.Void("line", ("class", ClassOf(series.Style) + " range"), ("x1", x.At(point.X)), ("x2", x.At(point.X)), ("y1", y.At(least)), ("y2", y.At(greatest)));
            }
        }

        to.Void("path", ("class", ClassOf(series.Style)), ("d", path.ToString()));

        // A long line has more points than a pointer can tell apart.
        int every = series.Style == PlotStyle.Line ? Math.Max(1, (series.Points.Count + MostTargets - 1) / MostTargets) : 1;
        for (int i = 0; i < series.Points.Count; i++)
        {
            PlotPoint point = series.Points[i];
            if (i % every == 0)
            {
                using (to.Open("g"))
                {
                    to.Element("title", point.Tooltip);
                    WriteMarker(to, series.Style, x.At(point.X), y.At(point.Y));
                    to.Void("circle", ("class", "target"), ("cx", x.At(point.X)), ("cy", y.At(point.Y)), ("r", 7));
                }
            }
        }
    }

    private static void WriteMarker(MarkupWriter to, PlotStyle style, double x, double y)
    {
        switch (style)
        {
            case PlotStyle.Diamonds:
                to.Void("path", ("class", "marker-b"), ("d", string.Create(CultureInfo.InvariantCulture, $"M{x - 4.5:0.#} {y:0.#}L{x:0.#} {y - 4.5:0.#}L{x + 4.5:0.#} {y:0.#}L{x:0.#} {y + 4.5:0.#}Z")));
                break;
            case PlotStyle.Circles:
                to.Void("circle", ("class", "marker-a"), ("cx", x), ("cy", y), ("r", 3.6));
                break;
            case PlotStyle.Squares:
                to.Void("rect", ("class", "marker-c"), ("x", x - 3.3), ("y", y - 3.3), ("width", 6.6), ("height", 6.6));
                break;
            case PlotStyle.Triangles:
                to.Void("path", ("class", "marker-d"), ("d", string.Create(CultureInfo.InvariantCulture, $"M{x - 4.5:0.#} {y + 3.6:0.#}L{x:0.#} {y - 4.5:0.#}L{x + 4.5:0.#} {y + 3.6:0.#}Z")));
                break;
        }
    }

    private static string ClassOf(PlotStyle style) => style switch
    {
        PlotStyle.Diamonds => "line-b",
        PlotStyle.Squares => "line-c",
        PlotStyle.Triangles => "line-d",
        _ => "line-a",
    };
}

/// <summary>From values to places in the picture.</summary>
/// <param name="Minimum">The value at <paramref name="From"/>.</param>
/// <param name="Maximum">The value at <paramref name="To"/>.</param>
/// <param name="From">Where the axis begins.</param>
/// <param name="To">Where it ends.</param>
/// <param name="Logarithmic">Whether equal ratios, and not equal differences, are equally far.</param>
internal readonly record struct PlotScale(double Minimum, double Maximum, double From, double To, bool Logarithmic)
{
    /// <summary>Where a value is; in the middle of an axis without extent.</summary>
    public double At(double value)
    {
        double share = Maximum <= Minimum ? 0.5 : Logarithmic ? Math.Log(value / Minimum) / Math.Log(Maximum / Minimum) : (value - Minimum) / (Maximum - Minimum);
        return From + (share * (To - From));
    }
}
