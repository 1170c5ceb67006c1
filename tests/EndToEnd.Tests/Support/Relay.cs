using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EndToEnd.Tests.Support;

/// <summary>Stands between a client and a host, and can cut their connections.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ended = new();
    private readonly ConcurrentDictionary<TcpClient, bool> open = new();
    private readonly ConcurrentQueue<string> requests = new();
    private readonly Uri target;
    private readonly Task accepting;

    public Relay(Uri target)
    {
        this.target = target;
        listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>The heads of requests that went through, as far as they came in one piece.</summary>
    public IReadOnlyCollection<string> Requests => requests;

    /// <summary>Cuts every connection at once, as a network does.</summary>
    public void Cut()
    {
        foreach (TcpClient client in open.Keys)
        {
            // One that has ended by itself meanwhile has no socket any more.
            client.Client?.Close(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Stop();
        Cut();
        await accepting;
        ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        var handled = new List<Task>();
        try
        {
            while (true)
            {
                handled.Add(HandleAsync(await listener.AcceptTcpClientAsync(ended.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }

        await Task.WhenAll(handled);
    }

    private async Task HandleAsync(TcpClient client)
    {
        using var host = new TcpClient();
        open[client] = true;
        open[host] = true;
        try
        {
            await host.ConnectAsync(target.Host, target.Port, ended.Token);
            await Task.WhenAny(CopyAsync(client.GetStream(), host.GetStream(), requests), CopyAsync(host.GetStream(), client.GetStream(), null));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // Cut.
        }
        finally
        {
            open.TryRemove(client, out _);
            open.TryRemove(host, out _);
            client.Dispose();
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, ConcurrentQueue<string>? heads)
    {
        byte[] buffer = new byte[1 << 14];
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, ended.Token)) > 0)
            {
                heads?.Enqueue(Encoding.ASCII.GetString(buffer, 0, read));
                await to.WriteAsync(buffer.AsMemory(0, read), ended.Token);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or over.
        }
    }
}
