using Microsoft.Extensions.Configuration;

namespace EmbeddedHost;

/// <summary>The host's own settings, read once from the configuration.</summary>
public sealed class HostSettings
{
    /// <summary>The address where no other is set.</summary>
    public const string DefaultUrl = "http://localhost:7071";

    // What tells how the host itself does, whatever the app: its process, its requests, its server.
    private static readonly string[] s_ownMeters = ["System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel"];

    /// <summary>Reads the settings.</summary>
    /// <param name="configuration">The app's configuration.</param>
    public HostSettings(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        DataDirectory = Path.GetFullPath(NotEmpty(configuration["data"]) ?? ".data");
        Urls = (NotEmpty(configuration["urls"]) ?? NotEmpty(configuration["ASPNETCORE_URLS"]) ?? DefaultUrl)
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        RequireKeys = ReadSwitch(configuration, "Host:RequireKeys");
        AnonymousFunctions = List(configuration["Host:AnonymousFunctions"]).ToHashSet(StringComparer.OrdinalIgnoreCase);
        Meters = [.. s_ownMeters.Union(List(configuration["Host:Meters"]), StringComparer.Ordinal)];
        AnonymousMetrics = ReadSwitch(configuration, "Host:AnonymousMetrics");
        Cors = List(configuration["Host:CORS"]);
        CorsCredentials = ReadSwitch(configuration, "Host:CORSCredentials");
        if (Cors.Any(origin => origin != "*" && !IsOrigin(origin)))
        {
            throw new HostStartException($"The setting Host:CORS is '{configuration["Host:CORS"]}'; it must list origins such as https://app.example.com, separated by commas, or be *.");
        }

        if (CorsCredentials && Cors.Contains("*"))
        {
            throw new HostStartException("Host:CORSCredentials needs the origins by name in Host:CORS: no browser sends credentials where the origin is *.");
        }

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

    /// <summary>Functions that need no key, whatever their level says: <c>Host:AnonymousFunctions</c>, names separated by commas.</summary>
    public IReadOnlySet<string> AnonymousFunctions { get; }

    /// <summary>The meters that <c>GET /metrics</c> shows: those of the runtime and the server, and <c>Host:Meters</c>, names separated by commas.</summary>
    public IReadOnlyList<string> Meters { get; }

    /// <summary>Whether <c>GET /metrics</c> needs no key where keys are asked for: <c>Host:AnonymousMetrics</c>.</summary>
    public bool AnonymousMetrics { get; }

    /// <summary>Origins whose pages may read answers: <c>Host:CORS</c>, as in the section Host of local.settings.json; none by default, <c>*</c> for all.</summary>
    public IReadOnlyList<string> Cors { get; }

    /// <summary>Whether those pages may send credentials: <c>Host:CORSCredentials</c>.</summary>
    public bool CorsCredentials { get; }

    /// <summary>What stands before every route, without slashes at its ends: <c>extensions.http.routePrefix</c> of host.json.</summary>
    public string RoutePrefix { get; }

    private static string[] List(string? value) => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.GetLeftPart(UriPartial.Authority).Equals(text, StringComparison.OrdinalIgnoreCase);

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
