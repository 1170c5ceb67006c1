using System.Globalization;
using System.Text;

namespace EmbeddedHost;

/// <summary>
/// Writes Prometheus' text format, version 0.0.4. Units stand at the end of the names; a line <c># UNIT</c> is of OpenMetrics and not of this
/// format.
/// </summary>
internal static class PrometheusText
{
    /// <summary>The media type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes families; those of which nothing was measured are left out.</summary>
    public static string Write(IEnumerable<MetricFamily> families, int collection)
    {
        var text = new StringBuilder();
        foreach (MetricFamily family in families)
        {
            IReadOnlyList<KeyValuePair<string, MetricSnapshot>> series = family.Read(collection);
            if (series.Count == 0)
            {
                continue;
            }

            if (family.Help.Length > 0)
            {
                text.Append("# HELP ").Append(family.Name).Append(' ').Append(PrometheusNames.Escape(family.Help, isLabel: false)).Append('\n');
            }

            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(TypeOf(family.Kind)).Append('\n');
            foreach ((string labels, MetricSnapshot snapshot) in series)
            {
                if (family.Kind == MetricKind.Histogram)
                {
                    WriteHistogram(text, family, labels, snapshot);
                }
                else
                {
                    WriteLine(text, family.Name, labels, Number(snapshot.Value));
                }
            }
        }

        return text.ToString();
    }

    private static void WriteHistogram(StringBuilder text, MetricFamily family, string labels, MetricSnapshot snapshot)
    {
        string before = labels.Length == 0 ? "" : labels + ",";
        long below = 0;
        for (int i = 0; i < snapshot.Buckets.Length; i++)
        {
            below += snapshot.Buckets[i];
            double bound = i < family.Bounds.Length ? family.Bounds[i] : double.PositiveInfinity;
            WriteLine(text, family.Name + "_bucket", $"{before}le=\"{Number(bound)}\"", below.ToString(CultureInfo.InvariantCulture));
        }

        WriteLine(text, family.Name + "_sum", labels, Number(snapshot.Value));
        WriteLine(text, family.Name + "_count", labels, snapshot.Count.ToString(CultureInfo.InvariantCulture));
    }

    private static void WriteLine(StringBuilder text, string name, string labels, string value)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(value).Append('\n');
    }

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Histogram => "histogram",
        _ => "gauge",
    };

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : double.IsNaN(value) ? "NaN"
        : value.ToString("R", CultureInfo.InvariantCulture);
}
