using TorchSharp;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>
/// A classifier on libtorch. Documents run through the encoder in chunks from a zero state (BPT3C); the state
/// goes from chunk to chunk, gradients do not. So every chunk's backward pass stands alone once the gradient of its outputs
/// is known, and a chunk whose activations would be too much to keep is run again from its initial state.
/// </summary>
internal sealed class ClassifierNetwork : IClassifierNetwork
{
    private readonly object turn;
    private readonly Device device;
    private readonly ClassifierOptions options;
    private readonly Encoder encoder;
    private readonly IClassifierHead head;
    private readonly AdamOptimizer optimizer;
    private readonly long activationBudget;
    private bool disposed;

    /// <summary>A classifier with weights from a state.</summary>
    /// <param name="turn">What the networks of an engine take turns by.</param>
    /// <param name="device">Where it lies.</param>
    /// <param name="options">Settings.</param>
    /// <param name="state">Weights and state of training.</param>
    /// <param name="activationBudget">Bytes of activations to keep for the backward pass; what exceeds them is computed again.</param>
    public ClassifierNetwork(object turn, Device device, ClassifierOptions options, StateDict state, long activationBudget)
    {
        this.turn = turn;
        this.device = device;
        this.options = options;
        this.activationBudget = activationBudget;
        ClassifierConfig config = options.Validated().Config;
        using DisposeScope scope = torch.NewDisposeScope();
        encoder = new Encoder(config.Encoder, state, AwdLstmNames.ClassifierEncoder, embeddingGroup: 0, firstLayerGroup: 1, device);
        head = config.Head == HeadKind.LastState ? new LastStateHead(options, state, Groups - 1, device) : new ConcatPoolingHead(options, state, Groups - 1, device);
        optimizer = new AdamOptimizer([.. encoder.Parameters, .. head.Parameters]);
    }

    private ClassifierConfig Config => options.Config;

    private int Groups => Config.Encoder.Layers + 2;

    /// <inheritdoc/>
    public StepResult TrainStep(in ClassifierBatch batch, OptimizerStep step)
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            Check(batch);
            BatchCheck.Step(step, Groups);
            using DisposeScope scope = torch.NewDisposeScope();
            bool trains = optimizer.Prepare(step);
            bool trainsEncoder = step.Groups.Take(Groups - 1).Any(group => group.Trained);
            encoder.Prepare(options.Dropouts, step.Key, batch.Documents.Count);
            Chunk[] chunks = Cut(batch.Documents);
            int firstPooled = Array.FindIndex(chunks, chunk => chunk.Pooled);
            Forward(chunks, trainsEncoder ? Kept(chunks) : 0, batch.Documents.Count);

            using IDisposable mode = torch.set_grad_enabled(trains);
            Tensor outputs = Join(chunks.AsSpan(firstPooled), batch.Documents.Count).requires_grad_(trainsEncoder);
            Tensor pooled = head.Pool(outputs, chunks[firstPooled].Start, [.. batch.Documents.Select(PooledRange)]);
            Tensor logits = head.Train(pooled, step.Key);
            Tensor loss = ClassificationLoss.Of(options, logits, batch.Labels.Span, device);
            double norm = 0;
            if (trains)
            {
                loss.backward();
                if (trainsEncoder)
                {
                    Backward(chunks, outputs.grad!, firstPooled);
                    encoder.FinishGradients(layer => step.Groups[layer + 1].Trained);
                }

                norm = optimizer.Step(step);
            }

            return new StepResult(loss.detach().cpu().item<double>(), 0, norm, batch.Documents.Count, Correct(logits, batch.Labels.Span));
        }
    }

    /// <inheritdoc/>
    public void Predict(IReadOnlyList<int[]> documents, Span<float> probabilities)
    {
        ArgumentNullException.ThrowIfNull(documents);
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (probabilities.Length != documents.Count * Config.Classes)
            {
                throw new ArgumentException($"{documents.Count} documents of {Config.Classes} classes do not fill {probabilities.Length} probabilities.", nameof(probabilities));
            }

            CheckDocuments(documents);
            using DisposeScope scope = torch.NewDisposeScope();
            using IDisposable mode = torch.no_grad();
            encoder.Prepare(null, default, 1);
            for (int i = 0; i < documents.Count; i++)
            {
                // One by one: how libtorch's matrix products round depends on how many rows there are.
                Predict(documents[i]).CopyTo(probabilities[(i * Config.Classes)..]);
            }
        }
    }

    /// <inheritdoc/>
    public StateDict Save()
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            using DisposeScope scope = torch.NewDisposeScope();
            var state = new StateDict();
            foreach (Parameter parameter in encoder.Parameters)
            {
                parameter.Save(state);
            }

            head.Save(state);
            return state;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (turn)
        {
            disposed = true;
            encoder.Dispose();
            head.Dispose();
        }
    }

    private float[] Predict(int[] document)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Chunk[] chunks = Cut([document]);
        Forward(chunks, kept: 0, documents: 1);
        int firstPooled = Array.FindIndex(chunks, chunk => chunk.Pooled);
        Tensor outputs = Join(chunks.AsSpan(firstPooled), 1);
        Tensor pooled = head.Pool(outputs, chunks[firstPooled].Start, [PooledRange(document)]);
        return HostData.Copy(torch.nn.functional.softmax(head.Predict(pooled), 1));
    }

    private (int From, int To) PooledRange(int[] document) => (Math.Max(0, document.Length - head.PooledLength), document.Length);

    /// <summary>Cuts documents, longest first, into chunks of the lanes that are still running.</summary>
    private Chunk[] Cut(IReadOnlyList<int[]> documents)
    {
        int length = documents[0].Length;
        var chunks = new Chunk[(length + Config.ChunkLength - 1) / Config.ChunkLength];
        for (int c = 0; c < chunks.Length; c++)
        {
            int start = c * Config.ChunkLength, time = Math.Min(Config.ChunkLength, length - start);
            int lanes = documents.TakeWhile(document => document.Length > start).Count();

            // After a document's end any token will do: no later output of its lane is pooled.
            var tokens = new long[time * lanes];
            bool pooled = false;
            for (int lane = 0; lane < lanes; lane++)
            {
                int[] document = documents[lane];
                pooled |= start + Config.ChunkLength > document.Length - head.PooledLength;
                for (int t = 0; t < Math.Min(time, document.Length - start); t++)
                {
                    tokens[(t * lanes) + lane] = document[start + t];
                }
            }

            chunks[c] = new Chunk(start, time, lanes, tokens, pooled);
        }

        return chunks;
    }

    /// <summary>How many of the last pooled chunks keep what the backward pass needs.</summary>
    private int Kept(Chunk[] chunks)
    {
        long left = activationBudget;
        int kept = 0;
        for (int c = chunks.Length - 1; c >= 0; c--)
        {
            left -= chunks[c].Tokens.Length * encoder.BytesPerToken;
            if (left < 0)
            {
                break;
            }

            kept++;
        }

        return kept;
    }

    /// <summary>Runs all chunks, the last <paramref name="kept"/> of them with a record for the backward pass.</summary>
    private void Forward(Chunk[] chunks, int kept, int documents)
    {
        LstmState[] state = encoder.ZeroState(documents);
        for (int c = 0; c < chunks.Length; c++)
        {
            Chunk chunk = chunks[c];
            using DisposeScope scope = torch.NewDisposeScope();
            bool records = chunk.Pooled && c >= chunks.Length - kept;
            using IDisposable mode = torch.set_grad_enabled(records);
            chunk.Before = [.. state.Select(layer => new LstmState(Narrowed(layer.Hidden, chunk.Lanes), Narrowed(layer.Cell, chunk.Lanes)))];
            (Tensor output, state) = encoder.Forward(chunk.Tokens, chunk.Time, chunk.Lanes, chunk.Before);
            state = [.. state.Select(layer => new LstmState(layer.Hidden.MoveToOuterDisposeScope(), layer.Cell.MoveToOuterDisposeScope()))];
            foreach (LstmState layer in chunk.Before)
            {
                layer.Hidden.MoveToOuterDisposeScope();
                layer.Cell.MoveToOuterDisposeScope();
            }

            chunk.Output = chunk.Pooled ? output.MoveToOuterDisposeScope() : null;
        }
    }

    /// <summary>Goes back through the pooled chunks, each on its own.</summary>
    private void Backward(Chunk[] chunks, Tensor gradient, int firstPooled)
    {
        for (int c = chunks.Length - 1; c >= firstPooled; c--)
        {
            Chunk chunk = chunks[c];
            if (!chunk.Pooled)
            {
                continue;
            }

            using DisposeScope scope = torch.NewDisposeScope();
            Tensor output = chunk.Output!;
            if (!output.requires_grad)
            {
                (output, _) = encoder.Forward(chunk.Tokens, chunk.Time, chunk.Lanes, chunk.Before);
            }

            Tensor part = gradient.narrow(0, chunk.Start - chunks[firstPooled].Start, chunk.Time).narrow(1, 0, chunk.Lanes).contiguous();
            torch.autograd.backward(output, part);
        }
    }

    /// <summary>The outputs of chunks in one tensor <c>[time, documents, output]</c>, zero where a lane has ended, cut off from what made them.</summary>
    private Tensor Join(ReadOnlySpan<Chunk> chunks, int documents)
    {
        using IDisposable mode = torch.no_grad();
        int start = chunks[0].Start, time = chunks[^1].Start + chunks[^1].Time - start;
        Tensor joined = torch.zeros([time, documents, Config.Encoder.OutputSize], torch.float32, device);
        foreach (Chunk chunk in chunks)
        {
            if (chunk.Output is not null)
            {
                joined.narrow(0, chunk.Start - start, chunk.Time).narrow(1, 0, chunk.Lanes).copy_(chunk.Output);
            }
        }

        return joined;
    }

    private int Correct(Tensor logits, ReadOnlySpan<int> labels)
    {
        ReadOnlySpan<float> values = HostData.Copy(logits);
        int correct = 0;
        for (int document = 0; document < labels.Length; document++)
        {
            ReadOnlySpan<float> row = values.Slice(document * Config.Classes, Config.Classes);
            int best = 0;
            for (int c = 1; c < row.Length; c++)
            {
                best = row[c] > row[best] ? c : best;
            }

            correct += best == labels[document] ? 1 : 0;
        }

        return correct;
    }

    private void Check(in ClassifierBatch batch)
    {
        CheckDocuments(batch.Documents);
        if (batch.Documents.Count == 0)
        {
            throw new ArgumentException("A batch has at least one document.", nameof(batch));
        }

        if (batch.Labels.Length != batch.Documents.Count)
        {
            throw new ArgumentException($"There are {batch.Documents.Count} documents, but {batch.Labels.Length} labels.", nameof(batch));
        }

        ReadOnlySpan<int> labels = batch.Labels.Span;
        for (int i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)Config.Classes)
            {
                throw new ArgumentException($"Document {i} has the label {labels[i]}, but there are {Config.Classes} classes.", nameof(batch));
            }

            if (i > 0 && batch.Documents[i].Length > batch.Documents[i - 1].Length)
            {
                throw new ArgumentException($"Documents are given longest first, but document {i} has {batch.Documents[i].Length} tokens and the one before it {batch.Documents[i - 1].Length}.", nameof(batch));
            }
        }
    }

    private void CheckDocuments(IReadOnlyList<int[]> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        for (int i = 0; i < documents.Count; i++)
        {
            if (documents[i].Length == 0)
            {
                throw new ArgumentException($"Document {i} has no tokens.", nameof(documents));
            }

            BatchCheck.Tokens(documents[i], Config.Encoder.VocabularySize);
        }
    }

    private static Tensor Narrowed(Tensor state, int lanes) => state.narrow(1, 0, lanes).contiguous();

    /// <summary>A chunk of all documents that reach into it.</summary>
    private sealed class Chunk(int start, int time, int lanes, long[] tokens, bool pooled)
    {
        /// <summary>Time of its first token.</summary>
        public int Start => start;

        /// <summary>Length.</summary>
        public int Time => time;

        /// <summary>Documents.</summary>
        public int Lanes => lanes;

        /// <summary>Token ids <c>[time, lanes]</c>.</summary>
        public long[] Tokens => tokens;

        /// <summary>Whether a token of it is pooled.</summary>
        public bool Pooled => pooled;

        /// <summary>The state that it starts from.</summary>
        public LstmState[] Before { get; set; } = [];

        /// <summary>Its outputs, if it is pooled.</summary>
        public Tensor? Output { get; set; }
    }
}
