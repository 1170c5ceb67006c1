using System.Globalization;
using System.Text;

namespace Fuzz;

/// <summary>A kind of defect: the same exception out of the same place.</summary>
/// <param name="Target">The target.</param>
/// <param name="Index">The first input that showed it.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Kind">What went wrong, in a few words.</param>
/// <param name="Detail">The exception.</param>
/// <param name="File">Where the input is kept, to replay it.</param>
internal sealed record FuzzFailure(string Target, long Index, int Length, string Kind, string Detail, string File);

/// <summary>What became of a target's inputs.</summary>
/// <param name="Target">The target.</param>
/// <param name="Inputs">How many there were.</param>
/// <param name="Accepted">How many were taken.</param>
/// <param name="Failed">How many showed a defect.</param>
/// <param name="MostBytes">The most bytes that an input made the target allocate.</param>
/// <param name="Slowest">The longest that an input took.</param>
/// <param name="Busy">Time spent in the target, all threads together.</param>
internal sealed record TargetSummary(string Target, long Inputs, long Accepted, long Failed, long MostBytes, TimeSpan Slowest, TimeSpan Busy)
{
    /// <summary>How many were refused in the documented way.</summary>
    public long Refused => Inputs - Accepted - Failed;
}

/// <summary>What a run found.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Targets">Each target.</param>
/// <param name="Failures">Each kind of defect once.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="PeakMemory">The most memory that the process held, in bytes.</param>
internal sealed record FuzzReport(ulong Seed, IReadOnlyList<TargetSummary> Targets, IReadOnlyList<FuzzFailure> Failures, TimeSpan Elapsed, long PeakMemory)
{
    /// <summary>All inputs.</summary>
    public long Inputs => Targets.Sum(target => target.Inputs);

    /// <summary>All inputs that showed a defect.</summary>
    public long Failed => Targets.Sum(target => target.Failed);

    /// <summary>The summary as a table.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"{"target",-20} {"inputs",12} {"accepted",12} {"refused",12} {"crashes",8} {"most memory",12} {"slowest",10} {"inputs/s",10}");
        foreach (TargetSummary t in Targets)
        {
            double rate = t.Busy > TimeSpan.Zero ? t.Inputs / t.Busy.TotalSeconds : 0;
            Line($"{t.Target,-20} {t.Inputs,12:N0} {t.Accepted,12:N0} {t.Refused,12:N0} {t.Failed,8:N0} {t.MostBytes / 1048576.0,9:N1} MB {t.Slowest.TotalMilliseconds,7:N0} ms {rate,10:N0}");
        }

        Line($"{"all",-20} {Inputs,12:N0} {Targets.Sum(t => t.Accepted),12:N0} {Targets.Sum(t => t.Refused),12:N0} {Failed,8:N0}");
        Line($"seed {Seed}, {Elapsed.TotalSeconds:N1} s, peak memory of the process {PeakMemory / 1048576.0:N0} MB");
        foreach (FuzzFailure failure in Failures)
        {
            Line($"\nDEFECT {failure.Target} #{failure.Index} (seed {Seed}, {failure.Length} bytes): {failure.Kind}\n{failure.Detail}\nreplay: --target {failure.Target} --replay {failure.File}");
        }

        return text.ToString();
    }
}
