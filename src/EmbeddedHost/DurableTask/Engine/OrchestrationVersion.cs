namespace EmbeddedHost.Durable;

/// <summary>How versions of orchestrations compare: as numbers with dots where both are such, as text without regard to case otherwise; none is older than any.</summary>
internal static class OrchestrationVersion
{
    public static int Compare(string? a, string? b)
    {
        bool first = !string.IsNullOrWhiteSpace(a), second = !string.IsNullOrWhiteSpace(b);
        return first && second
            ? Version.TryParse(a, out Version? one) && Version.TryParse(b, out Version? other)
                ? one.CompareTo(other)
                : string.Compare(a, b, StringComparison.OrdinalIgnoreCase)
            : first.CompareTo(second);
    }

    /// <summary>Whether a host runs orchestrations of a version.</summary>
    public static bool IsRunBy(DurableTaskHostOptions host, string version) => host.VersionMatch switch
    {
        VersionMatchStrategy.Strict => Compare(version, host.DefaultVersion) == 0,
        VersionMatchStrategy.CurrentOrOlder => Compare(version, host.DefaultVersion) <= 0,
        _ => true,
    };
}
