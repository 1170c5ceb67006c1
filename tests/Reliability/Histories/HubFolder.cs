using EmbeddedHost.Durable;

namespace Ulmfit.Reliability.Histories;

/// <summary>The histories in the data folder of a host, whether it runs or has been killed.</summary>
internal static class HubFolder
{
    /// <summary>All there are.</summary>
    public static IReadOnlyList<RecordedHistory> ReadAll(string data) =>
        [.. Files(data, "*.log").Order(StringComparer.Ordinal).Select(RecordedHistory.FromLog)];

    /// <summary>That of an instance, null where there is none (yet).</summary>
    public static RecordedHistory? Find(string data, string instanceId) => Files(data, $"{instanceId}.log").Select(RecordedHistory.FromLog).FirstOrDefault();

    private static string[] Files(string data, string pattern)
    {
        string durable = Path.Combine(data, "durable");
        return Directory.Exists(durable) ? Directory.GetFiles(durable, pattern, SearchOption.AllDirectories) : [];
    }
}
