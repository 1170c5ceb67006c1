using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Ulmfit.Metrics;
using Ulmfit.Text;

namespace Ulmfit.Onnx;

/// <summary>
/// A trained classifier of text on ONNX Runtime. All members may be called by any number of threads at once.
/// </summary>
/// <remarks>
/// A text gets the same bits of probability alone or among others, whatever those are and however many requests run.
/// That is so by construction and rests on no property of a kernel: every document is computed by itself, as a batch
/// of one that is exactly as long as the document, so nothing that is computed for it sees another document, padding or
/// a batch size. Documents of a request run in parallel instead of in a batch.
/// </remarks>
public sealed class OnnxTextClassifier : IDisposable
{
    private static readonly string[] InputNames = [OnnxClassifierWriter.TokensInput, OnnxClassifierWriter.LengthsInput];
    private static readonly string[] OutputNames = [OnnxClassifierWriter.ProbabilitiesOutput];

    private readonly InferenceSession session;
    private readonly Tokenizer tokenizer = new();
    private readonly Vocabulary vocabulary;
    private readonly OnnxClassifierOptions options;
    private readonly int vocabularySize;
    private readonly double temperature;
    private readonly SemaphoreSlim workers;

    // The owner's hold and one a running call and lease; the session goes when the last one does.
    private int holds = 1;
    private int disposed;

    private OnnxTextClassifier(InferenceSession session, Vocabulary vocabulary, ModelDescription description, IReadOnlyList<string> labels, OnnxClassifierOptions options)
    {
        this.session = session;
        this.vocabulary = vocabulary;
        vocabularySize = description.VocabularySize;
        temperature = description.Temperature;
        this.options = options;
        Labels = labels;
        workers = new SemaphoreSlim(options.Workers);
    }

    /// <summary>The labels in the order of the probabilities.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>What the graph's probabilities are scaled with (<see cref="TemperatureScaling"/>); 1 for a model without.</summary>
    public double Temperature => temperature;

    /// <summary>Loads a model that <see cref="OnnxClassifierWriter"/> wrote.</summary>
    /// <param name="model">The ONNX file.</param>
    /// <param name="vocabulary">The vocabulary that the model was trained with.</param>
    /// <param name="labels">The labels in the order of the model's output.</param>
    /// <param name="options">How to use the machine.</param>
    /// <param name="workers">The threads that compute, shared with other classifiers and not disposed with this one; null for threads of its own.</param>
    /// <exception cref="InvalidDataException">The bytes are no such model, or it has other labels or another vocabulary.</exception>
    public static OnnxTextClassifier Load(
        ReadOnlyMemory<byte> model, Vocabulary vocabulary, IReadOnlyList<string> labels, OnnxClassifierOptions? options = null, ClassificationWorkers? workers = null)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(labels);
        options = (options ?? new OnnxClassifierOptions()).Validated();

        InferenceSession session = OpenSession(model, options);
        try
        {
            var description = ModelDescription.Of(session);
            description.CheckFits(vocabulary, labels);
            return new OnnxTextClassifier(session, vocabulary, description, [.. labels], options);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Probabilities of the classes for each text: <c>[texts][classes]</c>.</summary>
    /// <param name="texts">Texts, tokenised as in training; an empty one is the token xxbos alone.</param>
    /// <param name="cancellationToken">Stops the computation, also within a document.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public float[][] Predict(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) => Predict(texts, tally: null, cancellationToken);

    /// <summary>The same, and counts the texts' tokens.</summary>
    /// <param name="texts">Texts, tokenised as in training; an empty one is the token xxbos alone.</param>
    /// <param name="tally">Gets the tokens of each text, all of them also where a text is shortened; null where nobody counts.</param>
    /// <param name="cancellationToken">Stops the computation, also within a document.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public float[][] Predict(IReadOnlyList<string> texts, TokenTally? tally, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Contains(null!))
        {
            throw new ArgumentException($"Text {texts.ToList().IndexOf(null!)} is null.", nameof(texts));
        }

        using IDisposable hold = Hold();
        return ForEach([.. texts.Select(text => text.Length)], i => Compute(Encode(texts[i], tally), cancellationToken), cancellationToken);
    }

    /// <summary>Probabilities of the classes for each text: <c>[texts][classes]</c>. Blocks no thread while it waits or computes.</summary>
    /// <param name="texts">Texts, tokenised as in training; an empty one is the token xxbos alone.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public Task<float[][]> PredictAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) => PredictAsync(texts, tally: null, cancellationToken);

    /// <summary>The same, and counts the texts' tokens.</summary>
    /// <param name="texts">Texts, tokenised as in training; an empty one is the token xxbos alone.</param>
    /// <param name="tally">Gets the tokens of each text, all of them also where a text is shortened; null where nobody counts.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public Task<float[][]> PredictAsync(IReadOnlyList<string> texts, TokenTally? tally, CancellationToken cancellationToken = default) =>
        Task.Run(() => Predict(texts, tally, cancellationToken), cancellationToken);

    /// <summary>Probabilities of the classes for each document: <c>[documents][classes]</c>.</summary>
    /// <param name="documents">Token ids in reading order, each document at least one token long.</param>
    /// <param name="cancellationToken">Stops the computation, also within a document.</param>
    /// <exception cref="ArgumentException">A document is empty or has an id that the model does not know.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public float[][] PredictTokens(IReadOnlyList<int[]> documents, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        Check(documents);
        using IDisposable hold = Hold();
        return ForEach([.. documents.Select(document => document.Length)], i => Compute(documents[i], cancellationToken), cancellationToken);
    }

    /// <summary>The labels of the greatest probabilities, best first; equal ones in the order of <see cref="Labels"/>.</summary>
    /// <param name="probabilities">One row of a prediction: <c>[classes]</c>.</param>
    /// <param name="topK">How many at most, at least 1.</param>
    /// <param name="threshold">
    /// Where no label has so high a probability, the list begins with the label null and the best probability, before the
    /// labels: the answer is that none is certain enough.
    /// </param>
    public IReadOnlyList<LabelScore> Rank(float[] probabilities, int topK, float threshold = 0)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        if (probabilities.Length != Labels.Count)
        {
            throw new ArgumentException($"{Labels.Count} probabilities belong to {Labels.Count} labels, but {probabilities.Length} were given.", nameof(probabilities));
        }

        // OrderByDescending is stable, which keeps the order of the labels among equals.
        IEnumerable<LabelScore> ranked = probabilities.Select((score, i) => new LabelScore(Labels[i], score)).OrderByDescending(one => one.Score).Take(topK);
        float best = probabilities.Max();
        return best < threshold ? [new LabelScore(null, best), .. ranked] : [.. ranked];
    }

    /// <summary>
    /// Keeps the classifier usable until the lease is disposed, even if the classifier is disposed meanwhile: whoever
    /// swaps models disposes the old one at once, and no request that already holds it fails.
    /// </summary>
    /// <returns>False if the classifier is gone already; then its successor is in place.</returns>
    public bool TryLease([NotNullWhen(true)] out IDisposable? lease)
    {
        int seen = Volatile.Read(ref holds);
        while (seen > 0)
        {
            int current = Interlocked.CompareExchange(ref holds, seen + 1, seen);
            if (current == seen)
            {
                lease = new Lease(this);
                return true;
            }

            seen = current;
        }

        lease = null;
        return false;
    }

    /// <summary>Frees the model once calls that run and leases that are out have ended. Does not wait for them.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            Release();
        }
    }

    private static InferenceSession OpenSession(ReadOnlyMemory<byte> model, OnnxClassifierOptions options)
    {
        using var session = new SessionOptions
        {
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            InterOpNumThreads = 1,
            IntraOpNumThreads = options.IntraOpThreads,
            // Documents differ in length: plans for each length and an arena that keeps the largest would only grow.
            EnableMemoryPattern = false,
            EnableCpuMemArena = false,
        };
        // Waiting threads give their core to the other pools of the process.
        session.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        try
        {
            return new InferenceSession(Bytes(model), session);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException($"ONNX Runtime cannot load the model: {e.Message}", e);
        }
    }

    private static byte[] Bytes(ReadOnlyMemory<byte> model) =>
        MemoryMarshal.TryGetArray(model, out ArraySegment<byte> segment) && segment.Array is { } array && segment.Offset == 0 && segment.Count == array.Length
            ? array
            : model.ToArray();

    private int[] Encode(string text, TokenTally? tally)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, vocabulary, ids);
        tally?.Add(CollectionsMarshal.AsSpan(ids));
        return [.. ids];
    }

    private void Check(IReadOnlyList<int[]> documents)
    {
        for (int i = 0; i < documents.Count; i++)
        {
            int[] document = documents[i];
            if (document is null || document.Length == 0)
            {
                throw new ArgumentException($"Document {i} has no tokens; even an empty text has xxbos.", nameof(documents));
            }

            int position = document.AsSpan().IndexOfAnyExceptInRange(0, vocabularySize - 1);
            if (position >= 0)
            {
                throw new ArgumentException($"Token {position} of document {i} is {document[position]}, but ids lie in [0, {vocabularySize}).", nameof(documents));
            }
        }
    }

    private IDisposable Hold() => TryLease(out IDisposable? hold) ? hold : throw new ObjectDisposedException(nameof(OnnxTextClassifier));

    private void Release()
    {
        if (Interlocked.Decrement(ref holds) == 0)
        {
            session.Dispose();
            workers.Dispose();
        }
    }

    /// <summary>Computes every document, the longest first so that none of them is left over at the end.</summary>
    private float[][] ForEach(int[] lengths, Func<int, float[]> compute, CancellationToken cancellationToken)
    {
        float[][] results = new float[lengths.Length][];
        if (lengths.Length == 0)
        {
            return results;
        }

        int[] order = [.. Enumerable.Range(0, lengths.Length).OrderByDescending(i => lengths[i])];
        int next = -1;
        void Work()
        {
            int turn;
            while ((turn = Interlocked.Increment(ref next)) < order.Length)
            {
                // Turn by turn, so that a long request does not keep a short one waiting.
                workers.Wait(cancellationToken);
                try
                {
                    results[order[turn]] = compute(order[turn]);
                }
                finally
                {
                    workers.Release();
                }
            }
        }

        int threads = Math.Min(options.Workers, lengths.Length);
        if (threads == 1)
        {
            Work();
            return results;
        }

        try
        {
            Parallel.For(0, threads, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = threads }, _ => Work());
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        return results;
    }

    private float[] Compute(int[] document, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long[] tokens = Array.ConvertAll(Shortened(document, options.MaxTokens), token => (long)token);
        using OrtValue tokenValue = OrtValue.CreateTensorValueFromMemory(tokens, [tokens.Length, 1]);
        using OrtValue lengthValue = OrtValue.CreateTensorValueFromMemory(new long[] { tokens.Length }, [1]);
        using var run = new RunOptions();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static state => ((RunOptions)state!).Terminate = true, run);
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, InputNames, [tokenValue, lengthValue], OutputNames);
            float[] probabilities = outputs[0].GetTensorDataAsSpan<float>().ToArray();

            // Not in the graph: there a logarithm or a power may be computed otherwise at the end of a batch than within it.
            TemperatureScaling.Apply(probabilities, temperature);
            return probabilities;
        }
        catch (OnnxRuntimeException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private static int[] Shortened(int[] document, int maxTokens)
    {
        int tail = maxTokens / 2;
        return document.Length <= maxTokens ? document : [.. document.AsSpan(0, maxTokens - tail), .. document.AsSpan(document.Length - tail)];
    }

    private sealed class Lease(OnnxTextClassifier classifier) : IDisposable
    {
        private OnnxTextClassifier? held = classifier;

        public void Dispose() => Interlocked.Exchange(ref held, null)?.Release();
    }
}
