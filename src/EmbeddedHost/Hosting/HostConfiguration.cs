using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace EmbeddedHost;

/// <summary>The sources of settings that a function app has on its own machine.</summary>
internal static class HostConfiguration
{
    /// <summary>Where the content of host.json stands in the configuration, as in Functions.</summary>
    public const string HostJsonSection = "AzureFunctionsJobHost";

    /// <summary>Adds the sources, weakest first: host.json, appsettings.json, local.settings.json, environment, command line.</summary>
    /// <param name="configuration">Takes the sources.</param>
    /// <param name="args">The command line.</param>
    public static void AddSources(ConfigurationManager configuration, IReadOnlyList<string> args)
    {
        string[] switches = CommandLineSwitches.Normalize(args);
        IConfiguration commandLine = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(switches).Build();

        // The folder of the app is where the build puts host.json; the current directory is where a person works.
        string[] folders = commandLine["script-root"] is { Length: > 0 } root
            ? [Path.GetFullPath(root)]
            : [AppContext.BaseDirectory, Directory.GetCurrentDirectory()];

        if (folders.Select(f => Path.Combine(f, "host.json")).FirstOrDefault(File.Exists) is { } hostJson)
        {
            configuration.AddInMemoryCollection(ReadHostJson(hostJson));
        }

        foreach (string folder in folders.Distinct(StringComparer.Ordinal))
        {
            configuration.AddJsonFile(Path.Combine(folder, "appsettings.json"), optional: true, reloadOnChange: false);
        }

        foreach (string folder in folders.Distinct(StringComparer.Ordinal))
        {
            configuration.AddInMemoryCollection(ReadLocalSettings(Path.Combine(folder, "local.settings.json")));
        }

        configuration.AddEnvironmentVariables();
        configuration.AddCommandLine(switches);
    }

    private static List<KeyValuePair<string, string?>> ReadHostJson(string path)
    {
        IConfigurationRoot json = Read(path, () => new ConfigurationBuilder().AddJsonFile(path, optional: false, reloadOnChange: false).Build());
        return json.AsEnumerable().Where(e => e.Value is not null).Select(e => KeyValuePair.Create($"{HostJsonSection}:{e.Key}", e.Value)).ToList();
    }

    private static List<KeyValuePair<string, string?>> ReadLocalSettings(string path)
    {
        var values = new List<KeyValuePair<string, string?>>();
        if (!File.Exists(path))
        {
            return values;
        }

        using JsonDocument document = Read(path, () => JsonDocument.Parse(
            File.ReadAllText(path),
            new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip }));
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new HostStartException($"{path} must hold a JSON object with a member \"Values\".");
        }

        if (document.RootElement.TryGetProperty("Host", out JsonElement host) && host.ValueKind == JsonValueKind.Object)
        {
            // As Core Tools has them: for the host on this machine alone.
            foreach (string name in (string[])["CORS", "CORSCredentials"])
            {
                if (host.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)
                {
                    values.Add(KeyValuePair.Create($"Host:{name}", (string?)value.ToString()));
                }
            }
        }

        if (!document.RootElement.TryGetProperty("Values", out JsonElement settings) || settings.ValueKind != JsonValueKind.Object)
        {
            return values;
        }

        foreach (JsonProperty setting in settings.EnumerateObject())
        {
            string? value = setting.Value.ValueKind switch
            {
                JsonValueKind.String => setting.Value.GetString(),
                JsonValueKind.Null => null,
                JsonValueKind.True or JsonValueKind.False or JsonValueKind.Number => setting.Value.GetRawText(),
                _ => throw new HostStartException($"{path}: the value \"{setting.Name}\" is nested; \"Values\" holds plain values only, with __ or : between the parts of a name."),
            };

            // Core Tools hands these values on as environment variables, where two underscores stand for a level.
            values.Add(KeyValuePair.Create(setting.Name.Replace("__", ":", StringComparison.Ordinal), value));
        }

        return values;
    }

    private static T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidDataException)
        {
            throw new HostStartException($"{path} is not valid JSON: {e.GetBaseException().Message}", e);
        }
    }
}
