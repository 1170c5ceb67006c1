using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Ulmfit.Cpu;

/// <summary>Work that all threads of a team do together, each running the same code.</summary>
internal interface ITeamWork
{
    /// <summary>Runs on every thread of the team; what must be in order is parted by <see cref="ComputeTeam.Barrier"/>.</summary>
    void Execute(int thread);
}

/// <summary>
/// Threads that live as long as the engine and step together: the same work runs on all of them, and between its phases
/// they meet at a barrier that costs about a microsecond, because whoever waits spins before it parks. A waiter that
/// spins in vain (other processes have the cores) spins less the next time, so a crowded machine is not made slower.
/// </summary>
internal sealed class ComputeTeam : IDisposable
{
    private const int CacheLine = 16;

    /// <summary>One training step at a time in the process: two teams that step at once would only fight for the cores.</summary>
    private static readonly Lock TrainingLease = new();

    private static readonly long LongestSpin = Stopwatch.Frequency / 5_000;
    private static readonly long ShortestSpin = Stopwatch.Frequency / 200_000;
    private readonly object gate = new();
    private readonly long[] taken;
    private readonly long[] spins;
    private Thread[]? workers;
    private ITeamWork? work;
    private int started;
    private int finished;
    private int arrived;
    private int generation;
    private int sleepers;
    private Exception? fault;
    private volatile bool disposed;

    /// <summary>A team of that many threads, the caller of <see cref="Run"/> among them.</summary>
    public ComputeTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Threads = threads;
        taken = new long[threads * CacheLine];
        spins = new long[threads * CacheLine];
        Array.Fill(spins, LongestSpin);
    }

    /// <summary>Number of threads.</summary>
    public int Threads { get; }

    /// <summary>Where the time of the team's work went.</summary>
    public StepProfile Profile { get; } = new();

    /// <summary>Does the work on all threads and returns when all have done it; throws what one of them threw.</summary>
    public void Run(ITeamWork work)
    {
        lock (TrainingLease)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            StartWorkers();
            this.work = work;
            fault = null;
            arrived = 0;
            finished = 0;
            ResetTaken();
            Interlocked.Increment(ref started);
            WakeSleepers();
            Profile.Start();
            Attempt(0);
            int expected = Threads - 1;
            WaitFor(0, static (team, value) => Volatile.Read(ref team.finished) == value, expected);
            this.work = null;
            if (fault is not null)
            {
                ExceptionDispatchInfo.Throw(fault);
            }
        }
    }

    /// <summary>
    /// Waits until all threads are here. What was written before it is seen after it, and <see cref="Take"/> counts from
    /// zero again.
    /// </summary>
    public void Barrier(int thread)
    {
        if (Threads == 1)
        {
            taken[0] = 0;
            return;
        }

        int mine = Volatile.Read(ref generation);
        if (Interlocked.Increment(ref arrived) == Threads)
        {
            arrived = 0;
            ResetTaken();
            Interlocked.Increment(ref generation);
            WakeSleepers();
            return;
        }

        WaitFor(thread, static (team, value) => Volatile.Read(ref team.generation) != value || team.fault is not null, mine);
        if (fault is not null && Volatile.Read(ref generation) == mine)
        {
            throw new TeamFaultException();
        }
    }

    /// <summary>After a barrier: the time since the last lap went to <paramref name="part"/>, with that many operations of matrix products.</summary>
    public void Lap(int thread, StepPart part, long operations = 0)
    {
        if (thread == 0)
        {
            Profile.Lap(part, operations);
        }
    }

    /// <summary>
    /// Takes one of <paramref name="count"/> items of the phase: first those of this thread's own range, then what others
    /// have left. Each item is given out once until the next <see cref="Barrier"/>; a phase has one such loop.
    /// </summary>
    public bool Take(int thread, int count, out int item)
    {
        if (Threads == 1)
        {
            item = (int)taken[0]++;
            return item < count;
        }

        for (int i = 0; i < Threads; i++)
        {
            int owner = thread + i;
            owner = owner >= Threads ? owner - Threads : owner;
            int start = (int)((long)count * owner / Threads);
            int length = (int)((long)count * (owner + 1) / Threads) - start;
            ref long next = ref taken[owner * CacheLine];
            if (Volatile.Read(ref next) < length)
            {
                long index = Interlocked.Increment(ref next) - 1;
                if (index < length)
                {
                    item = start + (int)index;
                    return true;
                }
            }
        }

        item = -1;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (TrainingLease)
        {
            if (disposed)
            {
                return;
            }

            disposed = true;
            Interlocked.Increment(ref started);
            lock (gate)
            {
                Monitor.PulseAll(gate);
            }
        }

        foreach (Thread worker in workers ?? [])
        {
            worker.Join();
        }
    }

    private void StartWorkers()
    {
        if (workers is not null)
        {
            return;
        }

        workers = new Thread[Threads - 1];
        for (int i = 0; i < workers.Length; i++)
        {
            workers[i] = StartWorker(i + 1, started);
        }
    }

    private Thread StartWorker(int thread, int seen)
    {
        var worker = new Thread(() => Serve(thread, seen)) { IsBackground = true, Name = $"Ulmfit.Cpu {thread}" };
        worker.Start();
        return worker;
    }

    private void Serve(int thread, int seen)
    {
        while (true)
        {
            WaitFor(thread, static (team, value) => Volatile.Read(ref team.started) != value, seen);
            seen = Volatile.Read(ref started);
            if (disposed)
            {
                return;
            }

            Attempt(thread);
            Interlocked.Increment(ref finished);
            WakeSleepers();
        }
    }

    private void Attempt(int thread)
    {
        try
        {
            work!.Execute(thread);
        }
        catch (TeamFaultException)
        {
            // Another thread failed; its exception is the one to report.
        }
#pragma warning disable CA1031 // Whatever one thread throws is handed to the caller of Run.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref fault, exception, null);
            WakeSleepers();
        }
    }

    private void WaitFor(int thread, Func<ComputeTeam, int, bool> condition, int value)
    {
        if (condition(this, value))
        {
            return;
        }

        ref long spin = ref spins[thread * CacheLine];
        long begin = Stopwatch.GetTimestamp();
        do
        {
            Thread.SpinWait(8);
            if (condition(this, value))
            {
                spin = Math.Min(spin + (spin >> 2), LongestSpin);
                return;
            }
        }
        while (Stopwatch.GetTimestamp() - begin < spin);

        spin = Math.Max(spin >> 1, ShortestSpin);
        lock (gate)
        {
            Interlocked.Increment(ref sleepers);
            while (!condition(this, value))
            {
                Monitor.Wait(gate);
            }

            Interlocked.Decrement(ref sleepers);
        }
    }

    private void WakeSleepers()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref sleepers) > 0)
        {
            lock (gate)
            {
                Monitor.PulseAll(gate);
            }
        }
    }

    private void ResetTaken()
    {
        for (int i = 0; i < Threads; i++)
        {
            taken[i * CacheLine] = 0;
        }
    }

    /// <summary>Ends the work of the threads that wait for one that failed.</summary>
    private sealed class TeamFaultException : Exception;
}
