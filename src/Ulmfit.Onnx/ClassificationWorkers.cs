using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Ulmfit.Diagnostics;
using Ulmfit.Onnx.Execution;

namespace Ulmfit.Onnx;

/// <summary>
/// The threads that compute, shared by the classifiers of a process, before one bounded queue. All members may be called by any number
/// of threads at once.
/// </summary>
/// <remarks>
/// <para>
/// Nothing waits for company: a thread that is free takes what has waited longest and, with it, what else waits for the same direction
/// of the same model, shared out evenly among the threads. A lone document starts at once, its two directions on two threads, one of
/// which is the caller's own if that is for a few milliseconds: handing work to another thread and its result back would take longer
/// than much of the work. Under load batches come about by themselves. A run lasts as many steps as its shortest sequence has left, or until a number of tokens,
/// and those that have more left take their place in the queue again. So no step is spent on padding, a long document does not keep
/// short ones waiting, and the memory of a run is bounded whatever the length of a document.
/// </para>
/// <para>
/// None of it changes an answer: see <see cref="OnnxTextClassifier"/>.
/// </para>
/// </remarks>
public sealed class ClassificationWorkers : IDisposable
{
    // For how long a caller's thread may be kept computing, by the speed measured so far. Threads of a pool have other things to do.
    private const double LongestInCaller = 0.005;

    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim ready = new(0);
    private readonly Dictionary<DirectionEncoder, LinkedList<Sequence>> waiting = [];

    private int threads, idle, waitingSequences, documents;
    private long tokens, turns;
    private double tokensPerSecond;
    private bool disposed;

    /// <summary>Makes the workers. Their threads start when they are needed.</summary>
    /// <param name="options">How many, and how much may wait for them.</param>
    public ClassificationWorkers(ClassificationWorkersOptions? options = null) => Options = (options ?? new ClassificationWorkersOptions()).Validated();

    /// <summary>How many threads there are, and how much may wait for them.</summary>
    public ClassificationWorkersOptions Options { get; }

    /// <summary>The most sequences that were in a run so far.</summary>
    internal int GreatestBatch { get; private set; }

    /// <summary>Documents that wait or are being computed.</summary>
    public int Documents => Volatile.Read(ref documents);

    /// <summary>Tokens of the documents that wait or are being computed.</summary>
    public long Tokens => Volatile.Read(ref tokens);

    /// <summary>Ends the threads once what they were given is computed. Does not wait for them.</summary>
    public void Dispose()
    {
        int woken;
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            disposed = true;
            woken = threads;
        }

        if (woken > 0)
        {
            ready.Release(woken);
        }
    }

    /// <summary>Takes a request in; a lone short document may be computed when this returns.</summary>
    /// <exception cref="ClassifierBusyException">There is no room.</exception>
    /// <exception cref="ObjectDisposedException">The workers are disposed.</exception>
    internal void Add(PredictionRequest request, CancellationToken cancellationToken)
    {
        int woken;
        bool inCaller;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (documents >= Options.MaxDocuments || tokens >= Options.MaxTokens)
            {
                throw Busy();
            }

            inCaller = IsForCaller(request);
            documents += request.Results.Length;
            tokens += request.Tokens;
            foreach (Sequence sequence in request.Sequences)
            {
                Enqueue(sequence);
            }

            // The caller takes the place of a thread that stays asleep.
            idle -= inCaller ? 1 : 0;
            woken = Wake(request.Sequences.Length - (inCaller ? 1 : 0));
            if (request.Attributes is not null)
            {
                ServingMeter.Enqueue(request.Attributes, request.Results.Length);
            }
        }

        if (woken > 0)
        {
            ready.Release(woken);
        }

        if (cancellationToken.CanBeCanceled)
        {
            request.GiveUpWith(cancellationToken.UnsafeRegister(
                static (state, token) =>
                {
                    var (workers, given) = ((ClassificationWorkers, PredictionRequest))state!;
                    given.Cancel(token);
                    workers.GiveUp(given);
                },
                (this, request)));
        }

        if (inCaller)
        {
            WorkFor(request);
        }
    }

    // Under the lock. Whether the caller's thread is to compute it: at once, by itself and not for long.
    private bool IsForCaller(PredictionRequest request) =>
        idle > 0
        && waitingSequences == 0
        && request.Results.Length == 1
        && request.Tokens * Options.Workers <= LongestInCaller * tokensPerSecond;

    private ClassifierBusyException Busy()
    {
        // Until what is there is done; half of it would make room as well, but then for one request only.
        double seconds = tokensPerSecond > 0 ? tokens / tokensPerSecond : ShortestRetry.TotalSeconds;
        var retry = TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(seconds), ShortestRetry.TotalSeconds, LongestRetry.TotalSeconds));
        return new ClassifierBusyException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{documents} documents of {tokens} tokens are waiting to be classified, and {Options.MaxDocuments} documents or {Options.MaxTokens} tokens may. Try again in about {retry.TotalSeconds:0} s."),
            retry);
    }

    private void Enqueue(Sequence sequence)
    {
        if (!waiting.TryGetValue(sequence.Encoder, out LinkedList<Sequence>? lane))
        {
            waiting.Add(sequence.Encoder, lane = []);
        }

        sequence.Turn = turns++;
        sequence.Place = lane.AddLast(sequence);
        waitingSequences++;
    }

    private void Dequeue(Sequence sequence)
    {
        LinkedList<Sequence> lane = waiting[sequence.Encoder];
        lane.Remove(sequence.Place!);
        sequence.Place = null;
        waitingSequences--;
        if (lane.Count == 0)
        {
            // The encoder may be gone before anything waits for it again.
            waiting.Remove(sequence.Encoder);
        }
    }

    // How many of the threads to wake for so many sequences more; new ones start awake.
    private int Wake(int sequences)
    {
        int woken = Math.Min(idle, sequences);
        idle -= woken;
        for (int missing = sequences - woken; missing > 0 && threads < Options.Workers; missing--)
        {
            threads++;
            new Thread(Work) { IsBackground = true, Name = $"ulmfit-classify-{threads}" }.Start();
        }

        return woken;
    }

    private void Work()
    {
        while (true)
        {
            EncoderRun? run;
            (DirectionEncoder Encoder, IDisposable Hold)? unproven = null;
            lock (gate)
            {
                run = waitingSequences > 0 ? Take(inCaller: false, out unproven) : null;
                if (run is null && unproven is null)
                {
                    if (disposed)
                    {
                        threads--;
                        return;
                    }

                    idle++;
                }
            }

            if (unproven is { } proof)
            {
                using (proof.Hold)
                {
                    Prove(proof.Encoder);
                }
            }
            else if (run is not null)
            {
                Compute(run);
            }
            else
            {
                ready.Wait();
            }
        }
    }

    // In the place of a thread that sleeps, until nothing of the request waits; then that thread goes on if anything else does.
    private void WorkFor(PredictionRequest request)
    {
        while (true)
        {
            EncoderRun? run;
            bool others = false;
            lock (gate)
            {
                // Nothing waited when it came, so what it still has waits longest. Whether it may be computed in batches is for others to prove.
                run = Array.Exists(request.Sequences, sequence => sequence.Place is not null) ? Take(inCaller: true, out _) : null;
                if (run is null)
                {
                    others = waitingSequences > 0 || disposed;
                    idle += others ? 0 : 1;
                }
            }

            if (run is not null)
            {
                Compute(run);
                continue;
            }

            if (others)
            {
                ready.Release();
            }

            return;
        }
    }

    // Under the lock. What has waited longest, and what may go with it; null where it is to be proven first that something may.
    private EncoderRun? Take(bool inCaller, out (DirectionEncoder Encoder, IDisposable Hold)? unproven)
    {
        unproven = null;
        LinkedList<Sequence> lane = waiting.Values.MinBy(other => other.First!.Value.Turn)!;
        DirectionEncoder encoder = lane.First!.Value.Encoder;
        int share = Math.Min((waitingSequences + Options.Workers - 1) / Options.Workers, lane.Count);
        if (!inCaller && share > 1 && encoder.Batches is null && lane.First.Value.Document!.Request.Classifier.TryLease(out IDisposable? hold))
        {
            // The requests may all be answered, and the classifier be disposed, before the proof ends.
            if (encoder.TryBeginProof())
            {
                unproven = (encoder, hold);
                return null;
            }

            hold.Dispose();
        }

        int count = encoder.Batches == true ? Math.Min(share, DirectionEncoder.MaxBatch) : 1;
        var batch = new Sequence[count];
        int steps = inCaller && count == 1 ? DirectionEncoder.MaxTokensInCaller : Math.Max(1, DirectionEncoder.MaxTokensPerRun / count);
        for (int i = 0; i < count; i++)
        {
            batch[i] = lane.First!.Value;
            steps = Math.Min(steps, batch[i].Remaining);
            Dequeue(batch[i]);
        }

        GreatestBatch = Math.Max(GreatestBatch, count);
        var run = new EncoderRun(batch, steps);
        foreach (Sequence sequence in batch)
        {
            sequence.Running = run;
        }

        return run;
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "A proof that fails is no proof: sequences then go one by one, and what is wrong shows in their runs.")]
    internal static void Prove(DirectionEncoder encoder)
    {
        try
        {
            encoder.ProveBatching();
        }
        catch (Exception)
        {
            encoder.RefuseBatching();
        }
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever it is, it is the callers' to see, and the thread goes on.")]
    private void Compute(EncoderRun run)
    {
        long began = Stopwatch.GetTimestamp();
        foreach (Sequence sequence in run.Batch)
        {
            sequence.Document!.Request.LeaveQueue();
        }

        Exception? failure = null;
        try
        {
            run.Batch[0].Encoder.Run(run.Batch, run.Steps, run.Options);
            foreach (Sequence sequence in run.Batch)
            {
                if (sequence.IsFinished)
                {
                    Finish(sequence);
                }
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        TimeSpan took = Stopwatch.GetElapsedTime(began);
        if (run.Batch.Select(sequence => sequence.Document!.Request.Attributes).FirstOrDefault(of => of is not null) is { } attributes)
        {
            ServingMeter.RecordRun(attributes, run.Batch.Length, took);
            UlmfitTraces.RecordCompute(attributes, run.Batch.Select(sequence => sequence.Document!.Request.Span), run.Batch.Length, took, failure);
        }

        Return(run, failure, took.TotalSeconds);
    }

    private static void Finish(Sequence sequence)
    {
        DocumentWork document = sequence.Document!;
        PredictionRequest request = document.Request;
        int direction = 0;
        while (request.Encoders[direction] != sequence.Encoder)
        {
            direction++;
        }

        if (document.Finish(direction, sequence.Pooled) && !request.IsGivenUp)
        {
            request.Results[document.Index] = request.Head.Classify(document.Pooled);
            if (request.Attributes is not null)
            {
                ServingMeter.RecordTexts(request.Attributes, 1, document.Tokens);
            }
        }
    }

    private void Return(EncoderRun run, Exception? failure, double seconds)
    {
        var done = new List<PredictionRequest>();
        var failed = new List<PredictionRequest>();
        lock (gate)
        {
            int unfinished = 0;
            foreach (Sequence sequence in run.Batch)
            {
                PredictionRequest request = sequence.Document!.Request;
                sequence.Running = null;
                if (failure is not null && !request.IsGivenUp)
                {
                    failed.Add(request);
                    GiveUpWaiting(request, done);
                }

                if (sequence.IsFinished || request.IsGivenUp)
                {
                    Leave(sequence, done);
                }
                else
                {
                    Enqueue(sequence);
                    unfinished++;
                }
            }

            // This thread goes on by itself; another is needed only if there is more than it takes.
            int woken = unfinished > 1 ? Wake(unfinished - 1) : 0;
            if (woken > 0)
            {
                ready.Release(woken);
            }

            const double Weight = 0.1;
            double speed = (double)run.Batch.Length * run.Steps / run.Batch[0].Document!.Request.Encoders.Count / Math.Max(seconds, 1e-6) * Options.Workers;
            tokensPerSecond = tokensPerSecond > 0 ? tokensPerSecond + (Weight * (speed - tokensPerSecond)) : speed;
            run.Dispose();
        }

        foreach (PredictionRequest request in failed)
        {
            request.Fail(failure!);
        }

        foreach (PredictionRequest request in done)
        {
            request.Release();
        }
    }

    private void GiveUp(PredictionRequest request)
    {
        var done = new List<PredictionRequest>();
        lock (gate)
        {
            if (!request.IsGivenUp)
            {
                GiveUpWaiting(request, done);
            }
        }

        foreach (PredictionRequest released in done)
        {
            released.Release();
        }
    }

    // Under the lock. What waits goes at once; what is being computed goes when its run ends, which is at once if nobody else is in it.
    private void GiveUpWaiting(PredictionRequest request, List<PredictionRequest> done)
    {
        request.IsGivenUp = true;
        request.LeaveQueue();
        foreach (Sequence sequence in request.Sequences)
        {
            if (sequence.Place is not null)
            {
                Dequeue(sequence);
                Leave(sequence, done);
            }
            else
            {
                sequence.Running?.Unwant();
            }
        }
    }

    // Under the lock. A document goes when all of its sequences have gone.
    private void Leave(Sequence sequence, List<PredictionRequest> done)
    {
        DocumentWork document = sequence.Document!;
        if (--document.Held == 0)
        {
            documents--;
            tokens -= document.Tokens;
            done.Add(document.Request);
        }
    }
}
