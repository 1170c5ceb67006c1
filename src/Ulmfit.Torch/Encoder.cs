using TorchSharp;
using TorchSharp.Modules;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>
/// The AWD-LSTM encoder: embedding with dropout of whole rows, then LSTM layers with weight drop and the same dropout
/// mask at every time between them (Merity et al. 2017; Gal &amp; Ghahramani 2016).
/// </summary>
internal sealed class Encoder : IDisposable
{
    private readonly AwdLstmConfig config;
    private readonly Device device;
    private readonly Embedding module;
    private readonly LstmLayer[] layers;
    private readonly Tensor?[] hiddenMasks;
    private Tensor? inputMask;
    private float rowRate;
    private Philox rows;

    /// <summary>An encoder with weights from a state.</summary>
    public Encoder(AwdLstmConfig config, StateDict state, string prefix, int embeddingGroup, int firstLayerGroup, Device device)
    {
        this.config = config;
        this.device = device;
        module = torch.nn.Embedding(config.VocabularySize, config.EmbeddingSize, device: device);

        // Taken once: each reading of the module's property is a new handle.
        Tensor weight = module.weight ?? throw new InvalidOperationException("libtorch's embedding has no weight.");
        Embedding = new Parameter(state, AwdLstmNames.Embedding(prefix), embeddingGroup, device, weight.DetachFromDisposeScope(), false, config.VocabularySize, config.EmbeddingSize);
        hiddenMasks = new Tensor?[config.Layers];
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => new LstmLayer(state, prefix, i, firstLayerGroup + i, config.InputSizeOf(i), config.OutputSizeOf(i), device))];
    }

    /// <summary>The embedding <c>[vocabulary, embedding]</c>.</summary>
    public Parameter Embedding { get; }

    /// <summary>All weights.</summary>
    public IEnumerable<Parameter> Parameters => [Embedding, .. layers.SelectMany(layer => layer.Parameters)];

    /// <summary>Bytes that the backward pass of one token keeps, about.</summary>
    public long BytesPerToken => sizeof(float) * layers.Sum(layer => (2L * layer.Inputs) + (12L * layer.Units));

    /// <summary>Before a pass: draws the masks, in the caller's scope.</summary>
    /// <param name="dropout">Rates, or null outside training.</param>
    /// <param name="key">Where the masks come from.</param>
    /// <param name="lanes">Lanes of the widest chunk.</param>
    public void Prepare(DropoutRates? dropout, RandomKey key, int lanes)
    {
        DropoutRates rates = dropout ?? DropoutRates.None;
        rowRate = rates.Embedding;
        rows = new Philox(key, RandomPurpose.EmbeddingDropout);
        inputMask = rates.Input > 0f ? HostData.Mask(new Philox(key, RandomPurpose.InputDropout), rates.Input, device, lanes, config.EmbeddingSize) : null;
        for (int i = 0; i < layers.Length; i++)
        {
            layers[i].Prepare(rates.Weight, key);
            hiddenMasks[i] = rates.Hidden > 0f && i + 1 < layers.Length
                ? HostData.Mask(new Philox(key, RandomPurpose.HiddenDropout, i), rates.Hidden, device, lanes, config.OutputSizeOf(i))
                : null;
        }
    }

    /// <summary>
    /// From tokens and initial states to the last layer's output <c>[time, lanes, output]</c> and the states after it,
    /// which are cut off from the gradient.
    /// </summary>
    /// <param name="tokens">Token ids <c>[time, lanes]</c>.</param>
    /// <param name="time">Length.</param>
    /// <param name="lanes">Lanes, the first of those that the masks were drawn for.</param>
    /// <param name="before">State of each layer.</param>
    public (Tensor Output, LstmState[] After) Forward(long[] tokens, int time, int lanes, LstmState[] before)
    {
        Tensor x = module.call(HostData.Indices(tokens, device, time, lanes));
        if (rowRate > 0f)
        {
            x = x.mul(RowFactors(tokens, time, lanes));
        }

        x = Drop(x, inputMask, lanes);
        var after = new LstmState[layers.Length];
        for (int i = 0; i < layers.Length; i++)
        {
            (x, LstmState state) = layers[i].Forward(x, before[i]);
            after[i] = new LstmState(state.Hidden.detach(), state.Cell.detach());
            x = Drop(x, hiddenMasks[i], lanes);
        }

        return (x, after);
    }

    /// <summary>States of zero.</summary>
    public LstmState[] ZeroState(int lanes) =>
        [.. layers.Select(layer => new LstmState(torch.zeros([1, lanes, layer.Units], torch.float32, device), torch.zeros([1, lanes, layer.Units], torch.float32, device)))];

    /// <summary>After the last backward pass of a step, before the optimiser.</summary>
    /// <param name="trained">Which layers are trained.</param>
    public void FinishGradients(Func<int, bool> trained)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            if (trained(i))
            {
                layers[i].FinishGradient();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Embedding.Dispose();
        module.Dispose();
        foreach (LstmLayer layer in layers)
        {
            layer.Dispose();
        }
    }

    private static Tensor Drop(Tensor x, Tensor? mask, int lanes) => mask is null ? x : x.mul(mask.narrow(0, 0, lanes));

    private Tensor RowFactors(long[] tokens, int time, int lanes)
    {
        uint threshold = Philox.DropThreshold(rowRate);
        float keep = 1f / (1f - rowRate);
        float[] factors = [.. tokens.Select(token => rows.Word(token) < threshold ? 0f : keep)];
        return HostData.Floats(factors, device, time, lanes, 1);
    }
}
