using TorchSharp;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>The head of <see cref="HeadKind.LastState"/>: one linear layer with bias on the last states <c>[documents, output]</c> of a batch.</summary>
internal sealed class LastStateHead : IClassifierHead
{
    private readonly Device device;
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly bool single;

    /// <summary>A head with weights from a state.</summary>
    public LastStateHead(ClassifierOptions options, StateDict state, int group, Device device)
    {
        this.device = device;
        ClassifierConfig config = options.Config;
        single = config.Logits < config.Classes;
        weight = new Parameter(state, AwdLstmNames.OutputWeight, group, device, null, false, config.Logits, config.PooledSize);
        bias = new Parameter(state, AwdLstmNames.OutputBias, group, device, null, false, config.Logits);
    }

    /// <inheritdoc/>
    public IEnumerable<Parameter> Parameters => [weight, bias];

    /// <inheritdoc/>
    public int PooledLength => 1;

    /// <inheritdoc/>
    public Tensor Pool(Tensor outputs, int start, IReadOnlyList<(int From, int To)> ranges) => ConcatPooling.Last(outputs, start, ranges, device);

    /// <inheritdoc/>
    public Tensor Train(Tensor pooled, RandomKey key) => Predict(pooled);

    /// <inheritdoc/>
    public Tensor Predict(Tensor pooled)
    {
        Tensor logits = torch.nn.functional.linear(pooled, weight.Value, bias.Value);

        // A single logit stands beside a fixed 0 of the first class: the softmax of both is the sigmoid.
        return single ? torch.cat([torch.zeros([logits.shape[0], 1], torch.float32, device), logits], 1) : logits;
    }

    /// <inheritdoc/>
    public void Save(StateDict state)
    {
        weight.Save(state);
        bias.Save(state);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        weight.Dispose();
        bias.Dispose();
    }
}
