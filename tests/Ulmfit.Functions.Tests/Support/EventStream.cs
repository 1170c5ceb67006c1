using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>A client of server-sent events, by the letter of the HTML standard.</summary>
internal sealed class EventStream : IDisposable
{
    private readonly HttpResponseMessage response;

    private EventStream(HttpResponseMessage response) => this.response = response;

    public HttpStatusCode Status => response.StatusCode;

    public HttpResponseMessage Response => response;

    /// <summary>Comment lines so far.</summary>
    public int Comments { get; private set; }

    /// <summary>Asks for a stream.</summary>
    public static async Task<EventStream> OpenAsync(HttpClient http, string path, string? lastEventId = null, string? origin = null, CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
        {
            Assert.True(request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId));
        }
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }
        return new EventStream(await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct));
    }

    /// <summary>The messages, until the stream ends.</summary>
    public async IAsyncEnumerable<ServerEvent> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ct));
        string type = "message", id = "", data = "";
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            if (line.Length == 0)
            {
                if (data.Length > 0)
                {
                    yield return new ServerEvent(type, long.Parse(id, NumberStyles.None, CultureInfo.InvariantCulture), JsonSerializer.Deserialize<JsonElement>(data));
                }
                (type, data) = ("message", "");
                continue;
            }
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string value = colon < 0 ? "" : line[(colon + 1)..].TrimStart(' ');
            switch (line[..(colon < 0 ? line.Length : colon)])
            {
                case "":
                    Comments++;
                    break;
                case "event":
                    type = value;
                    break;
                case "id":
                    id = value;
                    break;
                case "data":
                    data += value;
                    break;
                case "retry":
                    Assert.Equal("1000", value);
                    break;
                default:
                    Assert.Fail($"A stream has no field as in '{line}'.");
                    break;
            }
        }
    }

    public void Dispose() => response.Dispose();
}

/// <summary>A message.</summary>
internal sealed record ServerEvent(string Type, long Id, JsonElement Data)
{
    public string Status => Data.GetProperty("status").GetString()!;
}
