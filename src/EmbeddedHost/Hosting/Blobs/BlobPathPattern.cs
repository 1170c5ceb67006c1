using System.Text;
using System.Text.RegularExpressions;

namespace EmbeddedHost;

/// <summary>
/// A path <c>container/pattern</c>. A name in braces matches as much as it can, slashes included, as in Functions:
/// <c>{name}.{ext}</c> on <c>a.b.csv</c> gives <c>a.b</c> and <c>csv</c>.
/// </summary>
internal sealed partial class BlobPathPattern
{
    private readonly Regex? names;

    private BlobPathPattern(string text, string container, Regex? names, IReadOnlyList<string> parameters, string prefix)
    {
        Text = text;
        Container = container;
        this.names = names;
        Parameters = parameters;
        Prefix = prefix;
    }

    /// <summary>The path as it was written.</summary>
    public string Text { get; }

    public string Container { get; }

    /// <summary>The names in braces, in order.</summary>
    public IReadOnlyList<string> Parameters { get; }

    /// <summary>What the name of every matching blob starts with; may be empty.</summary>
    public string Prefix { get; }

    /// <summary>Reads a path.</summary>
    /// <param name="path">The container alone, which takes every blob in it, or <c>container/pattern</c>.</param>
    /// <exception cref="FormatException">The path is malformed; the message says where.</exception>
    public static BlobPathPattern Parse(string path)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string container = slash < 0 ? path : path[..slash];
        string pattern = slash < 0 ? "" : path[(slash + 1)..];
        if (!ContainerName().IsMatch(container))
        {
            throw new FormatException($"'{container}' in the blob path '{path}' is no container name: it takes 3 to 63 small letters, digits and single hyphens.");
        }

        if (pattern.Length == 0)
        {
            return new BlobPathPattern(path, container, null, [], "");
        }

        var regex = new StringBuilder("^");
        var parameters = new List<string>();
        string? prefix = null;
        var literal = new StringBuilder();
        foreach (TemplatePart part in BlobPathTemplate.Split(pattern, path))
        {
            if (part.IsName)
            {
                if (!Identifier().IsMatch(part.Text))
                {
                    throw new FormatException($"'{{{part.Text}}}' in the blob path '{path}' is no parameter's name.");
                }

                if (parameters.Contains(part.Text, StringComparer.OrdinalIgnoreCase))
                {
                    throw new FormatException($"'{{{part.Text}}}' stands twice in the blob path '{path}'.");
                }

                prefix ??= literal.ToString();
                parameters.Add(part.Text);
                regex.Append("(?<").Append(part.Text).Append(">.*)");
            }
            else
            {
                literal.Append(part.Text);
                regex.Append(Regex.Escape(part.Text));
            }
        }

        regex.Append('$');
        return new BlobPathPattern(
            path,
            container,
            new Regex(regex.ToString(), RegexOptions.CultureInvariant | RegexOptions.Singleline),
            parameters,
            prefix ?? literal.ToString());
    }

    /// <summary>Matches a blob's name.</summary>
    /// <param name="blob">The name, without the container.</param>
    /// <returns>The values of the names in braces, or null where the blob does not match.</returns>
    public IReadOnlyDictionary<string, string>? Match(string blob)
    {
        if (names is null)
        {
            return new Dictionary<string, string>();
        }

        Match match = names.Match(blob);
        return match.Success
            ? Parameters.ToDictionary(p => p, p => match.Groups[p].Value, StringComparer.OrdinalIgnoreCase)
            : null;
    }

    [GeneratedRegex("^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$|^\\$root$", RegexOptions.CultureInvariant)]
    private static partial Regex ContainerName();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Identifier();
}
