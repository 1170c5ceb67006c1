using TorchSharp;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>Pooled states on libtorch, without dropout and without gradients.</summary>
internal sealed class FeatureNetwork : IFeatureNetwork
{
    private readonly object turn;
    private readonly Device device;
    private readonly ClassifierConfig config;
    private readonly Encoder encoder;
    private bool disposed;

    /// <summary>An encoder with weights from a state.</summary>
    /// <param name="turn">What the networks of an engine take turns by.</param>
    /// <param name="device">Where it lies.</param>
    /// <param name="config">Architecture, and how much of a document is pooled.</param>
    /// <param name="state">The encoder's weights.</param>
    public FeatureNetwork(object turn, Device device, ClassifierConfig config, StateDict state)
    {
        this.turn = turn;
        this.device = device;
        this.config = (config with { Head = HeadKind.Features, HeadHiddenSize = 0 }).Validated();
        using DisposeScope scope = torch.NewDisposeScope();
        encoder = new Encoder(config.Encoder, state, AwdLstmNames.ClassifierEncoder, embeddingGroup: 0, firstLayerGroup: 1, device);
    }

    /// <inheritdoc/>
    public void Pool(IReadOnlyList<int[]> documents, Span<float> features)
    {
        ArgumentNullException.ThrowIfNull(documents);
        int width = config.PooledSize;
        if (features.Length != (long)documents.Count * width)
        {
            throw new ArgumentException($"{documents.Count} documents, {width} features each, do not fill {features.Length}.", nameof(features));
        }

        for (int i = 0; i < documents.Count; i++)
        {
            if (documents[i].Length == 0)
            {
                throw new ArgumentException($"Document {i} has no tokens.", nameof(documents));
            }

            BatchCheck.Tokens(documents[i], config.Encoder.VocabularySize);
        }

        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            using DisposeScope scope = torch.NewDisposeScope();
            using IDisposable mode = torch.no_grad();
            encoder.Prepare(null, default, 1);
            for (int i = 0; i < documents.Count; i++)
            {
                // One by one: how libtorch's matrix products round depends on how many rows there are.
                Pool(documents[i]).CopyTo(features[(i * width)..]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (turn)
        {
            disposed = true;
            encoder.Dispose();
        }
    }

    private float[] Pool(int[] document)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        int from = Math.Max(0, document.Length - config.MaxLength), firstPooled = from / config.ChunkLength * config.ChunkLength;
        var outputs = new List<Tensor>();
        LstmState[] state = encoder.ZeroState(1);
        for (int start = 0; start < document.Length; start += config.ChunkLength)
        {
            // What a chunk computes on its way goes with it.
            using DisposeScope chunk = torch.NewDisposeScope();
            int time = Math.Min(config.ChunkLength, document.Length - start);
            long[] tokens = [.. document.AsSpan(start, time).ToArray().Select(token => (long)token)];
            (Tensor output, LstmState[] after) = encoder.Forward(tokens, time, 1, state);
            state = [.. after.Select(layer => new LstmState(layer.Hidden.MoveToOuterDisposeScope(), layer.Cell.MoveToOuterDisposeScope()))];
            if (start >= firstPooled)
            {
                outputs.Add(output.MoveToOuterDisposeScope());
            }
        }

        return HostData.Copy(ConcatPooling.Pool(torch.cat(outputs, 0), firstPooled, [(from, document.Length)], device));
    }
}
