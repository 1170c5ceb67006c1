using System.Text;

namespace Ulmfit.Data;

/// <summary>
/// Reads a corpus of plain text document by document, in bounded memory. A line <c>= Title =</c> begins an article and
/// stays as its first line, without the signs; headings within it have more of them (<c>= = Heading = =</c>) and are text.
/// In a text without articles blank lines part documents. A document longer than <see cref="LongestDocument"/> goes on in
/// another.
/// </summary>
public static class CorpusReader
{
    /// <summary>The characters beyond which a document is cut at the next line end.</summary>
    public const int LongestDocument = 1 << 20;

    private static readonly LabeledDataOptions Limits = new() { MaxRowLength = 1 << 24, MaxBytes = 1L << 40 };

    /// <summary>
    /// The documents of a file. Each enumeration reads it anew, so that a corpus can be gone through several times without
    /// being held in memory.
    /// </summary>
    /// <param name="open">Opens the file; closed after each enumeration.</param>
    /// <param name="fileName">Its name; one that ends in .gz is decompressed, messages carry it.</param>
    /// <exception cref="InvalidDataException">While reading: the file is no plain text in UTF-8; the message names file and line.</exception>
    public static IEnumerable<string> Documents(Func<Stream> open, string fileName)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(fileName);
        string name = fileName.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? fileName[..^3] : fileName;
        return Path.GetExtension(name).ToLowerInvariant() is ".csv" or ".tsv" or ".json" or ".jsonl"
            ? throw new InvalidDataException($"{fileName}: a corpus is plain text (.txt or .txt.gz), not rows or JSON.")
            : Read(open, fileName);
    }

    private static IEnumerable<string> Read(Func<Stream> open, string fileName)
    {
        using Stream file = open();
        using var corpus = new Splitter(file, fileName);
        while (corpus.Next() is string document)
        {
            yield return document;
        }
    }

    private sealed class Splitter : IDisposable
    {
        private readonly string fileName;
        private readonly Stream content;
        private readonly PhysicalLineReader lines;
        private readonly StringBuilder document = new();
        private bool articles;

        internal Splitter(Stream file, string fileName)
        {
            this.fileName = fileName;
            content = Refusing(() => InputStream.Open(file, fileName, Limits));
            lines = new PhysicalLineReader(content, Limits.MaxRowLength);
        }

        /// <summary>The next document, null at the end.</summary>
        internal string? Next()
        {
            while (NextLine() is string line)
            {
                ReadOnlySpan<char> text = line.AsSpan().Trim();
                string? ended = null;
                if (text.IsEmpty)
                {
                    ended = articles ? null : Take();
                }
                else if (IsTitle(text))
                {
                    articles = true;
                    ended = Take();
                    Append(text[1..^1].Trim());
                }
                else
                {
                    ended = document.Length + text.Length > LongestDocument ? Take() : null;
                    Append(text);
                }

                if (ended is not null)
                {
                    return ended;
                }
            }

            return Take();
        }

        public void Dispose() => content.Dispose();

        private static bool IsTitle(ReadOnlySpan<char> line) =>
            line.Length > 4 && line.StartsWith("= ") && line.EndsWith(" =") && line[2] != '=';

        private void Append(ReadOnlySpan<char> line)
        {
            if (document.Length > 0)
            {
                document.Append('\n');
            }

            document.Append(line);
        }

        private string? Take()
        {
            if (document.Length == 0)
            {
                return null;
            }

            string text = document.ToString();
            document.Clear();
            return text;
        }

        private string? NextLine()
        {
            if (Refusing(lines.Next) is not { } line)
            {
                return null;
            }

            return line.Problem is null
                ? line.Text
                : throw new InvalidDataException(FormattableString.Invariant($"{fileName}({line.Number}{(line.Column is int column ? $",{column}" : "")}): {line.Problem}"));
        }

        private T Refusing<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (FileRefusedException exception)
            {
                throw new InvalidDataException($"{fileName}: {exception.Message}", exception);
            }
        }
    }
}
