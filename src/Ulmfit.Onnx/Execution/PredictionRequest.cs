using System.Diagnostics;
using Ulmfit.Diagnostics;

namespace Ulmfit.Onnx.Execution;

/// <summary>What one call asks for: documents, computed in any order and given back together.</summary>
internal sealed class PredictionRequest
{
    private readonly TaskCompletionSource<float[][]> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IDisposable hold;
    private CancellationTokenRegistration registration;
    private readonly long asked = Stopwatch.GetTimestamp();
    private int held, left;

    /// <summary>Makes a request.</summary>
    /// <param name="encoders">The directions.</param>
    /// <param name="head">The head.</param>
    /// <param name="documents">Token ids in reading order, each at least one long.</param>
    /// <param name="attributes">What measurements are of; null for none.</param>
    /// <param name="classifier">Whose it is.</param>
    /// <param name="hold">What keeps the classifier usable; disposed once nothing of the request is computed any more.</param>
    public PredictionRequest(IReadOnlyList<DirectionEncoder> encoders, ClassifierHead head, IReadOnlyList<int[]> documents, ModelAttributes? attributes, OnnxTextClassifier classifier, IDisposable hold)
    {
        this.hold = hold;
        held = documents.Count;
        Head = head;
        Attributes = attributes;
        Classifier = classifier;
        Encoders = encoders;
        Results = new float[documents.Count][];
        Sequences = new Sequence[documents.Count * encoders.Count];
        for (int i = 0; i < documents.Count; i++)
        {
            var document = new DocumentWork(this, i, documents[i].Length, encoders.Count);
            Tokens += documents[i].Length;
            for (int direction = 0; direction < encoders.Count; direction++)
            {
                DirectionEncoder encoder = encoders[direction];
                int[] tokens = documents[i];
                if (encoder.Layout.IsBackward)
                {
                    tokens = (int[])tokens.Clone();
                    Array.Reverse(tokens);
                }

                Sequences[(i * encoders.Count) + direction] = new Sequence(document, encoder, tokens);
            }
        }
    }

    /// <summary>The directions.</summary>
    public IReadOnlyList<DirectionEncoder> Encoders { get; }

    /// <summary>The head.</summary>
    public ClassifierHead Head { get; }

    /// <summary>What measurements are of; null for none.</summary>
    public ModelAttributes? Attributes { get; }

    /// <summary>The span that asks for it; none where nobody listens.</summary>
    public ActivityContext Span { get; } = UlmfitTraces.Current;

    /// <summary>Whose it is, usable as long as anything of the request is computed.</summary>
    public OnnxTextClassifier Classifier { get; }

    /// <summary>The documents in each direction, document by document.</summary>
    public Sequence[] Sequences { get; }

    /// <summary>Tokens of all documents.</summary>
    public long Tokens { get; }

    /// <summary>The probabilities of each document that is done.</summary>
    public float[][] Results { get; }

    /// <summary>What the caller waits for.</summary>
    public Task<float[][]> Task => completion.Task;

    /// <summary>Whether nobody waits for it any more: it was cancelled or has failed. Changed under the workers' lock.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>It no longer waits: its first token is about to be computed, or it was given up.</summary>
    public void LeaveQueue()
    {
        if (Interlocked.Exchange(ref left, 1) == 0 && Attributes is not null)
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(asked);
            ServingMeter.Dequeue(Attributes, Results.Length, waited);
            UlmfitTraces.RecordQueue(Span, Results.Length, waited);
        }
    }

    /// <summary>What gives the request up when its caller does.</summary>
    public void GiveUpWith(CancellationTokenRegistration onCancelled)
    {
        registration = onCancelled;
        if (completion.Task.IsCompleted)
        {
            // It was done before this was known.
            registration.Unregister();
        }
    }

    /// <summary>The caller has cancelled.</summary>
    public void Cancel(CancellationToken token) => completion.TrySetCanceled(token);

    /// <summary>Something failed.</summary>
    public void Fail(Exception exception) => completion.TrySetException(exception);

    /// <summary>Nothing of a document is computed any more. Not to be called under a lock: with the last one the request ends, and may take the classifier with it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref held) == 0)
        {
            // First the hold: whoever is told of the answer may count on what it held being free.
            hold.Dispose();
            registration.Unregister();
            if (!IsGivenUp)
            {
                completion.TrySetResult(Results);
            }
        }
    }
}
