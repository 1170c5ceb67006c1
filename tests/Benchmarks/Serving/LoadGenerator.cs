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

    /// <summary>Asks for a while, without a pause between the runs.</summary>
    /// <param name="clients">How many clients ask at once.</param>
    /// <param name="plan">For how long.</param>
    /// <param name="ct">Gives up.</param>
    public LoadResult Run(int clients, LoadPlan plan, CancellationToken ct)
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
            Wait(plan.WarmUp, () => asking.All(client => client.HasAnswerOf(0)));
            long began = Stopwatch.GetTimestamp();
            while (state.Run < plan.Runs && !state.HasFailed && (state.Run == 0 || Stopwatch.GetElapsedTime(began) < plan.NoRunAfter))
            {
                Volatile.Write(ref state.Answered, 0);
                int run = ++state.Run;
                Wait(plan.Duration, () => Volatile.Read(ref state.Answered) >= plan.AtLeast && asking.All(client => client.HasAnswerOf(run)));
            }
            state.Ends = true;
            // Whoever still waits for an answer waits no longer; the host stops computing it.
            Array.ForEach(connections, connection => connection.Dispose());
            Array.ForEach(threads, thread => thread.Join());
            ct.ThrowIfCancellationRequested();
            return new LoadResult(
                [.. Enumerable.Range(1, state.Run).Select(run => LoadSample.Of(asking.Select(client => client.Share(run)).OfType<ClientShare>()))],
                asking.Sum(client => client.Different),
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
        public volatile int Run;
        public volatile bool Ends;
        public volatile bool HasFailed;
        public int Answered;
    }

    private sealed class Client(LoadGenerator load, KeepAliveConnection connection, State state, int number)
    {
        private const int RefusedPauseMilliseconds = 5;

        // What came before the first run is a share of its own.
        private readonly List<ClientShare> shares = [new ClientShare(0, Stopwatch.GetTimestamp())];
        private volatile int answeredIn = -1;

        public int Different { get; private set; }

        public string? Problem { get; private set; }

        /// <summary>Whether it has had an answer in a run, 0 for before the first.</summary>
        public bool HasAnswerOf(int run) => answeredIn >= run;

        /// <summary>What it has had in a run, once it has ended.</summary>
        public ClientShare? Share(int run) => shares.Find(share => share.Run == run);

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
                    Fail(e.Message);
                }
            }
        }

        private void Ask(int question)
        {
            long began = Stopwatch.GetTimestamp();
            int status = connection.Exchange(load.requests[question], out ReadOnlySpan<byte> answer);
            long ended = Stopwatch.GetTimestamp();
            ClientShare share = ShareOf(state.Run);
            if (status == 429)
            {
                share.Refused++;
                Thread.Sleep(RefusedPauseMilliseconds);
            }
            else if (status != 200)
            {
                Fail($"{status} {System.Text.Encoding.UTF8.GetString(answer)}");
            }
            else
            {
                Different += load.IsTheAnswer(question, answer) ? 0 : 1;
                share.Add(Stopwatch.GetElapsedTime(began, ended), ended);
                answeredIn = share.Run;
                Interlocked.Increment(ref state.Answered);
            }
        }

        // A run begins for a client with its last answer before, so that no request is counted in part.
        private ClientShare ShareOf(int run)
        {
            if (shares[^1].Run != run)
            {
                shares.Add(new ClientShare(run, shares[^1].Ended));
            }
            return shares[^1];
        }

        private void Fail(string problem)
        {
            Problem = problem;
            state.HasFailed = true;
        }
    }
}

/// <summary>How long a load lasts.</summary>
/// <param name="WarmUp">For how long before anything counts; longer where a client has no answer by then, up to a minute.</param>
/// <param name="Runs">How many runs.</param>
/// <param name="Duration">For how long each; longer where a client has no answer in it by then, up to a minute.</param>
/// <param name="AtLeast">How many answers of a run at least, as far as a minute is enough for them.</param>
/// <param name="NoRunAfter">After how long no further run begins.</param>
internal sealed record LoadPlan(TimeSpan WarmUp, int Runs, TimeSpan Duration, int AtLeast, TimeSpan NoRunAfter);

/// <summary>What a client has had in a run.</summary>
/// <param name="run">The run.</param>
/// <param name="began">When it had the last answer before.</param>
internal sealed class ClientShare(int run, long began)
{
    private readonly List<double> milliseconds = new(1 << 10);
    private long? last;

    /// <summary>The run.</summary>
    public int Run => run;

    /// <summary>When it had its last answer.</summary>
    public long Ended => last ?? began;

    /// <summary>The times of its answers.</summary>
    public IReadOnlyList<double> Milliseconds => milliseconds;

    /// <summary>Requests that were turned away with 429.</summary>
    public int Refused { get; set; }

    /// <summary>Answers a second.</summary>
    public double PerSecond => milliseconds.Count == 0 ? 0 : milliseconds.Count / Stopwatch.GetElapsedTime(began, Ended).TotalSeconds;

    /// <summary>Adds an answer.</summary>
    public void Add(TimeSpan took, long ended)
    {
        milliseconds.Add(took.TotalMilliseconds);
        last = ended;
    }
}

/// <summary>What came of a load.</summary>
/// <param name="Runs">Its runs.</param>
/// <param name="Different">Answers, also before the first run, that were not those to the same text before.</param>
/// <param name="Problem">What went wrong first; null where nothing did.</param>
internal sealed record LoadResult(IReadOnlyList<LoadSample> Runs, int Different, string? Problem);

/// <summary>What came of one run.</summary>
/// <param name="RequestsPerSecond">Answered requests a second: the sum of the clients'.</param>
/// <param name="Milliseconds">The time of each, in ascending order.</param>
/// <param name="Refused">Requests that were turned away with 429.</param>
internal sealed record LoadSample(double RequestsPerSecond, IReadOnlyList<double> Milliseconds, int Refused)
{
    /// <summary>Of what the clients have had.</summary>
    public static LoadSample Of(IEnumerable<ClientShare> shares)
    {
        ClientShare[] all = [.. shares];
        return new LoadSample(all.Sum(share => share.PerSecond), [.. all.SelectMany(share => share.Milliseconds).Order()], all.Sum(share => share.Refused));
    }
}
