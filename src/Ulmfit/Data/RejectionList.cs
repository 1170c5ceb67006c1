namespace Ulmfit.Data;

/// <summary>Collects rejected rows up to a limit and counts all of them.</summary>
internal abstract class RejectionList(string file, LabeledDataOptions options)
{
    internal List<RejectedRow> Rejected { get; } = [];

    internal long RejectedCount { get; private set; }

    /// <summary>Names and limits.</summary>
    protected LabeledDataOptions Options => options;

    /// <summary>How many rows were good so far.</summary>
    protected abstract int Accepted { get; }

    /// <exception cref="FileRefusedException">There are so many that the file is not what its name says.</exception>
    public void Reject(long line, int? column, string reason)
    {
        RejectedCount++;
        if (Rejected.Count < options.MaxRejected)
        {
            Rejected.Add(new RejectedRow(file, line, column, reason));
        }
        if (RejectedCount > options.MaxUnusable && RejectedCount > Accepted)
        {
            throw new FileRefusedException(
                $"More than {options.MaxUnusable} rows up to line {line}, and more than half of all, cannot be used; that line because: {reason} Is the file what its ending says? Mend it and send it again.");
        }
    }
}
