namespace Ulmfit.Data;

/// <summary>Receives what a file holds, row by row.</summary>
internal interface IRowSink
{
    /// <summary>A row that could be read; neither text nor label has been looked at.</summary>
    void Add(string? text, string? label, long line, DateTimeOffset? correctedAt = null);

    /// <summary>A row that could not.</summary>
    void Reject(long line, int? column, string reason);
}

/// <summary>Reads rows of .csv, .tsv, .jsonl and .txt files, also .gz of these, in bounded memory.</summary>
internal static class RowReader
{
    /// <summary>Reads all rows into a sink; what was recognised of the form is told before the first row.</summary>
    /// <exception cref="FileRefusedException">The file as a whole cannot be read.</exception>
    internal static void Read(
        Stream content, string fileName, bool needsLabel, bool allowPlainText, LabeledDataOptions options, IRowSink sink,
        Action<DetectedFormat> recognised)
    {
        string name = fileName.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? fileName[..^3] : fileName;
        string extension = Path.GetExtension(name).ToLowerInvariant();
        bool known = extension is ".csv" or ".tsv" or ".jsonl" || (allowPlainText && extension == ".txt");
        if (!known)
        {
            throw new FileRefusedException(
                $"The name '{fileName}' does not end in .csv, .tsv, .jsonl{(allowPlainText ? ", .txt" : "")} or one of these with .gz.");
        }

        using Stream stream = InputStream.Open(content, fileName, options);
        var lines = new PhysicalLineReader(stream, options.MaxRowLength);
        switch (extension)
        {
            case ".jsonl":
                ReadJson(lines, needsLabel, options, sink, recognised);
                break;
            case ".txt":
                recognised(new DetectedFormat(null, false, null, null));
                ReadPlain(lines, sink);
                break;
            default:
                ReadDelimited(lines, extension == ".tsv" ? "\t" : ",;\t", needsLabel, options, sink, recognised);
                break;
        }
    }

    private static void ReadPlain(PhysicalLineReader lines, IRowSink sink)
    {
        while (lines.Next() is { } line)
        {
            if (line.Problem is not null)
            {
                sink.Reject(line.Number, line.Column, line.Problem);
            }
            else if (!string.IsNullOrWhiteSpace(line.Text))
            {
                sink.Add(line.Text, null, line.Number);
            }
        }
    }

    private static void ReadJson(
        PhysicalLineReader lines, bool needsLabel, LabeledDataOptions options, IRowSink sink, Action<DetectedFormat> recognised)
    {
        recognised(new DetectedFormat(null, false, options.TextColumn ?? "text", needsLabel ? options.LabelColumn ?? "label" : null));
        bool first = true;
        while (lines.Next() is { } line)
        {
            if (line.Problem is not null)
            {
                sink.Reject(line.Number, line.Column, line.Problem);
                continue;
            }

            if (string.IsNullOrWhiteSpace(line.Text))
            {
                continue;
            }

            if (first && line.Text.AsSpan().Trim() is "[" or "[{")
            {
                throw new FileRefusedException("The file is one JSON array; one JSON object a line was expected.");
            }

            first = false;
            (string Problem, int? Column)? wrong = JsonLine.Read(line.Text, needsLabel, options, out string? text, out string? label, out DateTimeOffset? correctedAt);
            if (wrong is { } found)
            {
                sink.Reject(line.Number, found.Column, found.Problem);
            }
            else
            {
                sink.Add(text, label, line.Number, correctedAt);
            }
        }
    }

    private static void ReadDelimited(
        PhysicalLineReader lines, string delimiters, bool needsLabel, LabeledDataOptions options, IRowSink sink,
        Action<DetectedFormat> recognised)
    {
        var sample = new Queue<PhysicalLine>();
        long characters = 0;
        while (sample.Count < DelimitedFormatDetector.SampleLines && characters <= options.MaxRowLength && lines.Next() is { } line)
        {
            sample.Enqueue(line);
            characters += line.Text?.Length ?? 0;
        }

        DelimitedFormat format = DelimitedFormatDetector.Detect([.. sample], delimiters, needsLabel, options);
        recognised(format.Describe());
        var records = new DelimitedRecordReader(
            () => sample.TryDequeue(out PhysicalLine line) ? line : lines.Next(), format.Delimiter, options.MaxRowLength)
        {
            Columns = format.Columns,
        };
        bool headerAhead = format.HasHeader;
        while (records.Next() is { } record)
        {
            if (record.Problem is not null)
            {
                sink.Reject(record.Line, record.Column, record.Problem);
            }
            else if (headerAhead)
            {
                headerAhead = false;
            }
            else if (record.Fields!.Count != format.Columns)
            {
                string hint = record.Fields.Count > format.Columns ? $"; is there a '{Name(format.Delimiter)}' outside quotation marks?" : "";
                sink.Reject(record.Line, null, $"{format.Columns} columns were expected, {record.Fields.Count} were found{hint}");
            }
            else
            {
                sink.Add(
                    record.Fields[format.TextIndex],
                    format.LabelIndex < 0 ? null : record.Fields[format.LabelIndex],
                    record.Line);
            }
        }
    }

    private static string Name(char delimiter) => delimiter == '\t' ? "tab" : delimiter.ToString();
}
