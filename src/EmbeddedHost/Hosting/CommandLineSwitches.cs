namespace EmbeddedHost;

/// <summary>Brings a command line into the form that the configuration reads, which knows no switches without a value.</summary>
internal static class CommandLineSwitches
{
    /// <summary>Gives each <c>--name</c> that no value follows the value <c>true</c>.</summary>
    /// <param name="args">The command line.</param>
    /// <returns>The same in the form <c>--name=value</c>; words that belong to no name are left out.</returns>
    public static string[] Normalize(IReadOnlyList<string> args)
    {
        var result = new List<string>(args.Count);
        for (int i = 0; i < args.Count; i++)
        {
            string arg = args[i];
            if (!IsName(arg))
            {
                continue;
            }

            if (arg.Contains('=', StringComparison.Ordinal))
            {
                result.Add(arg);
            }
            else if (i + 1 < args.Count && !IsName(args[i + 1]))
            {
                result.Add($"{arg}={args[++i]}");
            }
            else
            {
                result.Add($"{arg}=true");
            }
        }

        return [.. result];
    }

    private static bool IsName(string arg) => arg.Length > 2 && arg.StartsWith("--", StringComparison.Ordinal);
}
