using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>A chunk with the activations of all layers.</summary>
internal sealed class ChunkActivations : IDisposable
{
    /// <summary>Activations of that many layers.</summary>
    public ChunkActivations(int layers)
    {
        Layers = new LstmActivations[layers];
        for (int i = 0; i < layers; i++)
        {
            Layers[i] = new LstmActivations();
        }
    }

    /// <summary>Which lanes run when.</summary>
    public SequenceShape Shape { get; } = new();

    /// <summary>Tokens of the rows.</summary>
    public int[] Tokens { get; private set; } = [];

    /// <summary>Activations of each layer.</summary>
    public LstmActivations[] Layers { get; }

    /// <summary>Makes room, the shape being set.</summary>
    public void Reserve(Encoder encoder)
    {
        if (Tokens.Length < Shape.Rows)
        {
            Tokens = new int[Shape.Rows];
        }

        for (int i = 0; i < Layers.Length; i++)
        {
            Layers[i].Reserve(encoder.Layers[i], Shape.Lanes, Shape.Rows);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LstmActivations layer in Layers)
        {
            layer.Dispose();
        }
    }
}

/// <summary>
/// The AWD-LSTM encoder: embedding with dropout of whole rows, then LSTM layers with weight drop and the same dropout
/// mask at every time between them (Merity et al. 2017; Gal &amp; Ghahramani 2016).
/// </summary>
internal sealed class Encoder : IDisposable
{
    private const int RowsPerTask = 16;

    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly AwdLstmConfig config;
    private readonly GrowingBuffer inputMask = new();
    private readonly GrowingBuffer[] hiddenMasks;
    private readonly LstmScratch scratch = new();
    private readonly int[] firstRowOf;
    private readonly int[] touched;
    private int[] rowLinks = [];
    private int touchedCount;
    private DropoutRates rates = DropoutRates.None;
    private RandomKey key;
    private bool drops;
    private Philox rowStream;
    private int maskedLanes;

    /// <summary>An encoder with weights from a state.</summary>
    public Encoder(ComputeTeam team, KernelSet kernels, MatrixProduct product, AwdLstmConfig config, StateDict state, string prefix, int embeddingGroup, int firstLayerGroup)
    {
        this.team = team;
        this.kernels = kernels;
        this.config = config;
        Embedding = new Parameter(state, AwdLstmNames.Embedding(prefix), embeddingGroup, ParameterLayout.Matrix(config.VocabularySize, config.EmbeddingSize), config.VocabularySize, config.EmbeddingSize);
        Layers = new LstmLayer[config.Layers];
        hiddenMasks = new GrowingBuffer[config.Layers];
        for (int i = 0; i < Layers.Length; i++)
        {
            Layers[i] = new LstmLayer(team, kernels, product, state, prefix, i, firstLayerGroup + i, config.InputSizeOf(i), config.OutputSizeOf(i));
            hiddenMasks[i] = new GrowingBuffer();
        }

        firstRowOf = new int[config.VocabularySize];
        Array.Fill(firstRowOf, -1);
        touched = new int[config.VocabularySize];
    }

    /// <summary>The embedding.</summary>
    public Parameter Embedding { get; }

    /// <summary>The LSTM layers.</summary>
    public LstmLayer[] Layers { get; }

    /// <summary>Padded width of the embedding.</summary>
    public int Width => KernelSet.Padded(config.EmbeddingSize);

    /// <summary>Padded width of the last layer's output.</summary>
    public int OutputWidth => Layers[^1].Units;

    /// <summary>All weights.</summary>
    public IEnumerable<Parameter> Parameters => [Embedding, .. Layers.SelectMany(layer => layer.Parameters)];

    /// <summary>
    /// Before the team runs: settles the dropout of this pass, null for none, and how far down the backward pass goes.
    /// </summary>
    /// <param name="dropout">Rates, or null outside training.</param>
    /// <param name="randomKey">Where the masks come from.</param>
    /// <param name="lanes">Lanes of the widest chunk.</param>
    /// <param name="rows">Rows of the longest chunk.</param>
    /// <param name="lowest">The lowest layer that the backward pass enters; the number of layers for none.</param>
    public void Prepare(DropoutRates? dropout, RandomKey randomKey, int lanes, int rows, int lowest)
    {
        drops = dropout is not null;
        rates = dropout ?? DropoutRates.None;
        key = randomKey;
        rowStream = new Philox(key, RandomPurpose.EmbeddingDropout);
        maskedLanes = drops ? lanes : 0;
        if (drops && rates.Input > 0f)
        {
            inputMask.Reserve((long)lanes * Width);
        }

        for (int i = 0; i < Layers.Length; i++)
        {
            Layers[i].Prepare(key, rates.Weight, i >= lowest && drops);
            scratch.Reserve(Layers[i], lanes, rows, i >= lowest && drops);
            if (HasMask(i))
            {
                hiddenMasks[i].Reserve((long)lanes * Layers[i].Units);
            }
        }

        if (lowest < Layers.Length && rowLinks.Length < rows)
        {
            rowLinks = new int[rows];
        }
    }

    /// <summary>After the team ran a pass.</summary>
    public void Packed()
    {
        foreach (LstmLayer layer in Layers)
        {
            layer.Packed();
        }
    }

    /// <summary>Draws the masks and packs the weights of this pass. All threads call it; it ends with a barrier.</summary>
    public void Begin(int thread)
    {
        foreach (LstmLayer layer in Layers)
        {
            layer.Pack(thread);
        }

        while (team.Take(thread, maskedLanes, out int lane))
        {
            if (rates.Input > 0f)
            {
                FillMask(new Philox(key, RandomPurpose.InputDropout), rates.Input, lane, config.EmbeddingSize, inputMask.Slice(lane * Width, Width));
            }

            for (int i = 0; i < Layers.Length; i++)
            {
                if (HasMask(i))
                {
                    int units = Layers[i].Units;
                    FillMask(new Philox(key, RandomPurpose.HiddenDropout, i), rates.Hidden, lane, config.OutputSizeOf(i), hiddenMasks[i].Slice(lane * units, units));
                }
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Packing);
    }

    /// <summary>Fills one lane of a variational mask: element lane · size + j of the stream, padding zero.</summary>
    public static void FillMask(Philox stream, float rate, int lane, int size, Span<float> mask)
    {
        DropoutMask.Fill(stream, rate, (long)lane * size, mask[..size]);
        mask[size..].Clear();
    }

    /// <summary>
    /// From the chunk's tokens and initial states to the states of all layers. All threads call it; it ends with a barrier.
    /// </summary>
    public void Forward(int thread, ChunkActivations chunk)
    {
        SequenceShape shape = chunk.Shape;
        Embed(thread, chunk);
        for (int i = 0; i < Layers.Length; i++)
        {
            Layers[i].Forward(thread, shape, chunk.Layers[i], scratch);
            if (i + 1 < Layers.Length)
            {
                PassOn(thread, shape, chunk.Layers[i].Hidden.Value, hiddenMasks[i], HasMask(i), Layers[i].Units, chunk.Layers[i + 1].Input.Value);
            }
        }
    }

    /// <summary>
    /// Back through a chunk. All threads call it; it ends with a barrier.
    /// </summary>
    /// <param name="thread">The calling thread.</param>
    /// <param name="chunk">The chunk as forward left it.</param>
    /// <param name="outputGradient">Gradient of the last layer's hidden states <c>[rows, output width]</c>.</param>
    /// <param name="lowest">The lowest layer to enter.</param>
    /// <param name="trained">Which layers are trained.</param>
    /// <param name="embedding">Whether the embedding is trained.</param>
    /// <param name="begin">Whether gradients of layers begin with this chunk (those of the embedding are always added).</param>
    public void Backward(int thread, ChunkActivations chunk, AlignedBuffer outputGradient, int lowest, bool[] trained, bool embedding, bool begin)
    {
        SequenceShape shape = chunk.Shape;
        AlignedBuffer gradient = outputGradient;
        for (int i = Layers.Length - 1; i >= lowest; i--)
        {
            LstmActivations activations = chunk.Layers[i];
            Layers[i].Backward(thread, shape, activations, scratch, gradient, HasMask(i) ? hiddenMasks[i].Value : null);
            if (trained[i])
            {
                Layers[i].WeightGradients(thread, shape, activations, scratch, begin);
            }

            if (i > lowest || embedding)
            {
                Layers[i].InputGradient(thread, shape, activations, scratch);
                gradient = activations.Input.Value;
            }
        }

        if (embedding)
        {
            ScatterEmbedding(thread, chunk);
        }
    }

    /// <summary>Ends the gradients after the last chunk. All threads call it; it ends with a barrier.</summary>
    public void FinishGradients(int thread, bool[] trained)
    {
        for (int i = 0; i < Layers.Length; i++)
        {
            if (trained[i])
            {
                Layers[i].FinishWeightGradients(thread);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Embedding.Dispose();
        foreach (LstmLayer layer in Layers)
        {
            layer.Dispose();
        }

        foreach (GrowingBuffer mask in hiddenMasks)
        {
            mask.Dispose();
        }

        inputMask.Dispose();
        scratch.Dispose();
    }

    private bool HasMask(int layer) => drops && rates.Hidden > 0f && layer + 1 < Layers.Length;

    private float RowFactor(int token)
    {
        if (!drops || rates.Embedding <= 0f)
        {
            return 1f;
        }

        return rowStream.Word(token) < Philox.DropThreshold(rates.Embedding) ? 0f : 1f / (1f - rates.Embedding);
    }

    private void Embed(int thread, ChunkActivations chunk)
    {
        SequenceShape shape = chunk.Shape;
        AlignedBuffer target = chunk.Layers[0].Input.Value;
        int tasks = (shape.Rows + RowsPerTask - 1) / RowsPerTask;
        bool masked = drops && rates.Input > 0f;
        while (team.Take(thread, tasks, out int task))
        {
            int end = Math.Min((task + 1) * RowsPerTask, shape.Rows);
            for (int row = task * RowsPerTask; row < end; row++)
            {
                int token = chunk.Tokens[row];
                float factor = RowFactor(token);
                ReadOnlySpan<float> source = Embedding.Value.Slice(token * Width, Width);
                Span<float> place = target.Slice(row * Width, Width);
                if (masked)
                {
                    kernels.MultiplyScaled(source, inputMask.Slice(shape.LaneOf[row] * Width, Width), factor, place);
                }
                else
                {
                    kernels.Scale(source, factor, place);
                }
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Embedding);
    }

    private void PassOn(int thread, SequenceShape shape, AlignedBuffer hidden, GrowingBuffer mask, bool masked, int units, AlignedBuffer target)
    {
        int tasks = (shape.Rows + RowsPerTask - 1) / RowsPerTask;
        while (team.Take(thread, tasks, out int task))
        {
            int end = Math.Min((task + 1) * RowsPerTask, shape.Rows);
            for (int row = task * RowsPerTask; row < end; row++)
            {
                ReadOnlySpan<float> source = hidden.Slice((shape.Lanes + row) * units, units);
                Span<float> place = target.Slice(row * units, units);
                if (masked)
                {
                    kernels.Multiply(source, mask.Slice(shape.LaneOf[row] * units, units), place);
                }
                else
                {
                    source.CopyTo(place);
                }
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Embedding);
    }

    /// <summary>
    /// Adds the gradient of the embedded input to the rows of the embedding: each row by one thread, its tokens in the
    /// order of the chunk's rows.
    /// </summary>
    private void ScatterEmbedding(int thread, ChunkActivations chunk)
    {
        SequenceShape shape = chunk.Shape;
        if (thread == 0)
        {
            LinkTokens(chunk);
        }

        team.Barrier(thread);
        const int TokensPerTask = 8;
        int tasks = (touchedCount + TokensPerTask - 1) / TokensPerTask;
        bool masked = rates.Input > 0f;
        AlignedBuffer source = chunk.Layers[0].Input.Value;
        while (team.Take(thread, tasks, out int task))
        {
            int end = Math.Min((task + 1) * TokensPerTask, touchedCount);
            for (int i = task * TokensPerTask; i < end; i++)
            {
                int token = touched[i];
                float factor = RowFactor(token);
                if (factor != 0f)
                {
                    Span<float> gradient = Embedding.Gradient.Slice(token * Width, Width);
                    for (int row = firstRowOf[token]; row >= 0; row = rowLinks[row])
                    {
                        ReadOnlySpan<float> x = source.Slice(row * Width, Width);
                        if (masked)
                        {
                            kernels.AddProduct(x, inputMask.Slice(shape.LaneOf[row] * Width, Width), factor, gradient);
                        }
                        else
                        {
                            kernels.AddScaled(x, factor, gradient);
                        }
                    }
                }

                firstRowOf[token] = -1;
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.EmbeddingGradient);
    }

    /// <summary>Lists the tokens of the chunk and links the rows of each in ascending order.</summary>
    private void LinkTokens(ChunkActivations chunk)
    {
        touchedCount = 0;
        for (int row = chunk.Shape.Rows - 1; row >= 0; row--)
        {
            int token = chunk.Tokens[row];
            if (firstRowOf[token] < 0)
            {
                touched[touchedCount++] = token;
            }

            rowLinks[row] = firstRowOf[token];
            firstRowOf[token] = row;
        }
    }
}
