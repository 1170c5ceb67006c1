using System.Globalization;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>
/// A strict reader of Prometheus' text format 0.0.4: whatever the format's description does not allow is an error, and so is what
/// Prometheus merely tolerates (metrics without type, families in pieces, histograms whose buckets do not add up).
/// </summary>
internal sealed class Exposition
{
    private readonly Dictionary<string, double> samples = new(StringComparer.Ordinal);

    private Exposition()
    {
    }

    /// <summary>The types of the families, by name.</summary>
    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>The descriptions of the families, by name.</summary>
    public Dictionary<string, string> Help { get; } = new(StringComparer.Ordinal);

    /// <summary>Names with labels, as in the text: <c>a_total{b="c"}</c>.</summary>
    public IReadOnlyCollection<string> Series => samples.Keys;

    /// <summary>The value of a series.</summary>
    public double this[string series] => samples.TryGetValue(series, out double value)
        ? value
        : throw new KeyNotFoundException($"There is no {series} among:\n{string.Join('\n', samples.Keys)}");

    /// <summary>The value of a series; 0 where nothing was measured.</summary>
    public double Count(string series) => samples.GetValueOrDefault(series);

    /// <summary>The values of a family's series whose labels contain all of some texts, summed.</summary>
    public double Sum(string name, params string[] labels) => samples
        .Where(sample => sample.Key.Split('{')[0] == name && labels.All(label => sample.Key.Contains(label, StringComparison.Ordinal)))
        .Sum(sample => sample.Value);

    /// <summary>Reads a text.</summary>
    /// <exception cref="FormatException">It is not in the format.</exception>
    public static Exposition Parse(string text)
    {
        var read = new Exposition();
        var labelsOf = new Dictionary<string, List<(string Family, SortedDictionary<string, string> Labels, double Value)>>(StringComparer.Ordinal);
        var closed = new HashSet<string>(StringComparer.Ordinal);
        string? family = null;
        if (text.Length > 0 && !text.EndsWith('\n'))
        {
            throw new FormatException("The last line does not end with a line feed.");
        }

        foreach (string line in text.Split('\n')[..^1])
        {
            if (line.StartsWith('#'))
            {
                string[] parts = line.Split(' ', 4);
                if (parts.Length < 4 || parts[0] != "#" || parts[1] is not ("HELP" or "TYPE") || !IsMetricName(parts[2]))
                {
                    throw new FormatException($"Neither HELP nor TYPE: {line}");
                }

                if (family != parts[2])
                {
                    family = Open(parts[2]);
                }

                if (parts[1] == "HELP" ? read.Types.ContainsKey(family) || !read.Help.TryAdd(family, Unescape(parts[3], quoted: false)) : !read.Types.TryAdd(family, parts[3]))
                {
                    throw new FormatException($"Twice, or HELP behind TYPE: {line}");
                }

                if (parts[1] == "TYPE" && parts[3] is not ("counter" or "gauge" or "histogram" or "summary" or "untyped"))
                {
                    throw new FormatException($"No type: {line}");
                }

                continue;
            }

            (string name, SortedDictionary<string, string> labels, double value) = ReadSample(line);
            if (family is null || !read.Types.TryGetValue(family, out string? type) || !Belongs(name, family, type))
            {
                throw new FormatException($"A sample outside its family '{family}': {line}");
            }

            string key = labels.Count == 0 ? name : $"{name}{{{string.Join(',', labels.Select(label => $"{label.Key}=\"{label.Value}\""))}}}";
            if (!read.samples.TryAdd(key, value))
            {
                throw new FormatException($"Twice: {line}");
            }

            if (type == "counter" && !(value >= 0 && name.EndsWith("_total", StringComparison.Ordinal)))
            {
                throw new FormatException($"No counter: {line}");
            }

            if (!labelsOf.TryGetValue(name, out var known))
            {
                labelsOf[name] = known = [];
            }

            known.Add((family, labels, value));
        }

        foreach ((string name, string type) in read.Types)
        {
            if (type == "histogram")
            {
                CheckHistogram(name, labelsOf);
            }
        }

        return read;

        string Open(string name) => closed.Add(name) ? name : throw new FormatException($"The family {name} is in pieces.");
    }

    private static void CheckHistogram(string name, Dictionary<string, List<(string Family, SortedDictionary<string, string> Labels, double Value)>> samples)
    {
        var counts = samples[name + "_count"].ToDictionary(s => Key(s.Labels), s => s.Value, StringComparer.Ordinal);
        var sums = samples[name + "_sum"].Select(s => Key(s.Labels)).ToHashSet(StringComparer.Ordinal);
        var buckets = samples[name + "_bucket"].GroupBy(s => Key(s.Labels), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
        if (!sums.SetEquals(counts.Keys) || !sums.SetEquals(buckets.Keys))
        {
            throw new FormatException($"{name}: buckets, sums and counts are not of the same series.");
        }

        foreach ((string key, var of) in buckets)
        {
            double[] bounds = [.. of.Select(s => Number(s.Labels["le"]))];
            double[] values = [.. of.Select(s => s.Value)];
            if (!bounds.Zip(bounds.Skip(1)).All(pair => pair.First < pair.Second) || !double.IsPositiveInfinity(bounds[^1])
                || !values.Zip(values.Skip(1)).All(pair => pair.First <= pair.Second) || values[^1] != counts[key])
            {
                throw new FormatException($"{name}{{{key}}}: the buckets do not add up.");
            }
        }

        static string Key(SortedDictionary<string, string> labels) => string.Join(',', labels.Where(l => l.Key != "le").Select(l => $"{l.Key}={l.Value}"));
    }

    private static bool Belongs(string name, string family, string type) => type switch
    {
        "histogram" => name == family + "_bucket" || name == family + "_sum" || name == family + "_count",
        _ => name == family,
    };

    private static (string Name, SortedDictionary<string, string> Labels, double Value) ReadSample(string line)
    {
        int at = 0;
        while (at < line.Length && (char.IsAsciiLetterOrDigit(line[at]) || line[at] is '_' or ':'))
        {
            at++;
        }

        string name = line[..at];
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (!IsMetricName(name))
        {
            throw new FormatException($"No name: {line}");
        }

        if (at < line.Length && line[at] == '{')
        {
            at++;
            while (line[at] != '}')
            {
                int equals = line.IndexOf('=', at);
                string label = line[at..equals];
                if (!IsMetricName(label) || label.Contains(':', StringComparison.Ordinal) || line[equals + 1] != '"')
                {
                    throw new FormatException($"No label: {line}");
                }

                int end = equals + 2;
                while (line[end] != '"')
                {
                    end += line[end] == '\\' ? 2 : 1;
                }

                if (!labels.TryAdd(label, Unescape(line[(equals + 2)..end], quoted: true)))
                {
                    throw new FormatException($"The label {label} twice: {line}");
                }

                at = end + 1;
                if (line[at] == ',')
                {
                    at++;
                }
                else if (line[at] != '}')
                {
                    throw new FormatException($"No comma between labels: {line}");
                }
            }

            at++;
        }

        return at < line.Length && line[at] == ' '
            ? (name, labels, Number(line[(at + 1)..]))
            : throw new FormatException($"No space before the value: {line}");
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        "NaN" => double.NaN,
        _ => double.Parse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture),
    };

    private static string Unescape(string text, bool quoted)
    {
        var plain = new System.Text.StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                plain.Append(text[i]);
                continue;
            }

            i++;
            plain.Append((i < text.Length ? text[i] : ' ') switch
            {
                '\\' => '\\',
                'n' => '\n',
                '"' when quoted => '"',
                _ => throw new FormatException($"No escape: {text}"),
            });
        }

        return plain.ToString();
    }

    private static bool IsMetricName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or ':');
}
