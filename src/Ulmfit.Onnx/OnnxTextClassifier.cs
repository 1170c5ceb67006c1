using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Ulmfit.Diagnostics;
using Ulmfit.Metrics;
using Ulmfit.Model;
using Ulmfit.Onnx.Execution;
using Ulmfit.Onnx.Export;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Onnx;

/// <summary>
/// A trained classifier of text on ONNX Runtime. All members may be called by any number of threads at once.
/// </summary>
/// <remarks>
/// <para>
/// A text gets the same bits of probability alone or among others, whatever those are and however many requests run. Documents share
/// runs of the encoder only (see <see cref="ClassificationWorkers"/>), and a run computes a row of a batch without looking at the
/// others: an int8 model because what it sums is integers under scales that never change, a float32 model because ONNX Runtime's
/// products take the rows one as the other. The latter is a property of its kernels, so it is looked at on the machine at hand before
/// the first batch runs (see <see cref="WarmUp"/>), and where it does not hold documents are computed one by one. There is no padding.
/// What is pooled is pooled token by token, and the head takes one document at a time.
/// </para>
/// <para>
/// Documents of any length are computed in pieces that carry the states on, so that memory is bounded and nothing is left out up to
/// <see cref="OnnxClassifierOptions.MaxTokens"/>. How they are cut changes no bit either.
/// </para>
/// </remarks>
public sealed class OnnxTextClassifier : IDisposable
{
    // Texts of an explanation that are in the queue at once: more would let others wait longer and be no sooner done.
    private const int OccludedTogether = 64;

    private readonly DirectionEncoder[] encoders;
    private readonly ClassifierHead head;
    private readonly Tokenizer tokenizer = new();
    private readonly Vocabulary vocabulary;
    private readonly OnnxClassifierOptions options;
    private readonly ClassificationWorkers workers;
    private readonly bool ownsWorkers;

    // The owner's hold and one a running call and lease; the sessions go when the last one does.
    private int holds = 1;
    private int disposed;

    private OnnxTextClassifier(
        DirectionEncoder[] encoders, ClassifierHead head, Vocabulary vocabulary, IReadOnlyList<string> labels, double temperature, OnnxClassifierOptions options, ClassificationWorkers? workers)
    {
        this.encoders = encoders;
        this.head = head;
        this.vocabulary = vocabulary;
        this.options = options;
        Labels = labels;
        Temperature = temperature;
        Precision = encoders[0].Layout.IsInt8 ? OnnxPrecision.Int8 : OnnxPrecision.Float32;
        ownsWorkers = workers is null;
        this.workers = workers ?? new ClassificationWorkers(
            new ClassificationWorkersOptions { Workers = options.Workers, MaxDocuments = int.MaxValue, MaxTokens = int.MaxValue });
    }

    /// <summary>The labels in the order of the probabilities.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>What the graph's probabilities are scaled with (<see cref="TemperatureScaling"/>); 1 for a model without.</summary>
    public double Temperature { get; }

    /// <summary>What the weights of the encoder are.</summary>
    public OnnxPrecision Precision { get; }

    /// <summary>Loads a model that <see cref="OnnxClassifierWriter"/> wrote, of float32 or int8.</summary>
    /// <param name="model">The ONNX file. One of float32 is kept and read as long as the classifier lives, so it is not to be changed.</param>
    /// <param name="vocabulary">The vocabulary that the model was trained with.</param>
    /// <param name="labels">The labels in the order of the model's output.</param>
    /// <param name="options">How to use the machine.</param>
    /// <param name="workers">The threads that compute, shared with other classifiers and not disposed with this one; null for threads of its own, which refuse nothing.</param>
    /// <exception cref="InvalidDataException">The bytes are no such model, or it has other labels or another vocabulary.</exception>
    public static OnnxTextClassifier Load(
        ReadOnlyMemory<byte> model, Vocabulary vocabulary, IReadOnlyList<string> labels, OnnxClassifierOptions? options = null, ClassificationWorkers? workers = null)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(labels);
        options = (options ?? new OnnxClassifierOptions()).Validated();

        var file = new OnnxFile(OnnxFile.BytesOf(model));
        var description = ModelDescription.Of(file);
        description.CheckFits(vocabulary, labels);
        var constants = new GraphConstants(file);
        DirectionLayout[] layouts = [.. description.Directions.Select(direction => DirectionLayout.Read(constants, direction))];
        foreach (DirectionLayout layout in layouts)
        {
            if (layout.Config.Classes != labels.Count || layout.Config.Encoder.VocabularySize != vocabulary.Count || layout.IsInt8 != layouts[0].IsInt8)
            {
                throw new InvalidDataException(
                    $"The {layout.Direction} direction has {layout.Config.Classes} classes, {layout.Config.Encoder.VocabularySize} tokens and weights of {(layout.IsInt8 ? "int8" : "float32")}, which fits neither the {labels.Count} labels and {vocabulary.Count} tokens of the vocabulary nor the other direction.");
            }
        }

        (DirectionEncoder[] encoders, ClassifierHead head) = Open(file, layouts, description.Temperature, options.IntraOpThreads);
        return new OnnxTextClassifier(encoders, head, vocabulary, [.. labels], description.Temperature, options, workers);
    }

    /// <summary>
    /// Loads ONNX Runtime, and has the code compiled that loads a model and answers, by a model of a few units. For a process that has a
    /// processor to spare while it starts: the first model is loaded sooner then. Changes nothing else, and need not be called.
    /// </summary>
    public static void Prepare()
    {
        const int Units = 4;
        var config = new ClassifierConfig(new AwdLstmConfig(SpecialTokens.Count, Units, Units, 2), Units, 2);
        var forward = new DirectionWeights(config, WeightInitialization.Classifier(config, 1));
        string[] labels = ["one", "other"];
        using var model = new MemoryStream();
        OnnxClassifierWriter.Write(model, forward, null, new OnnxModelMetadata(labels, "", new Dictionary<string, string>()));
        using OnnxTextClassifier classifier = Load(model.ToArray(), Vocabulary.FromTokens(SpecialTokens.All), labels, new OnnxClassifierOptions { Workers = 1 });
        classifier.Rank(classifier.Predict(["Some text, of a few words."])[0], labels.Length);
    }

    /// <summary>Probabilities of the classes for each text: <c>[texts][classes]</c>.</summary>
    /// <param name="texts">Texts, tokenised as in training; an empty one is the token xxbos alone.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public float[][] Predict(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        PredictAsync(texts, cancellationToken).GetAwaiter().GetResult();

    /// <summary>Probabilities of the classes for each text: <c>[texts][classes]</c>. Blocks no thread while it waits; the caller's tokenises, and computes for a few milliseconds where nothing else is to be computed.</summary>
    /// <param name="texts">Texts, tokenised as in training; an empty one is the token xxbos alone.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public Task<float[][]> PredictAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        PredictAsync(texts, tally: null, measuredAs: null, cancellationToken);

    /// <summary>The same, counted and measured.</summary>
    /// <param name="texts">Texts, tokenised as in training; an empty one is the token xxbos alone.</param>
    /// <param name="tally">Gets the tokens of each text, all of them also where a text is shortened; null where nobody counts.</param>
    /// <param name="measuredAs">What the measurements are told to be of (<see cref="ServingMeter"/>); null for none, where nobody asked for the answer.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public Task<float[][]> PredictAsync(IReadOnlyList<string> texts, TokenTally? tally, ModelAttributes? measuredAs, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Contains(null!))
        {
            throw new ArgumentException($"Text {texts.ToList().IndexOf(null!)} is null.", nameof(texts));
        }

        return ComputeAsync(texts.Count, i => Encode(texts[i], tally), measuredAs, cancellationToken);
    }

    /// <summary>Probabilities of the classes for each document: <c>[documents][classes]</c>.</summary>
    /// <param name="documents">Token ids in reading order, each document at least one token long.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="ArgumentException">A document is empty or has an id that the model does not know.</exception>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public float[][] PredictTokens(IReadOnlyList<int[]> documents, CancellationToken cancellationToken = default) =>
        PredictTokensAsync(documents, cancellationToken).GetAwaiter().GetResult();

    /// <summary>Probabilities of the classes for each document: <c>[documents][classes]</c>. Blocks no thread while it waits; the caller's may compute for a few milliseconds.</summary>
    /// <param name="documents">Token ids in reading order, each document at least one token long; not to be changed until the task has ended.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="ArgumentException">A document is empty or has an id that the model does not know.</exception>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public Task<float[][]> PredictTokensAsync(IReadOnlyList<int[]> documents, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        Check(documents);
        return ComputeAsync(documents.Count, i => documents[i], measuredAs: null, cancellationToken);
    }

    /// <summary>
    /// How much each part of a text speaks for a label: the model classifies the text again without each of its words, and of a text for
    /// which that were more than <paramref name="budget"/> tokens, without several words at a time. A function of the text, the label and
    /// the budget: the same whenever and beside whatever it is computed. Nothing of it is counted in measurements of texts.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="probabilities">What the model gave for it: <c>[classes]</c>.</param>
    /// <param name="label">The label's place among <see cref="Labels"/>.</param>
    /// <param name="budget">About as many tokens are computed at most.</param>
    /// <param name="cancellationToken">Stops the computation, while it waits and within a document.</param>
    /// <exception cref="TextTooLongException">Within the budget there were fewer than <see cref="Explanation.FewestParts"/> parts.</exception>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public async Task<Explanation> ExplainAsync(string text, float[] probabilities, int label, int budget, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentOutOfRangeException.ThrowIfNotEqual(probabilities.Length, Labels.Count, nameof(probabilities));
        ArgumentOutOfRangeException.ThrowIfNegative(label);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(label, Labels.Count);
        LocatedText located = tokenizer.Locate(text);
        var occlusion = new Occlusion(located, vocabulary.Encode(located.Tokens), budget);
        var without = new List<float[]>(occlusion.Count);
        while (without.Count < occlusion.Count)
        {
            int first = without.Count;
            without.AddRange(await ComputeAsync(Math.Min(OccludedTogether, occlusion.Count - first), i => occlusion.Without(first + i), measuredAs: null, cancellationToken).ConfigureAwait(false));
        }

        return new Explanation(Labels[label], occlusion.Contributions(probabilities, without, label));
    }

    /// <summary>
    /// Runs what the first requests would otherwise run first: ONNX Runtime takes its memory, and whether documents may be batched is
    /// found out. Takes a few milliseconds to a few hundred. A classifier that is not warmed up answers the same.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public void WarmUp()
    {
        using IDisposable hold = Hold();
        Parallel.ForEach(encoders, encoder =>
        {
            if (encoder.TryBeginProof())
            {
                ClassificationWorkers.Prove(encoder);
            }
        });
        Predict([""], CancellationToken.None);
    }

    /// <summary>
    /// Measures how long a token takes in all directions together, on the caller's thread alone: documents of random tokens, one at a
    /// time and in full batches, the median of up to seven times.
    /// </summary>
    /// <param name="tokens">How long the documents are, at least 1.</param>
    /// <param name="atMost">After about how long to be content with what was measured so far; each is measured once in any case.</param>
    /// <param name="cancellationToken">Ends the measurement between two documents.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is disposed and no lease holds it.</exception>
    public ClassifierSpeed MeasureSpeed(int tokens, TimeSpan atMost, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1);
        using IDisposable hold = Hold();
        WarmUp();
        double alone = SpeedMeasurement.MicrosecondsPerToken(encoders, 1, tokens, atMost / 2, cancellationToken);
        double together = encoders.All(encoder => encoder.Batches == true)
            ? SpeedMeasurement.MicrosecondsPerToken(encoders, DirectionEncoder.MaxBatch, tokens, atMost / 2, cancellationToken)
            : alone;
        return new ClassifierSpeed(tokens, alone, together);
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

    private static (DirectionEncoder[] Encoders, ClassifierHead Head) Open(OnnxFile file, DirectionLayout[] layouts, double temperature, int threads)
    {
        // Opening reads and packs all weights, so the directions go side by side.
        var encoders = new DirectionEncoder?[layouts.Length];
        ClassifierHead? head = null;
        try
        {
            Parallel.For(0, layouts.Length + 1, i =>
            {
                if (i < layouts.Length)
                {
                    encoders[i] = DirectionEncoder.Open(file, layouts[i], threads);
                }
                else
                {
                    head = new ClassifierHead(file, layouts, temperature);
                }
            });
            return ([.. encoders.Select(encoder => encoder!)], head!);
        }
        catch (AggregateException e)
        {
            foreach (DirectionEncoder? encoder in encoders)
            {
                encoder?.Dispose();
            }

            head?.Dispose();
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            throw;
        }
    }

    private int[] Encode(string text, TokenTally? tally)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, vocabulary, ids);
        tally?.Add(CollectionsMarshal.AsSpan(ids));
        return [.. ids];
    }

    private void Check(IReadOnlyList<int[]> documents)
    {
        int vocabularySize = encoders[0].Layout.Config.Encoder.VocabularySize;
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
            foreach (DirectionEncoder encoder in encoders)
            {
                encoder.Dispose();
            }

            head.Dispose();
            if (ownsWorkers)
            {
                workers.Dispose();
            }
        }
    }

    private Task<float[][]> ComputeAsync(int count, Func<int, int[]> tokensOf, ModelAttributes? measuredAs, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<float[][]>(cancellationToken);
        }

        IDisposable hold = Hold();
        PredictionRequest? request = null;
        try
        {
            if (count == 0)
            {
                return Task.FromResult<float[][]>([]);
            }

            int[][] documents = new int[count][];
            for (int i = 0; i < count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                documents[i] = Shortened(tokensOf(i), options.MaxTokens);
            }

            request = new PredictionRequest(encoders, head, documents, measuredAs, this, hold);
            workers.Add(request, cancellationToken);
            return request.Task;
        }
        catch (OperationCanceledException)
        {
            return Task.FromCanceled<float[][]>(cancellationToken);
        }
        catch
        {
            request = null;
            throw;
        }
        finally
        {
            // A request that the workers have taken in lets go of it by itself.
            if (request is null)
            {
                hold.Dispose();
            }
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
