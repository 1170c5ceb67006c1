using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Deployment;

/// <summary>The settings as docs/settings.md lists them: the one list that code, infrastructure and readers are held to.</summary>
internal static class SettingsTable
{
    /// <summary>The rows of the list.</summary>
    public static IReadOnlyList<Setting> Settings { get; } =
        [.. Rows("setting").Select(cells => new Setting(Code(cells[0]), cells[1], Words(cells[2]), cells[3], Words(cells[4]), cells[5]))];

    /// <summary>The rows of host.json: path and value.</summary>
    public static IReadOnlyList<(string Path, string Value)> HostJson { get; } = [.. Rows("path").Select(cells => (Code(cells[0]), Code(cells[1])))];

    /// <summary>One form for a name, whichever way its parts are joined.</summary>
    public static string Normalize(string name) => name.Replace("__", ":", StringComparison.Ordinal);

    // The rows of the table whose first column has a name.
    private static IEnumerable<string[]> Rows(string firstColumn) => File.ReadLines(Repository.File("docs", "settings.md"))
        .SkipWhile(line => !line.StartsWith($"| {firstColumn} |", StringComparison.Ordinal))
        .Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries));

    private static string Code(string cell) => cell.Trim('`');

    private static string[] Words(string cell) => cell.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>A setting.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Default">What holds without it.</param>
    /// <param name="For"><c>all</c>, or some of <c>local</c>, <c>api</c>, <c>trainer</c>.</param>
    /// <param name="SetBy"><c>infra</c> or <c>you</c>.</param>
    /// <param name="ReadBy">Who reads it: <c>app</c> is the code here.</param>
    /// <param name="Meaning">What it does.</param>
    internal sealed record Setting(string Name, string Default, IReadOnlyList<string> For, string SetBy, IReadOnlyList<string> ReadBy, string Meaning);
}
