using System.Buffers.Text;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ServingBenchmark;

/// <summary>
/// One connection that is kept, and one request at a time over it, on the calling thread: what a client library adds to a request of a
/// fraction of a millisecond would otherwise be part of every figure.
/// </summary>
internal sealed class KeepAliveConnection : IDisposable
{
    private static readonly byte[] HeaderEnd = "\r\n\r\n"u8.ToArray();
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] received = new byte[1 << 14];
    private byte[] body = new byte[1 << 14];
    private int filled;

    private readonly bool looks;

    /// <summary>Connects.</summary>
    /// <param name="address">The host.</param>
    /// <param name="looks">
    /// Whether to look for the answer again and again rather than sleep until it is there: what it takes the client's processor to wake up
    /// is then no part of the time. For one client with a processor of its own.
    /// </param>
    public KeepAliveConnection(Uri address, bool looks = false)
    {
        this.looks = looks;
        socket.Connect(address.Host, address.Port);
    }

    /// <summary>A POST of JSON, ready to be sent any number of times.</summary>
    public static byte[] Post(Uri address, string path, ReadOnlySpan<byte> json) =>
    [
        .. Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"POST /{path} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n")),
        .. json,
    ];

    /// <summary>Sends a request and reads its answer.</summary>
    /// <param name="request">The request's bytes.</param>
    /// <param name="answer">The answer's body, until the next call.</param>
    /// <returns>The status.</returns>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="IOException">The connection was closed, or what came is no HTTP.</exception>
    public int Exchange(ReadOnlySpan<byte> request, out ReadOnlySpan<byte> answer)
    {
        while (request.Length > 0)
        {
            request = request[socket.Send(request)..];
        }
        filled = 0;
        int end;
        while ((end = Filled.IndexOf(HeaderEnd)) < 0)
        {
            Receive();
        }
        ReadOnlySpan<byte> header = received.AsSpan(0, end + LineEnd.Length);
        if (!Utf8Parser.TryParse(header["HTTP/1.1 ".Length..], out int status, out _))
        {
            throw new IOException($"No answer of HTTP 1.1: {Encoding.ASCII.GetString(header)}");
        }
        int start = end + HeaderEnd.Length;
        answer = Find(header, "\r\nContent-Length: "u8) is { Length: > 0 } length && Utf8Parser.TryParse(length, out int bytes, out _)
            ? Take(start, bytes)
            : Find(header, "\r\nTransfer-Encoding: "u8).StartsWith("chunked"u8) ? TakeChunks(start)
            : [];
        return status;
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private ReadOnlySpan<byte> Filled => received.AsSpan(0, filled);

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> header, ReadOnlySpan<byte> name)
    {
        int at = header.IndexOf(name);
        return at < 0 ? [] : header[(at + name.Length)..];
    }

    private ReadOnlySpan<byte> Take(int start, int bytes)
    {
        while (filled < start + bytes)
        {
            Receive();
        }
        return received.AsSpan(start, bytes);
    }

    private ReadOnlySpan<byte> TakeChunks(int start)
    {
        int taken = 0;
        while (true)
        {
            int line;
            while ((line = Filled[start..].IndexOf(LineEnd)) < 0)
            {
                Receive();
            }
            if (!Utf8Parser.TryParse(Filled.Slice(start, line), out int bytes, out _, 'x'))
            {
                throw new IOException("A chunk of the answer has no length.");
            }
            ReadOnlySpan<byte> chunk = Take(start + line + LineEnd.Length, bytes + LineEnd.Length)[..bytes];
            start += line + bytes + (2 * LineEnd.Length);
            if (bytes == 0)
            {
                return body.AsSpan(0, taken);
            }
            if (taken + bytes > body.Length)
            {
                Array.Resize(ref body, 2 * (taken + bytes));
            }
            chunk.CopyTo(body.AsSpan(taken));
            taken += bytes;
        }
    }

    private void Receive()
    {
        if (filled == received.Length)
        {
            Array.Resize(ref received, 2 * filled);
        }
        while (looks && !socket.Poll(0, SelectMode.SelectRead))
        {
        }
        int read = socket.Receive(received.AsSpan(filled));
        filled += read > 0 ? read : throw new IOException("The host closed the connection.");
    }
}
