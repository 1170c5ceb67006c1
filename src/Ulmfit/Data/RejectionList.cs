namespace Ulmfit.Data;

/// <summary>Collects rejected rows up to a limit and counts all of them.</summary>
internal abstract class RejectionList(string file, int limit)
{
    internal List<RejectedRow> Rejected { get; } = [];

    internal long RejectedCount { get; private set; }

    public void Reject(long line, int? column, string reason)
    {
        RejectedCount++;
        if (Rejected.Count < limit)
        {
            Rejected.Add(new RejectedRow(file, line, column, reason));
        }
    }
}
