namespace Ulmfit.Data;

/// <summary>
/// Reads labelled texts from .csv, .tsv and .jsonl files, also .gz of these, in UTF-8 or in UTF-16 with a byte order mark.
/// <para>
/// Nothing in a file makes it throw: a bad row is rejected with its line and the reason, the good rows of the same file
/// are kept, and a file that is no such file at all gets an <see cref="LabeledFile.Error"/>. Files are streamed; beside the
/// rows that are kept, memory is bounded by <see cref="LabeledDataOptions.MaxRowLength"/>. Failures of the stream itself
/// (<see cref="IOException"/>) are the caller's.
/// </para>
/// <para>
/// Columns: with a header they are found by name (<c>text</c>, <c>label</c> and the usual other names, or those of the
/// options), further columns are ignored. Without one there must be two, and the labels are recognised by having fewer
/// different values. The delimiter of a .csv file may be comma, semicolon or tab. JSON lines hold an object each, with
/// the same names; a number or truth value as label counts as its text.
/// </para>
/// </summary>
public static class LabeledDataReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="content">Its bytes; read to the end, not closed.</param>
    /// <param name="fileName">Its name; the ending says how to read it, messages carry it.</param>
    /// <param name="options">Names and limits; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static LabeledFile Read(Stream content, string fileName, LabeledDataOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(fileName);
        options ??= new LabeledDataOptions();
        options.Validate();
        var sink = new Sink(fileName, options);
        DetectedFormat? format = null;
        string? error = null;
        try
        {
            RowReader.Read(content, fileName, needsLabel: true, allowPlainText: false, options, sink, f => format = f);
            if (sink.Rows.Count == 0 && sink.RejectedCount == 0)
            {
                error = "The file holds no row.";
            }
        }
        catch (FileRefusedException e)
        {
            error = e.Message;
        }

        return new LabeledFile
        {
            Rows = error is null ? sink.Rows : [],
            Rejected = sink.Rejected,
            RejectedCount = sink.RejectedCount,
            Error = error,
            Format = format,
        };
    }

    private sealed class Sink(string file, LabeledDataOptions options) : RejectionList(file, options), IRowSink
    {
        private readonly Dictionary<string, string> labels = new(StringComparer.Ordinal);

        internal List<LabeledRow> Rows { get; } = [];

        protected override int Accepted => Rows.Count;

        public void Add(string? text, string? label, long line, DateTimeOffset? correctedAt)
        {
            string trimmed = (label ?? "").Trim();
            if (trimmed.Length == 0)
            {
                Reject(line, null, "The row has no label.");
            }
            else if (trimmed.Length > Options.MaxLabelLength)
            {
                Reject(line, null, $"The label has {trimmed.Length} characters; at most {Options.MaxLabelLength} are allowed.");
            }
            else if (trimmed.Any(char.IsControl))
            {
                Reject(line, null, "The label contains a line end or another control character.");
            }
            else if (string.IsNullOrWhiteSpace(text))
            {
                Reject(line, null, "The row has no text.");
            }
            else if (text.Length > Options.MaxRowLength)
            {
                Reject(line, null, $"The text is longer than the {Options.MaxRowLength} characters allowed.");
            }
            else
            {
                // One string a label, not one a row.
                if (!labels.TryGetValue(trimmed, out string? shared))
                {
                    shared = trimmed;
                    labels.Add(trimmed, trimmed);
                    if (labels.Count > Options.MaxLabels)
                    {
                        throw new FileRefusedException(
                            $"There are more than {Options.MaxLabels} different labels by line {line} (there '{trimmed}'); is this the column of labels?");
                    }
                }

                if (Rows.Count == Options.MaxRows)
                {
                    throw new FileRefusedException($"The file has more than the {Options.MaxRows} rows allowed, by line {line}.");
                }

                Rows.Add(new LabeledRow(text, shared, line) { CorrectedAt = correctedAt });
            }
        }
    }
}
