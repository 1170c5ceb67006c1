using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Fuzz.Http;

/// <summary>A connection that sends any bytes, which a proper HTTP client would not, and reads what comes back.</summary>
internal sealed class HttpWire : IDisposable
{
    private const int LargestReply = 8 << 20;

    private readonly Socket socket;
    private readonly byte[] buffer = new byte[1 << 16];
    private int begin;
    private int end;

    public HttpWire(IPEndPoint address)
    {
        socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(address);
    }

    /// <summary>Whether another request can follow.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>Sends bytes and reads an answer; null where none comes within the time, or the connection ends.</summary>
    /// <param name="request">What is sent.</param>
    /// <param name="patience">How long to wait.</param>
    public HttpReply? Exchange(ReadOnlySpan<byte> request, TimeSpan patience)
    {
        socket.ReceiveTimeout = (int)patience.TotalMilliseconds;
        socket.SendTimeout = (int)patience.TotalMilliseconds;
        try
        {
            socket.Send(request);
        }
        catch (SocketException)
        {
            // It may have answered before it hung up on the rest.
            IsOpen = false;
        }

        try
        {
            return Read();
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            IsOpen = false;
            return null;
        }
    }

    public void Dispose() => socket.Dispose();

    private HttpReply Read()
    {
        string head;
        int status;
        do
        {
            head = ReadHead();
            status = int.Parse(head.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
        }
        while (status == 100);
        var body = new StringBuilder();
        if (Header(head, "transfer-encoding") is not null)
        {
            while (int.Parse(ReadLine(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is var size and > 0)
            {
                ReadInto(body, size);
                ReadLine();
            }

            ReadLine();
        }
        else if (Header(head, "content-length") is { } length)
        {
            ReadInto(body, int.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture));
        }

        IsOpen &= Header(head, "connection") != "close";
        return new HttpReply(status, head, body.ToString());
    }

    private string ReadHead()
    {
        var head = new StringBuilder();
        while (ReadLine() is { Length: > 0 } line)
        {
            head.Append(line).Append('\n');
        }

        return head.Length >= 12 ? head.ToString() : throw new BrokenPromiseException("an answer begins with a status line");
    }

    private static string? Header(string head, string name) => head.Split('\n').Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim()).FirstOrDefault();

    private string ReadLine()
    {
        var line = new StringBuilder();
        for (byte next = Byte(); next != '\n'; next = Byte())
        {
            line.Append((char)next);
        }

        return line.ToString().TrimEnd('\r');
    }

    private void ReadInto(StringBuilder body, int count)
    {
        Promise.Holds(count is >= 0 and < LargestReply, "answers are small");
        for (; count > 0; count--)
        {
            body.Append((char)Byte());
        }
    }

    private byte Byte()
    {
        if (begin == end)
        {
            begin = 0;
            end = socket.Receive(buffer);
            if (end == 0)
            {
                throw new EndOfStreamException();
            }
        }

        return buffer[begin++];
    }
}
