using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;

namespace Ulmfit.Reliability.Load;

/// <summary>A client that asks one question after the other over a connection that it keeps, and checks every answer.</summary>
internal sealed class LoadClient : IDisposable
{
    private const int MostTexts = 4;
    private const int KeptMessages = 3;

    private readonly HttpClient http;
    private readonly Uri classify;
    private readonly KnownAnswers known;
    private readonly PromotionLog promotions;
    private readonly SplitMix random;
    private readonly List<float> milliseconds = [];
    private readonly List<string> messages = [];
    private readonly SortedDictionary<int, int> byVersion = [];
    private int connections;

    /// <summary>Makes a client; which texts it asks for in which order follows from its number.</summary>
    public LoadClient(HostUnderTest host, string model, KnownAnswers known, PromotionLog promotions, int number)
    {
        this.known = known;
        this.promotions = promotions;
        random = new SplitMix((ulong)number);
        classify = new Uri(host.Address, $"api/models/{model}/classify");
        http = new HttpClient(new SocketsHttpHandler
        {
            MaxConnectionsPerServer = 1,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            ConnectCallback = ConnectAsync,
        });
    }

    /// <summary>Connections that were opened: 1 unless one broke.</summary>
    public int Connections => connections;

    /// <summary>Answers that were not those of the version that they name.</summary>
    public int Wrong { get; private set; }

    /// <summary>Answers by a version that was not champion at any instant of the request.</summary>
    public int Stale { get; private set; }

    /// <summary>Requests without an answer, or with another status than 200.</summary>
    public int Failed { get; private set; }

    /// <summary>The time of each answered request.</summary>
    public IReadOnlyList<float> Milliseconds => milliseconds;

    /// <summary>How many requests each version answered.</summary>
    public IReadOnlyDictionary<int, int> ByVersion => byVersion;

    /// <summary>The first things that went wrong.</summary>
    public IReadOnlyList<string> Messages => messages;

    /// <summary>Asks until it is told to stop.</summary>
    /// <param name="goesOn">Asked before every request.</param>
    /// <param name="ct">Gives up.</param>
    public async Task RunAsync(Func<bool> goesOn, CancellationToken ct)
    {
        while (goesOn())
        {
            int[] texts = [.. Enumerable.Range(0, 1 + random.Next(MostTexts)).Select(_ => random.Next(known.Texts.Count))];
            int since = promotions.Acknowledged;
            long began = Stopwatch.GetTimestamp();
            try
            {
                using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(new { inputs = texts.Select(text => known.Texts[text]) }));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using HttpResponseMessage response = await http.PostAsync(classify, content, ct);
                byte[] body = await response.Content.ReadAsByteArrayAsync(ct);
                milliseconds.Add((float)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                Check(response, body, texts, since);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException or TaskCanceledException && !ct.IsCancellationRequested)
            {
                Failed++;
                Note(e.ToString());
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private void Check(HttpResponseMessage response, byte[] body, int[] texts, int since)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            Failed++;
            Note($"{(int)response.StatusCode} {System.Text.Encoding.UTF8.GetString(body)}");
            return;
        }
        using JsonDocument document = JsonDocument.Parse(body);
        int version = document.RootElement.GetProperty("version").GetInt32();
        byVersion[version] = byVersion.GetValueOrDefault(version) + 1;
        JsonElement predictions = document.RootElement.GetProperty("predictions");
        bool right = predictions.GetArrayLength() == texts.Length
            && response.Headers.TryGetValues("X-Model-Version", out IEnumerable<string>? header) && header.Single() == document.RootElement.GetProperty("version").GetRawText()
            && texts.Select((text, i) => known.Matches(version, text, predictions[i].GetRawText())).All(match => match);
        if (!right)
        {
            Wrong++;
            Note($"Wrong answer to {JsonSerializer.Serialize(texts.Select(text => known.Texts[text]))}: {System.Text.Encoding.UTF8.GetString(body)}");
        }
        else if (!promotions.MayAnswer(version, since))
        {
            Stale++;
            Note($"Version {version} answered after another had been promoted.");
        }
    }

    private void Note(string message)
    {
        if (messages.Count < KeptMessages)
        {
            messages.Add(message);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        Interlocked.Increment(ref connections);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
