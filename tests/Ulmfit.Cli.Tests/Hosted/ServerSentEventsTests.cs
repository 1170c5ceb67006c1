using System.IO.Pipelines;
using System.Text;
using Ulmfit.Cli.Hosted;

namespace Ulmfit.Cli.Tests.Hosted;

public sealed class ServerSentEventsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadAsync_EventsOfEveryForm_ComeAsTheStandardSays()
    {
        const string Sent = ": heartbeat\n\nevent: run\nid: 7\ndata: {\"a\":\ndata: 1}\n\ndata:no space\r\n\r\nevent: empty\n\nretry: 10\nid\ndata: last\n\ndata: cut off";

        List<ServerSentEvent> events = await ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(Sent)), Long);

        Assert.Equal(
        [
            new ServerSentEvent("7", "run", "{\"a\":\n1}"),
            new ServerSentEvent("7", "message", "no space"),
            new ServerSentEvent("", "message", "last"),
        ], events);
    }

    [Fact]
    public async Task ReadAsync_StreamThatFallsSilent_IsTakenForBroken()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync("data: first\n\n"u8.ToArray(), Ct);

        var read = new List<ServerSentEvent>();
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            await foreach (ServerSentEvent one in ServerSentEvents.ReadAsync(pipe.Reader.AsStream(), TimeSpan.FromMilliseconds(200), Ct))
            {
                read.Add(one);
            }
        });

        Assert.Equal("first", Assert.Single(read).Data);
    }

    private static async Task<List<ServerSentEvent>> ReadAsync(Stream stream, TimeSpan silence)
    {
        var events = new List<ServerSentEvent>();
        await foreach (ServerSentEvent one in ServerSentEvents.ReadAsync(stream, silence, Ct))
        {
            events.Add(one);
        }

        return events;
    }
}
