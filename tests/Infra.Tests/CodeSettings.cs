using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>The settings that the app reads, found in its source: the Azure flavour's and those of both flavours, and host.json's.</summary>
internal static partial class CodeSettings
{
    /// <summary>Names as in the environment, <c>A__B</c>.</summary>
    public static IReadOnlySet<string> Read { get; } = Find();

    /// <summary>Those that host.json names without a default: <c>%NAME%</c>, and the names of connection strings.</summary>
    public static IReadOnlySet<string> NamedByHost { get; } =
        HostReference().Matches(Repository.Read("host.json")).Select(name => name.Groups[1].Success ? name.Groups[1].Value : name.Groups[2].Value).ToHashSet(StringComparer.Ordinal);

    /// <summary>Settings of the platform: the host, its extensions and the Azure SDK read them.</summary>
    public static IReadOnlySet<string> Platform { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "AZURE_CLIENT_ID",
        "ASPNETCORE_URLS",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions",
        "AzureFunctionsJobHost__functionTimeout",
        "AzureWebJobsDisableHomepage",
        "AzureWebJobsSecretStorageType",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__clientId",
        "AzureWebJobsStorage__credential",
        "AzureWebJobsStorage__queueServiceUri",
        "CUBLAS_WORKSPACE_CONFIG",
        "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
    };

    private static HashSet<string> Find()
    {
        IEnumerable<string> sources = Repository.Files("src/Ulmfit.Functions", "*.cs").Concat(Repository.Files("eng/azure/Functions", "*.cs")).Select(Repository.Read);
        IEnumerable<string> named = sources.SelectMany(source => Reading().Matches(source)).Select(reading => reading.Groups[1].Value);
        IEnumerable<string> limits = Limit().Matches(Repository.Read("src/Ulmfit.Pipeline/Limits.cs")).Select(limit => $"Limits:{limit.Groups[1].Value}");
        return named.Concat(limits).Select(name => name.Replace(":", "__", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
    }

    [GeneratedRegex("(?:(?:Text|Switch|Count|Number|Seconds)\\(configuration, |Configuration\\[)\"([A-Za-z][A-Za-z0-9:_-]*)\"")]
    private static partial Regex Reading();

    [GeneratedRegex(@"public (?:int|long) (\w+) \{ get;")]
    private static partial Regex Limit();

    [GeneratedRegex("%([A-Za-z_]+)%|\"connectionStringName\": *\"([A-Za-z_]+)\"")]
    private static partial Regex HostReference();
}
