using System.Globalization;

namespace Ulmfit.Reliability.Load;

/// <summary>What a host did under load.</summary>
internal sealed record LoadReport
{
    /// <summary>Requests, answered or not.</summary>
    public required int Requests { get; init; }

    /// <summary>Answers that were not those of the version that they name.</summary>
    public required int Wrong { get; init; }

    /// <summary>Answers by a version that was not champion at any instant of the request.</summary>
    public required int Stale { get; init; }

    /// <summary>Requests without an answer, or with another status than 200.</summary>
    public required int Failed { get; init; }

    /// <summary>Connections that were opened beyond one a client: each is one that broke.</summary>
    public required int Reconnections { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Times of the answered requests in milliseconds, in ascending order.</summary>
    public required IReadOnlyList<float> Milliseconds { get; init; }

    /// <summary>How many requests each version answered.</summary>
    public required IReadOnlyDictionary<int, int> ByVersion { get; init; }

    /// <summary>Promotions that the host carried out meanwhile.</summary>
    public required int Promotions { get; init; }

    /// <summary>Epochs and slices that were trained meanwhile.</summary>
    public required int TrainedSteps { get; init; }

    /// <summary>Resident bytes after the first minute; null where it was shorter.</summary>
    public long? MemoryAfterTheFirstMinute { get; init; }

    /// <summary>Resident bytes at the end.</summary>
    public long? MemoryAtTheEnd { get; init; }

    /// <summary>The most resident bytes.</summary>
    public long? MemoryAtMost { get; init; }

    /// <summary>The first things that went wrong.</summary>
    public required IReadOnlyList<string> Messages { get; init; }

    /// <summary>By how much memory grew after the first minute, as a share.</summary>
    public double? MemoryGrowth => MemoryAtTheEnd / (double?)MemoryAfterTheFirstMinute - 1;

    /// <summary>What was promised and not kept; empty where all is well.</summary>
    public IReadOnlyList<string> Violations(LoadOptions options)
    {
        var violations = new List<string>();
        Check(Requests >= options.Requests, $"only {Requests} requests were made");
        Check(Wrong == 0, $"{Wrong} answers are wrong");
        Check(Stale == 0, $"{Stale} answers are by a version that was no longer, or not yet, the champion");
        Check(Failed == 0, $"{Failed} requests failed");
        Check(Reconnections == 0, $"{Reconnections} connections broke");
        Check(Promotions == options.Promotions, $"{Promotions} promotions were made");
        Check(ByVersion.Count == Math.Min(2, options.Promotions + 1), $"{ByVersion.Count} versions answered");
        Check(TrainedSteps > 0, "no training went on");
        Check(MemoryGrowth is not { } growth || growth <= options.MemoryGrowth, string.Create(CultureInfo.InvariantCulture, $"memory grew by {100 * MemoryGrowth:0.0} %"));
        return violations;

        void Check(bool kept, string violation)
        {
            if (!kept)
            {
                violations.Add(violation);
            }
        }
    }

    /// <summary>The report for a person.</summary>
    public IEnumerable<string> Lines()
    {
        yield return Line("requests", $"{Requests}");
        yield return Line("wrong", $"{Wrong}");
        yield return Line("stale", $"{Stale}");
        yield return Line("failed", $"{Failed}");
        yield return Line("connections broken", $"{Reconnections}");
        yield return Line("seconds", $"{Duration.TotalSeconds:0.0}");
        yield return Line("requests/s", $"{Requests / Duration.TotalSeconds:0}");
        yield return Line("milliseconds", $"p50 {Percentile(0.5):0.0}, p95 {Percentile(0.95):0.0}, p99 {Percentile(0.99):0.0}, most {Percentile(1):0.0}");
        yield return Line("answered by", $"{string.Join(", ", ByVersion.Select(pair => string.Create(CultureInfo.InvariantCulture, $"version {pair.Key}: {pair.Value}")))}");
        yield return Line("promotions", $"{Promotions}");
        yield return Line("training", $"{TrainedSteps} steps ended meanwhile");
        yield return Line("resident memory", MemoryAfterTheFirstMinute is null
            ? (FormattableString)$"{Mebibytes(MemoryAtTheEnd):0} MiB at the end, {Mebibytes(MemoryAtMost):0} MiB at most"
            : $"{Mebibytes(MemoryAfterTheFirstMinute):0} MiB after the first minute, {Mebibytes(MemoryAtTheEnd):0} MiB at the end ({100 * MemoryGrowth:+0.0;-0.0;0.0} %), {Mebibytes(MemoryAtMost):0} MiB at most");
        foreach (string message in Messages)
        {
            yield return message;
        }
    }

    private static double? Mebibytes(long? bytes) => bytes / (double)(1 << 20);

    private static string Line(string name, FormattableString value) => $"{name,-20}{value.ToString(CultureInfo.InvariantCulture)}";

    private double Percentile(double share) =>
        Milliseconds.Count == 0 ? double.NaN : Milliseconds[Math.Min(Milliseconds.Count - 1, (int)(share * Milliseconds.Count))];
}
