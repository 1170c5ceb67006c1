using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>
/// The keys of the app, made on first use and kept in <c>keys/host.json</c> and <c>keys/functions/NAME.json</c> of the data
/// directory, readable by their owner only. They never appear in a log.
/// </summary>
internal sealed class FunctionKeys(HostSettings settings, FunctionCatalog catalog)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private HostKeyFile? host;
    private Dictionary<string, Dictionary<string, string>> functions = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads the keys.</summary>
    /// <param name="make">Whether to make those that are missing: the host that has the data directory does, others wait for it.</param>
    /// <returns>Whether there are all.</returns>
    /// <exception cref="HostStartException">A key file is damaged.</exception>
    public bool Load(bool make)
    {
        string folder = Path.Combine(settings.DataDirectory, "keys");
        string[] files = [Path.Combine(folder, "host.json"), .. catalog.OfKind(TriggerKind.Http).Select(f => PathOf(folder, f))];
        if (!make && !files.All(File.Exists))
        {
            return false;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        }

        HostKeyFile ofHost = ReadOrMake(
            files[0],
            KeyJson.Default.HostKeyFile,
            () => new HostKeyFile(NewKey(), new() { ["default"] = NewKey() }, new() { ["durabletask_extension"] = NewKey() }));
        functions = catalog.OfKind(TriggerKind.Http).ToDictionary(
            f => f.Name,
            f => ReadOrMake(
                PathOf(folder, f),
                KeyJson.Default.DictionaryStringString,
                () => new Dictionary<string, string> { ["default"] = NewKey() }),
            StringComparer.OrdinalIgnoreCase);
        host = ofHost;
        return true;
    }

    /// <summary>Whether a key opens a level.</summary>
    /// <param name="level">What is asked for.</param>
    /// <param name="function">The function; null for the host's own addresses.</param>
    /// <param name="key">What the caller sent.</param>
    public bool Opens(AuthorizationLevel level, string? function, string? key)
    {
        if (level == AuthorizationLevel.Anonymous)
        {
            return true;
        }

        if (string.IsNullOrEmpty(key) || host is null)
        {
            return false;
        }

        byte[] sent = SHA256.HashData(Encoding.UTF8.GetBytes(key));

        // Every key is compared, and digests instead of texts, so that the time tells nothing of a key or of which one is near.
        bool opens = Equal(sent, host.Master);
        IEnumerable<string> others = level switch
        {
            AuthorizationLevel.Function => host.Keys.Values.Concat(
                function is not null && functions.TryGetValue(function, out Dictionary<string, string>? own) ? own.Values : Enumerable.Empty<string>()),
            AuthorizationLevel.System => host.SystemKeys.Values,
            _ => [],
        };
        foreach (string other in others)
        {
            opens |= Equal(sent, other);
        }

        return opens;
    }

    private static string PathOf(string folder, HostedFunction function) => Path.Combine(folder, "functions", function.Name.ToLowerInvariant() + ".json");

    private static bool Equal(byte[] sentDigest, string key) =>
        CryptographicOperations.FixedTimeEquals(sentDigest, SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(40)).Replace('+', '-').Replace('/', '_').TrimEnd('=');

    private static T ReadOrMake<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, Func<T> make)
        where T : class
    {
        if (File.Exists(path))
        {
            try
            {
                return JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw new JsonException("it holds null");
            }
            catch (JsonException e)
            {
                throw new HostStartException($"The key file {path} is damaged ({e.Message}). Restore it, or delete it to get new keys.", e);
            }
        }

        T made = make();
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(made, type), OwnerOnly);
        return made;
    }
}

/// <summary>The keys that hold for the whole app.</summary>
/// <param name="Master">Opens everything.</param>
/// <param name="Keys">Open every function of level Function.</param>
/// <param name="SystemKeys">Open the addresses of extensions, by their names.</param>
internal sealed record HostKeyFile(
    [property: JsonRequired] string Master,
    [property: JsonRequired] Dictionary<string, string> Keys,
    [property: JsonRequired] Dictionary<string, string> SystemKeys);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HostKeyFile))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class KeyJson : JsonSerializerContext;
