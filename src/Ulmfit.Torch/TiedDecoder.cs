using TorchSharp;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>
/// The decoder that is tied to the embedding, with cross-entropy, in blocks of rows: each block is gone through forward
/// and backward before the next, so the logits of a window are never whole in memory.
/// </summary>
internal sealed class TiedDecoder : IDisposable
{
    private const int MinBlockRows = 64;

    private readonly Parameter weight;
    private readonly int blockRows;

    /// <summary>A decoder with the embedding as its weight <c>[vocabulary, embedding]</c> and a bias from a state.</summary>
    public TiedDecoder(StateDict state, AwdLstmConfig config, int group, Parameter weight, Device device, long logitBudget)
    {
        this.weight = weight;
        Bias = new Parameter(state, AwdLstmNames.DecoderBias, group, device, null, false, config.VocabularySize);
        blockRows = (int)Math.Clamp(logitBudget / config.VocabularySize, MinBlockRows, int.MaxValue);
    }

    /// <summary>The bias <c>[vocabulary]</c>.</summary>
    public Parameter Bias { get; }

    /// <summary>
    /// Summed cross-entropy in nats and, where gradients are recorded, the gradient of its mean: that of the output is
    /// returned, those of weight and bias are added to theirs.
    /// </summary>
    /// <param name="output">The encoder's output <c>[rows, embedding]</c>, cut off from what made it.</param>
    /// <param name="targets">Target of each row.</param>
    /// <param name="counted">Which rows are summed, null for all; it has no part in the gradients.</param>
    /// <param name="backward">Whether the gradients are wanted.</param>
    public (double Loss, Tensor? Gradient) Run(Tensor output, Tensor targets, Tensor? counted, bool backward)
    {
        long rows = output.shape[0];
        var losses = new List<Tensor>();
        var gradients = new List<Tensor>();
        for (long start = 0; start < rows; start += blockRows)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            long count = Math.Min(blockRows, rows - start);
            Tensor block = output.narrow(0, start, count).detach().requires_grad_(backward);
            Tensor logits = torch.nn.functional.linear(block, weight.Value, Bias.Value);
            Tensor loss = torch.nn.functional.cross_entropy(logits, targets.narrow(0, start, count), reduction: torch.nn.Reduction.None);
            Tensor summed = counted is null ? loss.detach() : loss.detach().mul(counted.narrow(0, start, count));
            losses.Add(summed.sum(torch.float64).MoveToOuterDisposeScope());
            if (backward)
            {
                loss.sum().mul(1.0 / rows).backward();
                gradients.Add(block.grad!.MoveToOuterDisposeScope());
            }
        }

        return (torch.stack(losses).sum().cpu().item<double>(), backward ? torch.cat(gradients) : null);
    }

    /// <summary>Probabilities <c>[rows, vocabulary]</c> of the tokens that follow.</summary>
    /// <param name="output">The encoder's output <c>[rows, embedding]</c>.</param>
    public Tensor Predict(Tensor output) => torch.nn.functional.softmax(torch.nn.functional.linear(output, weight.Value, Bias.Value), 1);

    /// <inheritdoc/>
    public void Dispose() => Bias.Dispose();
}
