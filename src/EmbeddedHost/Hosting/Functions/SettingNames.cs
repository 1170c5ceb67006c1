using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace EmbeddedHost;

/// <summary>Replaces <c>%Name%</c> in what attributes state by the setting of that name.</summary>
internal static partial class SettingNames
{
    /// <summary>Replaces the names.</summary>
    /// <param name="text">The text of an attribute.</param>
    /// <param name="configuration">The settings.</param>
    /// <exception cref="FormatException">A setting is missing.</exception>
    public static string Resolve(string text, IConfiguration configuration) =>
        Name().Replace(text, match => configuration[match.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal)]
            ?? throw new FormatException($"'{text}' names the setting {match.Groups[1].Value}, which has no value; set it in local.settings.json or the environment."));

    [GeneratedRegex("%([^%]+)%", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
