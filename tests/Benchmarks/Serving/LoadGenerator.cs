using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;

namespace ServingBenchmark;

/// <summary>Clients that each ask one question after the other over a connection that they keep.</summary>
internal sealed class LoadGenerator
{
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);

    private readonly Uri address;
    private readonly byte[][] requests;
    private readonly byte[]?[] answers;

    /// <summary>Makes the requests.</summary>
    /// <param name="address">Where the host listens.</param>
    /// <param name="model">The model that is asked.</param>
    /// <param name="texts">What it is asked, one text a request.</param>
    public LoadGenerator(Uri address, string model, IReadOnlyList<string> texts)
    {
        this.address = address;
        requests = [.. texts.Select(text => KeepAliveConnection.Post(address, $"api/models/{model}/classify", JsonSerializer.SerializeToUtf8Bytes(new { inputs = text })))];
        answers = new byte[texts.Count][];
    }

    /// <summary>Asks for a while.</summary>
    /// <param name="clients">How many clients ask at once.</param>
    /// <param name="warmUp">For how long before anything counts; longer where a client has no answer by then, up to a minute.</param>
    /// <param name="duration">For how long.</param>
    /// <param name="atLeast">How many answers at least, however long it takes, up to a minute.</param>
    /// <param name="ct">Gives up.</param>
    public LoadSample Run(int clients, TimeSpan warmUp, TimeSpan duration, int atLeast, CancellationToken ct)
    {
        var connections = new KeepAliveConnection[clients];
        var state = new State();
        try
        {
            for (int i = 0; i < clients; i++)
            {
                connections[i] = new KeepAliveConnection(address);
            }
            Client[] asking = [.. connections.Select((connection, i) => new Client(this, connection, state, i))];
            Thread[] threads = [.. asking.Select(client => new Thread(client.Run) { IsBackground = true })];
            Array.ForEach(threads, thread => thread.Start());
            Wait(warmUp, () => asking.All(client => client.HasAnswer));
            long began = Stopwatch.GetTimestamp();
            state.Counts = true;
            Wait(duration, () => Volatile.Read(ref state.Answered) >= atLeast);
            state.Counts = false;
            TimeSpan took = Stopwatch.GetElapsedTime(began);
            state.Ends = true;
            // Whoever still waits for an answer waits no longer; the host stops computing it.
            Array.ForEach(connections, connection => connection.Dispose());
            Array.ForEach(threads, thread => thread.Join());
            ct.ThrowIfCancellationRequested();
            double[] milliseconds = [.. asking.SelectMany(client => client.Milliseconds).Order()];
            return new LoadSample(
                milliseconds.Length / took.TotalSeconds, milliseconds,
                asking.Sum(client => client.Refused), asking.Sum(client => client.Failed), asking.Sum(client => client.Different),
                asking.Select(client => client.Problem).FirstOrDefault(problem => problem is not null));
        }
        finally
        {
            foreach (KeepAliveConnection? connection in connections)
            {
                connection?.Dispose();
            }
        }

        void Wait(TimeSpan time, Func<bool> condition)
        {
            long since = Stopwatch.GetTimestamp();
            ct.WaitHandle.WaitOne(time);
            while (!condition() && Stopwatch.GetElapsedTime(since) < AtMost && !state.HasFailed && !ct.IsCancellationRequested)
            {
                ct.WaitHandle.WaitOne(LookEvery);
            }
        }
    }

    // A model's answer to a text is one and the same, byte for byte, whatever else is asked at the time.
    private bool IsTheAnswer(int question, ReadOnlySpan<byte> answer)
    {
        byte[]? known = Volatile.Read(ref answers[question]) ?? Interlocked.CompareExchange(ref answers[question], answer.ToArray(), null) ?? answers[question];
        return answer.SequenceEqual(known);
    }

    private sealed class State
    {
        public volatile bool Counts;
        public volatile bool Ends;
        public volatile bool HasFailed;
        public int Answered;
    }

    private sealed class Client(LoadGenerator load, KeepAliveConnection connection, State state, int number)
    {
        private const int RefusedPauseMilliseconds = 5;

        private volatile bool hasAnswer;

        public bool HasAnswer => hasAnswer;

        public List<double> Milliseconds { get; } = new(1 << 12);

        public int Refused { get; private set; }

        public int Failed { get; private set; }

        public int Different { get; private set; }

        public string? Problem { get; private set; }

        public void Run()
        {
            try
            {
                for (int question = number; !state.Ends; question++)
                {
                    Ask(question % load.requests.Length);
                }
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
            {
                if (!state.Ends)
                {
                    Failed++;
                    Problem = e.Message;
                    state.HasFailed = true;
                }
            }
        }

        private void Ask(int question)
        {
            long began = Stopwatch.GetTimestamp();
            int status = connection.Exchange(load.requests[question], out ReadOnlySpan<byte> answer);
            double took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            if (status == 429)
            {
                Refused += state.Counts ? 1 : 0;
                Thread.Sleep(RefusedPauseMilliseconds);
            }
            else if (status != 200)
            {
                Failed++;
                Problem = $"{status} {System.Text.Encoding.UTF8.GetString(answer)}";
                state.HasFailed = true;
            }
            else
            {
                Different += load.IsTheAnswer(question, answer) ? 0 : 1;
                hasAnswer = true;
                if (state.Counts)
                {
                    Milliseconds.Add(took);
                    Interlocked.Increment(ref state.Answered);
                }
            }
        }
    }
}

/// <summary>What came of one run.</summary>
/// <param name="RequestsPerSecond">Answered requests a second.</param>
/// <param name="Milliseconds">The time of each, in ascending order.</param>
/// <param name="Refused">Requests that were turned away with 429.</param>
/// <param name="Failed">Requests that failed.</param>
/// <param name="Different">Answers that were not those of the same text before.</param>
/// <param name="Problem">What went wrong first.</param>
internal sealed record LoadSample(double RequestsPerSecond, IReadOnlyList<double> Milliseconds, int Refused, int Failed, int Different, string? Problem);
