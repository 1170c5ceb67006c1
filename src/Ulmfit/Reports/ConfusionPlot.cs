using System.Globalization;
using System.Text;
using Ulmfit.Metrics;

namespace Ulmfit.Reports;

/// <summary>
/// A confusion matrix: a row for each true class, a column for each predicted one, the number of rows in each cell and its
/// share of the true class as shading. It has the size that its labels need, and is not scaled down to where they are too small.
/// </summary>
internal static class ConfusionPlot
{
    private const double WidestLabel = 240;
    private const double Title = 22;

    /// <summary>Writes the SVG.</summary>
    public static void WriteTo(MarkupWriter to, ClassificationMetrics metrics)
    {
        string[] labels = [.. metrics.PerClass.Select(row => MarkupText.OneLine(row.Label))];
        int classes = labels.Length;
        (double cell, double fontSize, double countSize) = classes switch
        {
            <= 4 => (76.0, 13.0, 15.0),
            <= 8 => (47, 12.5, 13),
            <= 16 => (38, 12, 12),
            <= 36 => (26, 11.5, 11),
            _ => (15, 11, 8.5),
        };

        // Counts of five digits need more than the cell of a long list of labels.
        double widest = MarkupText.WidthOf(metrics.ConfusionMatrix.Max(row => row.Max()).ToString(CultureInfo.InvariantCulture), countSize);
        cell = Math.Max(cell, widest + 3);
        double gutter = Math.Min(WidestLabel, labels.Max(label => MarkupText.WidthOf(label, fontSize))) + 8;
        string[] rowLabels = [.. labels.Select(label => MarkupText.Fit(label, WidestLabel, fontSize))];
        bool level = labels.All(label => MarkupText.WidthOf(label, fontSize) <= cell - 4);
        double left = Title + gutter, top = Title + (level ? 20 : gutter), side = cell * classes;
        double width = left + side + 8, height = top + side + 8;
        string description = string.Create(CultureInfo.InvariantCulture, $"Confusion matrix of {classes} classes over {metrics.Count} rows, {metrics.Accuracy:P1} of them on the diagonal. The table of classes has precision and recall.");
        using MarkupWriter.Scope svg = to.Open(
            "svg", ("class", "matrix"), ("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width:0.#} {height:0.#}")), ("width", Math.Ceiling(width)), ("height", Math.Ceiling(height)),
            ("role", "img"), ("aria-label", description));
        to.Element("text", "predicted", ("class", "label"), ("x", left + Math.Min(side / 2, 200)), ("y", 14), ("font-size", 12.5), ("text-anchor", "middle"));
        double middle = top + Math.Min(side / 2, 200);
        to.Element("text", "true", ("class", "label"), ("x", 13), ("y", middle), ("font-size", 12.5), ("text-anchor", "middle"), ("transform", string.Create(CultureInfo.InvariantCulture, $"rotate(-90 13 {middle:0.#})")));
        WriteGrid(to, classes, left, top, cell);
        for (int c = 0; c < classes; c++)
        {
            double centre = (c + 0.5) * cell;
            WriteLabel(to, labels[c], rowLabels[c], left - 6, top + centre + (fontSize * 0.35), fontSize, "end", null);
            if (level)
            {
                WriteLabel(to, labels[c], rowLabels[c], left + centre, top - 7, fontSize, "middle", null);
            }
            else
            {
                double x = left + centre + (fontSize * 0.35);
                WriteLabel(to, labels[c], rowLabels[c], x, top - 6, fontSize, "start", string.Create(CultureInfo.InvariantCulture, $"rotate(-90 {x:0.#} {top - 6:0.#})"));
            }
        }

        for (int row = 0; row < classes; row++)
        {
            int support = metrics.PerClass[row].Support;
            for (int column = 0; column < classes; column++)
            {
                int count = metrics.ConfusionMatrix[row][column];
                if (count > 0)
                {
                    WriteCell(to, labels[row], labels[column], count, support, row == column, left + (column * cell), top + (row * cell), cell, countSize);
                }
            }
        }
    }

    private static void WriteLabel(MarkupWriter to, string label, string shown, double x, double y, double fontSize, string anchor, string? transform)
    {
        using (to.Open("text", ("class", "tick"), ("x", x), ("y", y), ("font-size", fontSize), ("text-anchor", anchor), ("transform", transform)))
        {
            if (shown != label)
            {
                to.Element("title", label);
            }

            to.Text(shown);
        }
    }

    private static void WriteGrid(MarkupWriter to, int classes, double left, double top, double cell)
    {
        var path = new StringBuilder();
        double side = classes * cell;
        for (int i = 0; i <= classes; i++)
        {
            path.Append(CultureInfo.InvariantCulture, $"M{left:0.#} {top + (i * cell):0.#}h{side:0.#}M{left + (i * cell):0.#} {top:0.#}v{side:0.#}");
        }

        to.Void("path", ("class", "grid"), ("d", path.ToString()));
    }

    private static void WriteCell(MarkupWriter to, string label, string predicted, int count, int support, bool right, double x, double y, double cell, double countSize)
    {
        double share = (double)count / support;
        using (to.Open("g"))
        {
            to.Element("title", string.Create(CultureInfo.InvariantCulture, $"true {label}, predicted {predicted}: {count} of {support} rows ({share:P1})"));
            to.Void(
                "rect", ("class", right ? "right" : "wrong"), ("x", x + 0.5), ("y", y + 0.5), ("width", cell - 1), ("height", cell - 1),
                ("fill-opacity", (0.08 + (0.92 * share)).ToString("0.00", CultureInfo.InvariantCulture)));
            to.Element(
                "text", count.ToString(CultureInfo.InvariantCulture), ("class", share > 0.85 ? "high" : share > 0.6 ? "mid" : "low"), ("x", x + (cell / 2)), ("y", y + (cell / 2) + (countSize * 0.35)),
                ("font-size", countSize), ("text-anchor", "middle"));
        }
    }
}
