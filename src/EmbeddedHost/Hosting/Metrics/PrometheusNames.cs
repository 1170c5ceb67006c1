using System.Text;

namespace EmbeddedHost;

/// <summary>Names, units and texts as Prometheus' text format has them, made of OpenTelemetry's by the rules of its specification (Prometheus compatibility).</summary>
internal static class PrometheusNames
{
    private static readonly Dictionary<string, string> s_units = new(StringComparer.Ordinal)
    {
        ["d"] = "days", ["h"] = "hours", ["min"] = "minutes", ["s"] = "seconds", ["ms"] = "milliseconds", ["us"] = "microseconds", ["ns"] = "nanoseconds",
        ["By"] = "bytes", ["KiBy"] = "kibibytes", ["MiBy"] = "mebibytes", ["GiBy"] = "gibibytes", ["KBy"] = "kilobytes", ["MBy"] = "megabytes", ["GBy"] = "gigabytes",
        ["m"] = "meters", ["V"] = "volts", ["A"] = "amperes", ["J"] = "joules", ["W"] = "watts", ["g"] = "grams", ["Cel"] = "celsius", ["Hz"] = "hertz", ["%"] = "percent",
    };

    private static readonly Dictionary<string, string> s_perUnits = new(StringComparer.Ordinal)
    {
        ["s"] = "second", ["min"] = "minute", ["h"] = "hour", ["d"] = "day", ["mo"] = "month", ["y"] = "year",
    };

    /// <summary>The name of a metric: what is not allowed becomes one underscore, the unit and the kind stand at the end.</summary>
    /// <param name="instrument">The instrument's name.</param>
    /// <param name="unit">Its unit, of the Unified Code for Units of Measure.</param>
    /// <param name="kind">What it measures.</param>
    public static string Metric(string instrument, string? unit, MetricKind kind)
    {
        string name = Sanitize(instrument, allowColon: true);
        bool total = kind == MetricKind.Counter;
        if (total && name.EndsWith("_total", StringComparison.Ordinal))
        {
            name = name[..^"_total".Length];
        }

        string word = UnitWord(unit, kind);
        if (word.Length > 0 && !name.EndsWith("_" + word, StringComparison.Ordinal))
        {
            name = $"{name}_{word}";
        }

        return total ? name + "_total" : name;
    }

    /// <summary>The name of a label.</summary>
    public static string Label(string attribute) => Sanitize(attribute, allowColon: false);

    /// <summary>A text with line breaks and backslashes escaped, and quotation marks where it is a label's value.</summary>
    public static string Escape(string text, bool isLabel)
    {
        if (text.AsSpan().IndexOfAny('\\', '\n', '"') < 0)
        {
            return text;
        }

        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return isLabel ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    // What stands in braces only annotates: {request} is no unit.
    private static string UnitWord(string? unit, MetricKind kind)
    {
        string text = WithoutAnnotations(unit ?? "");
        if (text == "1")
        {
            return kind == MetricKind.Gauge ? "ratio" : "";
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return Word(s_units, text);
        }

        string per = Word(s_perUnits, text[(slash + 1)..]);
        string what = Word(s_units, text[..slash]);
        return per.Length == 0 ? what : what.Length == 0 ? $"per_{per}" : $"{what}_per_{per}";
    }

    private static string Word(Dictionary<string, string> words, string unit) =>
        unit.Length == 0 ? "" : words.TryGetValue(unit, out string? word) ? word : Sanitize(unit, allowColon: false).Trim('_');

    private static string WithoutAnnotations(string unit)
    {
        var kept = new StringBuilder();
        int depth = 0;
        foreach (char c in unit)
        {
            depth += c == '{' ? 1 : 0;
            if (depth == 0)
            {
                kept.Append(c);
            }

            depth -= c == '}' && depth > 0 ? 1 : 0;
        }

        return kept.ToString();
    }

    private static string Sanitize(string name, bool allowColon)
    {
        var clean = new StringBuilder(name.Length + 1);
        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            clean.Append('_');
        }

        foreach (char c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || (allowColon && c == ':'))
            {
                clean.Append(c);
            }
            else if (clean.Length == 0 || clean[^1] != '_')
            {
                clean.Append('_');
            }
        }

        return clean.ToString();
    }
}
