using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Ulmfit.Cli.Hosted;

/// <summary>Talks to a host. What it refuses becomes a <see cref="UsageException"/> with its own reason.</summary>
internal sealed class HostClient : IDisposable
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(100);

    private readonly HttpClient http;

    /// <summary>Makes it; nothing is sent yet.</summary>
    /// <param name="address">The host, with a slash at its end.</param>
    /// <param name="key">Its function key; null for none.</param>
    /// <param name="patience">For how long a lost connection is tried again.</param>
    public HostClient(Uri address, string? key, TimeSpan patience)
    {
        Address = address;
        Patience = patience;

        // A proxy cannot reach this machine's own host.
        var handler = new SocketsHttpHandler { ConnectTimeout = ConnectWithin, UseProxy = !address.IsLoopback };
        http = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (key is not null)
        {
            http.DefaultRequestHeaders.TryAddWithoutValidation("x-functions-key", key);
        }
    }

    /// <summary>The host.</summary>
    public Uri Address { get; }

    /// <summary>For how long a lost connection is tried again.</summary>
    public TimeSpan Patience { get; }

    public void Dispose() => http.Dispose();

    /// <summary>A document; null where there is none.</summary>
    public async Task<JsonElement?> FindAsync(string path, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(AnswerWithin);
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), limit.Token, ct);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        await CheckAsync(response, ct);
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    /// <summary>A document as a record; null where there is none.</summary>
    public async Task<T?> FindAsync<T>(string path, CancellationToken ct)
        where T : class => (await FindAsync(path, ct))?.Deserialize<T>(HostedJson.Options);

    /// <summary>All runs of a data set, newest first.</summary>
    public async Task<IReadOnlyList<HostedRun>> RunsOfAsync(string dataset, CancellationToken ct) =>
        (await FindAsync($"api/runs?dataset={Uri.EscapeDataString(dataset)}", ct))?.GetProperty("runs").Deserialize<HostedRun[]>(HostedJson.Options)?.OrderByDescending(run => run.Number).ToArray() ?? [];

    /// <summary>Sends a file, of any size and for as long as it takes.</summary>
    /// <returns>Whether it is new to the host.</returns>
    public async Task<bool> PutAsync(string path, Stream content, CancellationToken ct)
    {
        using var body = new StreamContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Put, path) { Content = body }, ct, ct);
        await CheckAsync(response, ct);
        return response.StatusCode == HttpStatusCode.Created;
    }

    /// <summary>Opens the stream of a run's events; null where the run has ended and there will be none (204).</summary>
    /// <param name="id">The run.</param>
    /// <param name="last">The last event that was seen; null for none.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<HttpResponseMessage?> OpenEventsAsync(string id, string? last, CancellationToken ct)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"api/runs/{Uri.EscapeDataString(id)}/events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (last is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", last);
        }

        HttpResponseMessage response = await SendAsync(request, ct, ct);
        if (response.StatusCode == HttpStatusCode.NoContent)
        {
            response.Dispose();
            return null;
        }

        try
        {
            await CheckAsync(response, ct);
            return response.Content.Headers.ContentType?.MediaType == "text/event-stream"
                ? response
                : throw new UsageException($"{Address} answers with something else than events: it is no host of this program, or an older one.");
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken limit, CancellationToken ct)
    {
        using (request)
        {
            try
            {
                return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit);
            }
            catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
            {
                throw Unreachable("it does not answer in time", e);
            }
            catch (HttpRequestException e)
            {
                throw Unreachable(e.InnerException?.Message ?? e.Message, e);
            }
        }
    }

    private HostUnreachableException Unreachable(string reason, Exception inner) => new(
        $"""
        No host answers at {Address} ({reason.TrimEnd('.')}).
        Start one from the repository:  dotnet run --project src/Ulmfit.Functions -c Release
        or name another with --host URL or the variable {Terminal.EnvironmentVariables.Host}.
        """,
        inner);

    private async Task CheckAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new UsageException($"{Address} asks for a key ({(int)response.StatusCode}): give it with --key or the variable {Terminal.EnvironmentVariables.Key}.");
        }

        string told = await DetailOfAsync(response, ct);
        throw (int)response.StatusCode is 429 or >= 500
            ? new HostFailedException($"The host cannot do that now ({(int)response.StatusCode}): {told}{(response.Headers.RetryAfter?.Delta is TimeSpan after ? $" Try again in {after.TotalSeconds:F0} s." : "")}")
            : new UsageException($"The host refuses that ({(int)response.StatusCode}): {told}");
    }

    // Problems (RFC 9457) carry their reason; a proxy on the way may answer with anything.
    private static async Task<string> DetailOfAsync(HttpResponseMessage response, CancellationToken ct)
    {
        const int Shown = 400;
        string body = await response.Content.ReadAsStringAsync(ct);
        try
        {
            using var problem = JsonDocument.Parse(body);
            if (problem.RootElement.ValueKind == JsonValueKind.Object && problem.RootElement.TryGetProperty("detail", out JsonElement detail) && detail.GetString() is string text)
            {
                return text;
            }
        }
        catch (JsonException)
        {
            // Not a problem document: its beginning says the most.
        }

        return body.Length == 0 ? response.ReasonPhrase ?? "no reason given." : body.Length <= Shown ? body : body[..Shown] + "…";
    }
}
