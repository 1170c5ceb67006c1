namespace Ulmfit.Cli.Terminal;

/// <summary>The variables of the environment that the commands read.</summary>
internal static class EnvironmentVariables
{
    public const string Host = "ULMFIT_HOST";
    public const string Key = "ULMFIT_KEY";

    /// <summary>All of them, with what they say.</summary>
    public static IReadOnlyList<(string Name, string Meaning)> All { get; } =
    [
        (Host, "address of the host that drop and watch talk to, where --host does not say"),
        (Key, "function key for it, where --key does not say; unlike an option it does not show in lists of processes"),
        ("NO_COLOR", "no colours, if it is not empty"),
        ("TERM", "dumb: nothing is drawn in place and nothing coloured"),
    ];
}
