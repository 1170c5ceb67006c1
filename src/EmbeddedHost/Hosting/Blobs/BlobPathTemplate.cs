using System.Globalization;
using System.Text;

namespace EmbeddedHost;

/// <summary>A piece of a path: text as it stands, or a name that was in braces.</summary>
internal readonly record struct TemplatePart(string Text, bool IsName);

/// <summary>A path in which names in braces are replaced by the trigger's values.</summary>
internal sealed class BlobPathTemplate
{
    private const string NewGuid = "rand-guid";
    private const string Now = "datetime";

    private readonly string text;
    private readonly IReadOnlyList<TemplatePart> parts;

    private BlobPathTemplate(string text, IReadOnlyList<TemplatePart> parts)
    {
        this.text = text;
        this.parts = parts;
    }

    /// <summary>The names that the trigger must bring; <c>{rand-guid}</c> and <c>{datetime}</c> are the host's own.</summary>
    public IEnumerable<string> Names => parts
        .Where(p => p.IsName && !IsOwn(p.Text))
        .Select(p => p.Text);

    /// <summary>Reads a path.</summary>
    /// <param name="path"><c>container/name</c> with names in braces.</param>
    /// <exception cref="FormatException">The path is malformed.</exception>
    public static BlobPathTemplate Parse(string path)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < path.Length - 1
            ? new BlobPathTemplate(path, Split(path, path))
            : throw new FormatException($"The blob path '{path}' must have the form container/name.");
    }

    /// <summary>Puts the values in.</summary>
    /// <param name="values">The trigger's values.</param>
    /// <returns>The container and the blob's name.</returns>
    public (string Container, string Name) Resolve(IReadOnlyDictionary<string, object?> values)
    {
        var path = new StringBuilder();
        foreach (TemplatePart part in parts)
        {
            path.Append(!part.IsName ? part.Text
                : part.Text.Equals(NewGuid, StringComparison.OrdinalIgnoreCase) ? Guid.NewGuid().ToString()
                : part.Text.Equals(Now, StringComparison.OrdinalIgnoreCase) ? DateTime.UtcNow.ToString("yyyy-MM-ddTHH-mm-ssZ", CultureInfo.InvariantCulture)
                : values.TryGetValue(part.Text, out object? value) && value is not null ? Convert.ToString(value, CultureInfo.InvariantCulture)
                : throw new BindingValueException($"'{{{part.Text}}}' of the blob path '{text}' has no value in this invocation."));
        }

        string resolved = path.ToString();
        int slash = resolved.IndexOf('/', StringComparison.Ordinal);
        return (resolved[..slash], resolved[(slash + 1)..]);
    }

    /// <summary>Splits a path at its braces; doubled braces stand for themselves.</summary>
    /// <param name="pattern">What to split.</param>
    /// <param name="path">The whole path, for messages.</param>
    internal static List<TemplatePart> Split(string pattern, string path)
    {
        var parts = new List<TemplatePart>();
        var literal = new StringBuilder();
        int i = 0;
        while (i < pattern.Length)
        {
            char c = pattern[i];
            if ((c is '{' or '}') && i + 1 < pattern.Length && pattern[i + 1] == c)
            {
                literal.Append(c);
                i += 2;
            }
            else if (c == '{')
            {
                int end = pattern.IndexOf('}', i);
                if (end < 0)
                {
                    throw new FormatException($"The brace at '{pattern[i..]}' in the blob path '{path}' is not closed.");
                }

                if (literal.Length > 0)
                {
                    parts.Add(new TemplatePart(literal.ToString(), false));
                    literal.Clear();
                }

                parts.Add(new TemplatePart(pattern[(i + 1)..end], true));
                i = end + 1;
            }
            else if (c == '}')
            {
                throw new FormatException($"The brace at '{pattern[i..]}' in the blob path '{path}' was not opened.");
            }
            else
            {
                literal.Append(c);
                i++;
            }
        }

        if (literal.Length > 0)
        {
            parts.Add(new TemplatePart(literal.ToString(), false));
        }

        return parts;
    }

    private static bool IsOwn(string name) =>
        name.Equals(NewGuid, StringComparison.OrdinalIgnoreCase) || name.Equals(Now, StringComparison.OrdinalIgnoreCase);
}
