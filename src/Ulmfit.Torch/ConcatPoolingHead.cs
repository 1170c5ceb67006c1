using TorchSharp;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>
/// The head of <see cref="HeadKind.ConcatPooling"/>: BatchNorm, dropout, linear, ReLU, BatchNorm, dropout, linear (Howard
/// &amp; Ruder 2018, 3.3), from the pooled vectors <c>[documents, last max mean]</c> of a batch to logits <c>[documents, classes]</c>.
/// </summary>
internal sealed class ConcatPoolingHead : IClassifierHead
{
    private readonly ClassifierOptions options;
    private readonly Device device;
    private readonly Block first;
    private readonly Block second;

    /// <summary>A head with weights from a state.</summary>
    public ConcatPoolingHead(ClassifierOptions options, StateDict state, int group, Device device)
    {
        this.options = options;
        this.device = device;
        ClassifierConfig config = options.Config;
        first = new Block(state, 0, group, config.PooledSize, config.HeadHiddenSize, device);
        second = new Block(state, 1, group, config.HeadHiddenSize, config.Classes, device);
    }

    /// <inheritdoc/>
    public IEnumerable<Parameter> Parameters => [.. first.Parameters, .. second.Parameters];

    /// <inheritdoc/>
    public int PooledLength => options.Config.MaxLength;

    /// <inheritdoc/>
    public Tensor Pool(Tensor outputs, int start, IReadOnlyList<(int From, int To)> ranges) => ConcatPooling.Pool(outputs, start, ranges, device);

    /// <inheritdoc/>
    public Tensor Train(Tensor pooled, RandomKey key) => second.Train(first.Train(pooled, options.Dropouts.Output, key, device).relu(), options.Dropouts.Head, key, device);

    /// <inheritdoc/>
    public Tensor Predict(Tensor pooled) => second.Predict(first.Predict(pooled).relu());

    /// <inheritdoc/>
    public void Save(StateDict state)
    {
        first.Save(state);
        second.Save(state);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        first.Dispose();
        second.Dispose();
    }

    /// <summary>BatchNorm, dropout and a linear layer without bias.</summary>
    private sealed class Block : IDisposable
    {
        private readonly int index;
        private readonly int inputs;
        private readonly Parameter scale;
        private readonly Parameter shift;
        private readonly Parameter linear;
        private readonly Tensor runningMean;
        private readonly Tensor runningVariance;

        public Block(StateDict state, int index, int group, int inputs, int outputs, Device device)
        {
            this.index = index;
            this.inputs = inputs;
            scale = new Parameter(state, AwdLstmNames.BatchNormWeight(index), group, device, null, false, inputs);
            shift = new Parameter(state, AwdLstmNames.BatchNormBias(index), group, device, null, false, inputs);
            linear = new Parameter(state, AwdLstmNames.Linear(index), group, device, null, false, outputs, inputs);
            runningMean = HostData.Import(state.Require(AwdLstmNames.RunningMean(index), inputs), device);
            runningVariance = HostData.Import(state.Require(AwdLstmNames.RunningVariance(index), inputs), device);
        }

        public IEnumerable<Parameter> Parameters => [scale, shift, linear];

        public Tensor Train(Tensor input, float rate, RandomKey key, Device device)
        {
            // A single document has no variance: it is normalised as in prediction.
            Tensor x = Normalise(input, training: input.shape[0] > 1);
            if (rate > 0f)
            {
                x = x.mul(HostData.Mask(new Philox(key, RandomPurpose.HeadDropout, index), rate, device, input.shape[0], inputs));
            }

            return torch.nn.functional.linear(x, linear.Value);
        }

        public Tensor Predict(Tensor input) => torch.nn.functional.linear(Normalise(input, training: false), linear.Value);

        public void Save(StateDict state)
        {
            foreach (Parameter parameter in Parameters)
            {
                parameter.Save(state);
            }

            state[AwdLstmNames.RunningMean(index)] = HostData.Export(runningMean, inputs);
            state[AwdLstmNames.RunningVariance(index)] = HostData.Export(runningVariance, inputs);
        }

        public void Dispose()
        {
            foreach (Parameter parameter in Parameters)
            {
                parameter.Dispose();
            }

            runningMean.Dispose();
            runningVariance.Dispose();
        }

        private Tensor Normalise(Tensor input, bool training) => torch.nn.functional.batch_norm(
            input, runningMean, runningVariance, scale.Value, shift.Value, training, ClassifierConfig.BatchNormMomentum, ClassifierConfig.BatchNormEpsilon);
    }
}
