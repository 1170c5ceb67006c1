using System.Runtime.CompilerServices;
using System.Text;

namespace Ulmfit.Cli.Hosted;

/// <summary>An event of a stream.</summary>
/// <param name="Id">The last id that the stream has told; null for none.</param>
/// <param name="Type">Its type.</param>
/// <param name="Data">Its lines.</param>
internal sealed record ServerSentEvent(string? Id, string Type, string Data);

/// <summary>
/// Reads server-sent events (WHATWG HTML, "Server-sent events", 9.2.6). The library's parser keeps comments to itself, and they are
/// what tells a quiet stream from a broken one.
/// </summary>
internal static class ServerSentEvents
{
    /// <summary>The events of a stream as they come.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="silence">After so long without a line, not even a comment, the stream is taken for broken.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="IOException">The stream is broken.</exception>
    public static async IAsyncEnumerable<ServerSentEvent> ReadAsync(Stream stream, TimeSpan silence, [EnumeratorCancellation] CancellationToken ct)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string? id = null;
        string type = "message";
        var data = new List<string>();
        while (await NextAsync(reader, silence, ct) is string line)
        {
            if (line.Length == 0)
            {
                if (data.Count > 0)
                {
                    yield return new ServerSentEvent(id, type, string.Join('\n', data));
                }

                type = "message";
                data.Clear();
                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string field = colon < 0 ? line : line[..colon], value = colon < 0 ? "" : line[(colon + 1)..];
            value = value.StartsWith(' ') ? value[1..] : value;
            switch (field)
            {
                case "data":
                    data.Add(value);
                    break;
                case "event":
                    type = value;
                    break;
                case "id" when !value.Contains('\0', StringComparison.Ordinal):
                    id = value;
                    break;
                default:
                    // A comment (a line that begins with a colon), or a field that we have no use for.
                    break;
            }
        }
    }

    private static async Task<string?> NextAsync(StreamReader reader, TimeSpan silence, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(silence);
        try
        {
            return await reader.ReadLineAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IOException("The stream of events has fallen silent.");
        }
        catch (HttpRequestException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
