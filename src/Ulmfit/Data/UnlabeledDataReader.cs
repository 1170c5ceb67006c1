namespace Ulmfit.Data;

/// <summary>
/// Reads texts without labels: .txt with one text a line (blank lines are passed over), .jsonl with one object a line, .csv
/// and .tsv with a column of texts (or a single column), also .gz of these. Rejections, limits and names are those of
/// <see cref="LabeledDataReader"/>; a label that is there is ignored.
/// </summary>
public static class UnlabeledDataReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="content">Its bytes; read to the end, not closed.</param>
    /// <param name="fileName">Its name; the ending says how to read it, messages carry it.</param>
    /// <param name="options">Names and limits; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static UnlabeledFile Read(Stream content, string fileName, LabeledDataOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(fileName);
        options ??= new LabeledDataOptions();
        options.Validate();
        var sink = new Sink(fileName, options);
        string? error = null;
        try
        {
            RowReader.Read(content, fileName, needsLabel: false, allowPlainText: true, options, sink, _ => { });
            if (sink.Rows.Count == 0 && sink.RejectedCount == 0)
            {
                error = "The file holds no text.";
            }
        }
        catch (FileRefusedException e)
        {
            error = e.Message;
        }

        return new UnlabeledFile
        {
            Rows = error is null ? sink.Rows : [],
            Rejected = sink.Rejected,
            RejectedCount = sink.RejectedCount,
            Error = error,
        };
    }

    private sealed class Sink(string file, LabeledDataOptions options) : RejectionList(file, options), IRowSink
    {
        internal List<UnlabeledRow> Rows { get; } = [];

        protected override int Accepted => Rows.Count;

        public void Add(string? text, string? label, long line, DateTimeOffset? correctedAt)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                Reject(line, null, "The row has no text.");
            }
            else
            {
                if (Rows.Count == Options.MaxRows)
                {
                    throw new FileRefusedException($"The file has more than the {Options.MaxRows} rows allowed, by line {line}.");
                }

                Rows.Add(new UnlabeledRow(text, line));
            }
        }
    }
}
