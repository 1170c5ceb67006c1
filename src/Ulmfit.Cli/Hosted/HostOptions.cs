using System.CommandLine;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Hosted;

/// <summary>The options that say which host a command talks to.</summary>
internal sealed class HostOptions
{
    private const string Usual = "http://localhost:7071";

    private readonly Option<string?> host = new("--host")
    {
        Description = $"Address of the host; when not given that of the variable {EnvironmentVariables.Host}, else {Usual}", HelpName = "URL",
    };

    private readonly Option<string?> key = new("--key")
    {
        Description = $"Function key, where the host asks for one; when not given that of the variable {EnvironmentVariables.Key}", HelpName = "KEY",
    };

    private readonly Option<double> patience = new("--patience")
    {
        Description = "How many seconds to try for when a connection is lost on the way, as while the host starts anew", HelpName = "SECONDS", DefaultValueFactory = _ => 120,
    };

    public void AddTo(Command command)
    {
        command.Options.Add(host);
        command.Options.Add(key);
        command.Options.Add(patience);
    }

    /// <summary>A client of that host.</summary>
    /// <exception cref="UsageException">The address is none.</exception>
    public HostClient Open(ParseResult parsed)
    {
        string address = Given(parsed.GetValue(host)) ?? Given(Environment.GetEnvironmentVariable(EnvironmentVariables.Host)) ?? Usual;
        if (!Uri.TryCreate(address.EndsWith('/') ? address : address + "/", UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"'{address}' is no address of a host: give one such as {Usual} or https://example.azurewebsites.net.");
        }

        double seconds = parsed.GetValue(patience);
        return seconds is >= 0 and <= 1e7
            ? new HostClient(uri, Given(parsed.GetValue(key)) ?? Given(Environment.GetEnvironmentVariable(EnvironmentVariables.Key)), TimeSpan.FromSeconds(seconds))
            : throw new UsageException("--patience must be a number of seconds, 0 or more.");
    }

    private static string? Given(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
