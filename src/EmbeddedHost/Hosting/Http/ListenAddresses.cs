using System.Net;
using Microsoft.AspNetCore.Http;

namespace EmbeddedHost;

/// <summary>Checks where the host listens.</summary>
internal static class ListenAddresses
{
    /// <summary>Refuses an address that others can reach while no keys are asked for.</summary>
    /// <param name="settings">The host's settings.</param>
    /// <exception cref="HostStartException">An address is malformed or open to all.</exception>
    public static void Check(HostSettings settings)
    {
        foreach (string url in settings.Urls)
        {
            BindingAddress address;
            try
            {
                address = BindingAddress.Parse(url);
            }
            catch (FormatException e)
            {
                throw new HostStartException($"'{url}' is no address to listen on; use one such as {HostSettings.DefaultUrl}.", e);
            }

            bool loopback = address.IsUnixPipe || address.IsNamedPipe
                || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                || (IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));
            if (!loopback && !settings.RequireKeys)
            {
                throw new HostStartException($"'{url}' can be reached from other machines, but callers need no keys. Listen on localhost, or set Host:RequireKeys to true.");
            }
        }
    }
}
