using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Http;

/// <summary>
/// Runs as server-sent events. Nothing is kept between requests or shared by them: a stream looks at the storage, where the run is written
/// by whatever process trains it, and the id of a message is the run's revision there, so that a client may go on at another host.
/// </summary>
internal sealed partial class RunEvents(RunRegistry runs, RunWaits waits, RunEventOptions options, TimeProvider time, ILogger<RunEvents> logger)
{
    private static readonly byte[] Comment = ": \n\n"u8.ToArray();

    // In milliseconds; the usual one of browsers is several seconds.
    private static readonly byte[] Beginning = "retry: 1000\n"u8.ToArray();

    /// <summary>The state that a client says it knows; null where it says nothing, or nothing that a run's id could be.</summary>
    public static long? ReadLastEventId(HttpRequest request) =>
        long.TryParse(request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : null;

    /// <summary>Writes a run's states until it has ended, the stream is as long as one may be, or the request ends.</summary>
    /// <param name="http">The request.</param>
    /// <param name="state">The present state.</param>
    /// <param name="known">The state that the client knows.</param>
    /// <param name="ct">The end of the request or of the host.</param>
    public async Task WriteAsync(HttpContext http, RunState state, long? known, CancellationToken ct)
    {
        HttpResponse response = http.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-store";

        // For proxies that collect answers before they pass them on.
        response.Headers["X-Accel-Buffering"] = "no";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        try
        {
            await response.Body.WriteAsync(Beginning, ct);
            await response.Body.FlushAsync(ct);
            await FollowAsync(response.Body, state, known, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Nobody listens any more, or the host stops: clients come again by themselves.
        }
    }

    private async Task FollowAsync(Stream body, RunState state, long? known, CancellationToken ct)
    {
        RunId id = state.Run.GetId();
        long told = known == state.Revision ? state.Revision : -1;
        RunWait? toldOf = null;
        long began = time.GetTimestamp(), written = began;
        bool failed = false;
        using var timer = new PeriodicTimer(options.LookEvery, time);
        while (true)
        {
            // What holds a run up is known to the process that it holds up and stands in no storage: it comes under the id of the state.
            RunWait? waiting = state.Run.Status.IsFinal() ? null : waits.Find(id.Dataset);
            if (state.Revision > told || (state.Revision == told && waiting != toldOf))
            {
                await body.WriteAsync(Message(RunView.Of(state, waiting)), ct);
                await body.FlushAsync(ct);
                (told, toldOf, written) = (state.Revision, waiting, time.GetTimestamp());
            }
            else if (time.GetElapsedTime(written) >= options.Heartbeat)
            {
                await body.WriteAsync(Comment, ct);
                await body.FlushAsync(ct);
                written = time.GetTimestamp();
            }
            if (state.Run.Status.IsFinal() || time.GetElapsedTime(began) >= options.Stream)
            {
                return;
            }
            await timer.WaitForNextTickAsync(ct);
            try
            {
                if (await runs.FindStateAsync(id, state, ct) is not { } next)
                {
                    return;
                }
                state = next;
                failed = false;
            }
            catch (Exception e) when (e is IOException || StorageFailures.Of(e) is not null)
            {
                // An end of the stream would be answered with an error when the client comes again, which browsers take for good.
                if (!failed)
                {
                    LogFailed(e, id.ToString());
                }
                failed = true;
            }
        }
    }

    private static ReadOnlyMemory<byte> Message(RunView view)
    {
        var message = new ArrayBufferWriter<byte>(4096);
        message.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"event: run\nid: {view.Revision}\ndata: ")));
        using (var json = new Utf8JsonWriter(message, new JsonWriterOptions { Encoder = ApiJson.Options.Encoder }))
        {
            JsonSerializer.Serialize(json, view, ApiJson.Options);
        }
        message.Write("\n\n"u8);
        return message.WrittenMemory;
    }

    [LoggerMessage(102, LogLevel.Warning, "The run {Run} cannot be looked at; its server-sent events wait.")]
    private partial void LogFailed(Exception exception, string run);
}
