using System.Globalization;

namespace EmbeddedHost;

/// <summary>The attributes of a measurement, in whatever order they came.</summary>
internal sealed class AttributeSet
{
    private readonly KeyValuePair<string, object?>[] attributes;

    private AttributeSet(KeyValuePair<string, object?>[] attributes) => this.attributes = attributes;

    /// <summary>The attributes as they came.</summary>
    public ReadOnlySpan<KeyValuePair<string, object?>> Attributes => attributes;

    /// <summary>Compares sets with spans of attributes, so that a measurement finds its series without an allocation.</summary>
    internal sealed class Comparer : IEqualityComparer<AttributeSet>, IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, AttributeSet>
    {
        public AttributeSet Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => new(alternate.ToArray());

        public bool Equals(AttributeSet? x, AttributeSet? y) => x is null ? y is null : y is not null && Equals(x.Attributes, y);

        public int GetHashCode(AttributeSet obj) => GetHashCode(obj.Attributes);

        public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, AttributeSet other)
        {
            if (alternate.Length != other.attributes.Length)
            {
                return false;
            }

            // They are few, and mostly in the same order.
            for (int i = 0; i < alternate.Length; i++)
            {
                if (!Same(alternate[i], other.attributes[i]) && !Contains(other.attributes, alternate[i]))
                {
                    return false;
                }
            }

            return true;
        }

        // A sum does not depend on the order.
        public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
        {
            int hash = 0;
            foreach ((string key, object? value) in alternate)
            {
                hash += HashCode.Combine(key, value);
            }

            return hash;
        }

        private static bool Contains(KeyValuePair<string, object?>[] attributes, KeyValuePair<string, object?> sought)
        {
            foreach (KeyValuePair<string, object?> attribute in attributes)
            {
                if (Same(attribute, sought))
                {
                    return true;
                }
            }

            return false;
        }

        private static bool Same(KeyValuePair<string, object?> x, KeyValuePair<string, object?> y) =>
            x.Key == y.Key && Equals(x.Value, y.Value);
    }

    /// <summary>The attributes as labels of the text format, in order of their names: <c>a="1",b="2"</c>; empty where there are none.</summary>
    public string ToLabels()
    {
        // Of an attribute given twice the last counts; attributes whose names become the same label are one, as OpenTelemetry has it.
        var last = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach ((string key, object? value) in attributes)
        {
            last[key] = value;
        }

        IEnumerable<string> labels = last
            .Where(attribute => attribute.Key.Length > 0)
            .OrderBy(attribute => attribute.Key, StringComparer.Ordinal)
            .GroupBy(attribute => PrometheusNames.Label(attribute.Key), StringComparer.Ordinal)
            .OrderBy(label => label.Key, StringComparer.Ordinal)
            .Select(label => $"{label.Key}=\"{PrometheusNames.Escape(string.Join(';', label.Select(attribute => Text(attribute.Value))), isLabel: true)}\"");
        return string.Join(',', labels);
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
