using System.Globalization;
using System.Text;

namespace Ulmfit.Reports;

/// <summary>Writes HTML that is well-formed XML too; every text and attribute is escaped on its way.</summary>
internal sealed class MarkupWriter
{
    private readonly StringBuilder output = new();
    private readonly Stack<string> open = new();

    /// <summary>Opens an element, which ends with the scope that is returned.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="attributes">Its attributes; one whose value is null is left out.</param>
    public Scope Open(string name, params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        Begin(name, attributes);
        output.Append('>');
        open.Push(name);
        return new Scope(this);
    }

    /// <summary>Writes an element that holds nothing but text.</summary>
    public void Element(string name, string text, params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        using (Open(name, attributes))
        {
            Text(text);
        }
    }

    /// <summary>Writes an element without content: one of HTML's void elements, or a shape of an SVG.</summary>
    public void Void(string name, params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        Begin(name, attributes);
        output.Append("/>");
    }

    /// <summary>Writes text.</summary>
    public void Text(string text) => output.Append(MarkupText.Escape(text));

    /// <summary>Writes a text that a stranger wrote: whatever its direction, it does not turn round what stands beside it.</summary>
    public void Foreign(string text)
    {
        using (Open("bdi"))
        {
            Text(text);
        }
    }

    /// <summary>Writes what is markup already and of our own making.</summary>
    public void Raw(string markup) => output.Append(markup);

    /// <summary>Starts a new line between elements, for those who read the source.</summary>
    public void Line() => output.Append('\n');

    /// <inheritdoc/>
    public override string ToString() => open.Count == 0 ? output.ToString() : throw new InvalidOperationException($"<{open.Peek()}> is still open.");

    private void Begin(string name, ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        output.Append('<').Append(name);
        foreach ((string attribute, object? value) in attributes)
        {
            string? text = value switch
            {
                null => null,
                // A tenth of a pixel is finer than anybody sees.
                double number => Math.Round(number, 1).ToString(CultureInfo.InvariantCulture),
                IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
                _ => value.ToString(),
            };
            if (text is not null)
            {
                output.Append(' ').Append(attribute).Append("=\"").Append(MarkupText.Escape(text)).Append('"');
            }
        }
    }

    /// <summary>An element that is open.</summary>
    public readonly ref struct Scope(MarkupWriter writer)
    {
        /// <summary>Closes it.</summary>
        public void Dispose() => writer.output.Append("</").Append(writer.open.Pop()).Append('>');
    }
}
