using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EmbeddedHost;

/// <summary>
/// Keeps those categories quiet that write whole addresses or request lines, keys in the query included, whatever level the settings give
/// them: the web server's own, below warning. It is the last to see the rules, and narrows each of them.
/// </summary>
internal sealed class AddressLogGuard : IPostConfigureOptions<LoggerFilterOptions>
{
    private static readonly string[] Categories =
    [
        "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.HttpLogging", "Microsoft.AspNetCore.W3CLogging",
    ];

    /// <inheritdoc/>
    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        // Where no rule fits, none would ask the filter.
        LoggerFilterRule[] rules = [.. options.Rules, new LoggerFilterRule(null, null, options.MinLevel, null)];
        bool hasDefault = options.Rules.Any(rule => rule.ProviderName is null && rule.CategoryName is null);
        options.Rules.Clear();
        foreach (LoggerFilterRule rule in hasDefault ? rules[..^1] : rules)
        {
            Func<string?, string?, LogLevel, bool>? filter = rule.Filter;
            options.Rules.Add(new LoggerFilterRule(
                rule.ProviderName,
                rule.CategoryName,
                rule.LogLevel,
                (provider, category, level) => (filter is null || filter(provider, category, level)) && (level >= LogLevel.Warning || !WritesAddresses(category))));
        }
    }

    private static bool WritesAddresses(string? category) =>
        category is not null && Categories.Any(quiet => category.StartsWith(quiet, StringComparison.OrdinalIgnoreCase));
}
