using Microsoft.Extensions.Configuration;

namespace EmbeddedHost;

/// <summary>The host's own settings, read once from the configuration.</summary>
public sealed class HostSettings
{
    /// <summary>The address where no other is set.</summary>
    public const string DefaultUrl = "http://localhost:7071";

    /// <summary>Reads the settings.</summary>
    /// <param name="configuration">The app's configuration.</param>
    public HostSettings(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        DataDirectory = Path.GetFullPath(NotEmpty(configuration["data"]) ?? ".data");
        Urls = (NotEmpty(configuration["urls"]) ?? NotEmpty(configuration["ASPNETCORE_URLS"]) ?? DefaultUrl)
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        RequireKeys = ReadSwitch(configuration, "Host:RequireKeys");
        RoutePrefix = (configuration["AzureFunctionsJobHost:extensions:http:routePrefix"] ?? "api").Trim('/');
    }

    /// <summary>The folder of all state, absolute: <c>--data</c>, <c>.data</c> below the current directory by default. Containers are folders in it.</summary>
    public string DataDirectory { get; }

    /// <summary>The folder of the host's own records: lock, receipts, schedules, poison list.</summary>
    public string HostDirectory => Path.Combine(DataDirectory, "host");

    /// <summary>The addresses to listen on: <c>--urls</c>, separated by semicolons.</summary>
    public IReadOnlyList<string> Urls { get; }

    /// <summary>Whether callers need keys: <c>Host:RequireKeys</c>.</summary>
    public bool RequireKeys { get; }

    /// <summary>What stands before every route, without slashes at its ends: <c>extensions.http.routePrefix</c> of host.json.</summary>
    public string RoutePrefix { get; }

    private static bool ReadSwitch(IConfiguration configuration, string key)
    {
        string? value = NotEmpty(configuration[key]);
        return value switch
        {
            null or "0" => false,
            "1" => true,
            _ when bool.TryParse(value, out bool on) => on,
            _ => throw new HostStartException($"The setting {key} is '{value}'; it must be true or false."),
        };
    }

    private static string? NotEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
