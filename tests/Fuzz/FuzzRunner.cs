using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Fuzz;

/// <summary>
/// Tries inputs on several threads. Which inputs are tried follows from seed and count alone. An input that hangs, allocates more than its
/// target may, or makes it throw what is not documented is a defect; each kind of defect is kept once, as a file to replay.
/// </summary>
internal sealed class FuzzRunner(IReadOnlyList<FuzzTarget> targets, FuzzOptions options)
{
    private const int Block = 64;
    private const int MostKinds = 50;

    private readonly Lock gate = new();
    private readonly long[] issued = new long[targets.Count];
    private readonly Tally[] tallies = [.. targets.Select(_ => new Tally())];
    private readonly Dictionary<string, FuzzFailure> failures = new(StringComparer.Ordinal);
    private readonly long began = Stopwatch.GetTimestamp();
    private volatile bool stopped;

    /// <summary>Tries the inputs.</summary>
    public FuzzReport Run()
    {
        Directory.CreateDirectory(options.Failures);
        foreach (FuzzTarget target in targets)
        {
            WarmUp(target);
        }

        using var marks = new InFlight(Path.Combine(options.Failures, "in-flight"), options.Threads);
        Worker[] workers = [.. Enumerable.Range(0, options.Threads).Select(i => new Worker(i))];
        Thread[] threads = [.. workers.Select(worker => new Thread(() => Work(worker, marks)) { IsBackground = true })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        Watch(workers, threads);
        marks.Close(keep: failures.Values.Any(failure => failure.Kind.StartsWith("hang", StringComparison.Ordinal)));
        using var process = Process.GetCurrentProcess();
        lock (gate)
        {
            return new FuzzReport(
                options.Seed,
                [.. targets.Select((target, i) => tallies[i].Summary(target.Name))],
                [.. failures.Values],
                Stopwatch.GetElapsedTime(began),
                process.PeakWorkingSet64);
        }
    }

    /// <summary>Tries one input, as a run does. What it throws is the defect.</summary>
    /// <returns>Whether the target took it.</returns>
    public static bool Try(FuzzTarget target, byte[] input)
    {
        WarmUp(target);
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool accepted = target.Accepts(input);
        Check(target, input, GC.GetAllocatedBytesForCurrentThread() - before);
        return accepted;
    }

    /// <summary>
    /// Hands a target a few inputs that are not counted: what is made once and for all (tables, samples, the code of a serializer) is no
    /// memory of the input that happens to come first.
    /// </summary>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "A defect comes up again where it is counted.")]
    private static void WarmUp(FuzzTarget target)
    {
        const int Inputs = 8;
        for (int index = 1; index <= Inputs; index++)
        {
            try
            {
                target.Accepts(target.Make(new FuzzRandom(0, target.Name, index)));
            }
            catch (Exception)
            {
            }
        }
    }

    private static void Check(FuzzTarget target, byte[] input, long allocated)
    {
        long most = target.MemoryFor(input.Length);
        Promise.Holds(allocated <= most, string.Create(CultureInfo.InvariantCulture, $"an input of {input.Length} bytes may make it allocate {most} bytes, but it allocated {allocated}"));
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever a target throws is what is looked for.")]
    private void Work(Worker worker, InFlight marks)
    {
        var random = new FuzzRandom(options.Seed, "", 0);
        while (!stopped && Take() is var (at, first, count) && count > 0)
        {
            FuzzTarget target = targets[at];
            var tally = new Tally();
            for (long index = first; index < first + count && !stopped; index++)
            {
                random.Restart(options.Seed, target.Name, index);
                byte[] input = target.Make(random);
                marks.Set(worker.Number, at, index);
                long start = Stopwatch.GetTimestamp();
                worker.Begin(target, index, input, start);
                long before = GC.GetAllocatedBytesForCurrentThread();
                bool accepted = false;
                Exception? defect = null;
                try
                {
                    accepted = target.Accepts(input);
                    Check(target, input, GC.GetAllocatedBytesForCurrentThread() - before);
                }
                catch (Exception e)
                {
                    defect = e;
                }

                TimeSpan took = Stopwatch.GetElapsedTime(start);
                worker.End();
                tally.Add(accepted, defect is not null, GC.GetAllocatedBytesForCurrentThread() - before, took);
                if (defect is not null)
                {
                    Keep(target, index, input, KindOf(defect), defect.ToString());
                }
            }

            lock (gate)
            {
                tallies[at].Add(tally);
            }
        }
    }

    /// <summary>The next inputs of the target that is furthest behind its share.</summary>
    private (int Target, long First, int Count) Take()
    {
        lock (gate)
        {
            if (options.Limit is { } limit && Stopwatch.GetElapsedTime(began) >= limit)
            {
                return (0, 0, 0);
            }

            long shares = targets.Sum(target => (long)target.Share);
            int next = -1;
            for (int i = 0; i < targets.Count; i++)
            {
                if (issued[i] < Quota(i, shares) && (next < 0 || issued[i] * targets[next].Share < issued[next] * targets[i].Share))
                {
                    next = i;
                }
            }

            if (next < 0)
            {
                return (0, 0, 0);
            }

            long first = issued[next];
            int count = (int)Math.Min(Block, Quota(next, shares) - first);
            issued[next] += count;
            return (next, first, count);
        }
    }

    private long Quota(int target, long shares) => options.Count is { } count
        ? (long)Math.Ceiling((double)count * targets[target].Share / shares)
        : long.MaxValue;

    private void Watch(Worker[] workers, Thread[] threads)
    {
        TimeSpan told = TimeSpan.Zero;
        while (Array.Find(threads, thread => thread.IsAlive) is { } alive)
        {
            alive.Join(TimeSpan.FromMilliseconds(200));
            foreach (Worker worker in workers)
            {
                if (worker.Running is { } running && Stopwatch.GetElapsedTime(running.Start) > options.Hang)
                {
                    // The thread cannot be ended: it is left behind, and with it the run.
                    stopped = true;
                    Keep(running.Target, running.Index, running.Input, $"hang: longer than {options.Hang.TotalSeconds} s", "");
                    return;
                }
            }

            TimeSpan now = Stopwatch.GetElapsedTime(began);
            if (options.Progress is not null && now - told > TimeSpan.FromSeconds(10))
            {
                told = now;
                lock (gate)
                {
                    options.Progress(string.Create(CultureInfo.InvariantCulture, $"{now.TotalSeconds,6:N0} s  {tallies.Sum(t => t.Inputs),12:N0} inputs, {failures.Count} kinds of defects"));
                }
            }
        }
    }

    private void Keep(FuzzTarget target, long index, byte[] input, string kind, string detail)
    {
        lock (gate)
        {
            string key = $"{target.Name} {kind}";
            if (failures.ContainsKey(key) || failures.Count >= MostKinds)
            {
                return;
            }

            string file = Path.Combine(options.Failures, string.Create(CultureInfo.InvariantCulture, $"{target.Name}-{options.Seed}-{index}.bin"));
            File.WriteAllBytes(file, input);
            failures.Add(key, new FuzzFailure(target.Name, index, input.Length, kind, detail, file));
        }
    }

    /// <summary>An exception's type and the place in the product where it came up.</summary>
    private static string KindOf(Exception defect)
    {
        string place = (defect.StackTrace ?? "").Split('\n').Select(line => line.Trim())
            .FirstOrDefault(line => line.Contains("at Ulmfit.", StringComparison.Ordinal) || line.Contains("at EmbeddedHost.", StringComparison.Ordinal)) ?? "";
        string message = defect is BrokenPromiseException ? new string([.. defect.Message.Where(c => !char.IsDigit(c))]) : "";
        return $"{defect.GetType().Name} {message}{place}";
    }

    private sealed class Worker(int number)
    {
        public int Number => number;

        public Attempt? Running { get; private set; }

        public void Begin(FuzzTarget target, long index, byte[] input, long start) => Running = new Attempt(target, index, input, start);

        public void End() => Running = null;
    }

    private sealed record Attempt(FuzzTarget Target, long Index, byte[] Input, long Start);

    private sealed class Tally
    {
        private long accepted;
        private long failed;
        private long most;
        private TimeSpan slowest;
        private TimeSpan busy;

        public long Inputs { get; private set; }

        public void Add(bool taken, bool defect, long bytes, TimeSpan took)
        {
            Inputs++;
            accepted += taken && !defect ? 1 : 0;
            failed += defect ? 1 : 0;
            most = Math.Max(most, bytes);
            slowest = took > slowest ? took : slowest;
            busy += took;
        }

        public void Add(Tally other)
        {
            Inputs += other.Inputs;
            accepted += other.accepted;
            failed += other.failed;
            most = Math.Max(most, other.most);
            slowest = other.slowest > slowest ? other.slowest : slowest;
            busy += other.busy;
        }

        public TargetSummary Summary(string name) => new(name, Inputs, accepted, failed, most, slowest, busy);
    }
}
