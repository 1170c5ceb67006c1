using TorchSharp;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>The AWD-LSTM language model on libtorch.</summary>
internal sealed class LanguageModelNetwork : ILanguageModelNetwork
{
    private readonly object turn;
    private readonly Device device;
    private readonly LanguageModelOptions options;
    private readonly Encoder encoder;
    private readonly TiedDecoder decoder;
    private readonly AdamOptimizer optimizer;
    private readonly CarriedState training;
    private readonly CarriedState evaluation;
    private bool disposed;

    /// <summary>A language model with weights from a state.</summary>
    /// <param name="turn">What the networks of an engine take turns by.</param>
    /// <param name="device">Where it lies.</param>
    /// <param name="options">Settings.</param>
    /// <param name="state">Weights and state of training.</param>
    /// <param name="logitBudget">Logits held at a time, in floats.</param>
    public LanguageModelNetwork(object turn, Device device, LanguageModelOptions options, StateDict state, long logitBudget)
    {
        this.turn = turn;
        this.device = device;
        this.options = options;
        AwdLstmConfig config = options.Validated().Config;
        using DisposeScope scope = torch.NewDisposeScope();
        encoder = new Encoder(config, state, AwdLstmNames.LanguageModelEncoder, embeddingGroup: config.Layers, firstLayerGroup: 0, device);
        decoder = new TiedDecoder(state, config, config.Layers, encoder.Embedding, device, logitBudget);
        optimizer = new AdamOptimizer([.. encoder.Parameters, decoder.Bias]);
        training = new CarriedState(config, device);
        evaluation = new CarriedState(config, device);
        training.Import(state, options.Batch);
    }

    private int Groups => options.Config.Layers + 1;

    /// <inheritdoc/>
    public StepResult TrainStep(in LanguageModelBatch batch, OptimizerStep step)
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            Check(batch);
            if (batch.Batch != options.Batch || batch.Time > options.MaxTime)
            {
                throw new ArgumentException($"The network was made for {options.Batch} lanes and windows of at most {options.MaxTime}, but a batch of {batch.Batch} lanes and {batch.Time} tokens was given.", nameof(batch));
            }

            if (!batch.Counted.IsEmpty)
            {
                throw new ArgumentException("Every prediction of a training step counts.", nameof(batch));
            }

            BatchCheck.Step(step, Groups);
            using DisposeScope scope = torch.NewDisposeScope();
            bool trains = optimizer.Prepare(step);
            using IDisposable mode = torch.set_grad_enabled(trains);
            (Tensor hidden, LstmState[] after) = Forward(batch, training, options.Dropouts, step.Key);
            Tensor dropped = options.Dropouts.Output > 0f
                ? hidden.mul(HostData.Mask(new Philox(step.Key, RandomPurpose.OutputDropout), options.Dropouts.Output, device, batch.Batch, options.Config.EmbeddingSize))
                : hidden;
            (double loss, Tensor? gradient) = Decode(batch, dropped, trains);
            Tensor regularization = Regularization(hidden, dropped, batch.Time);
            double norm = 0;
            if (trains)
            {
                // What the decoder's gradient is to the output, the product's is: one backward pass for it and the regularisers.
                dropped.mul(gradient!.view_as(dropped)).sum().add(regularization).backward();
                encoder.FinishGradients(layer => step.Groups[layer].Trained);
                norm = optimizer.Step(step);
            }

            training.Keep(after, batch.Batch);
            int count = batch.Time * batch.Batch;
            return new StepResult(loss / count, regularization.detach().cpu().item<float>(), norm, count, 0);
        }
    }

    /// <inheritdoc/>
    public void ResetState(bool evaluation)
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            (evaluation ? this.evaluation : training).Clear();
        }
    }

    /// <inheritdoc/>
    public LossSum Evaluate(in LanguageModelBatch batch)
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            Check(batch);
            evaluation.Check(batch.Batch);
            using DisposeScope scope = torch.NewDisposeScope();
            using IDisposable mode = torch.no_grad();
            (Tensor hidden, LstmState[] after) = Forward(batch, evaluation, null, default);
            (double loss, _) = Decode(batch, hidden, backward: false);
            evaluation.Keep(after, batch.Batch);
            return new LossSum(loss, batch.Counted.IsEmpty ? batch.Time * batch.Batch : batch.Counted.Span.Count(true));
        }
    }

    /// <inheritdoc/>
    public void PredictNext(ReadOnlySpan<int> tokens, Span<float> probabilities)
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            int lanes = tokens.Length;
            if (lanes == 0 || probabilities.Length != (long)lanes * options.Config.VocabularySize)
            {
                throw new ArgumentException($"{lanes} lanes of a vocabulary of {options.Config.VocabularySize} do not go with {probabilities.Length} probabilities.", nameof(probabilities));
            }

            BatchCheck.Tokens(tokens, options.Config.VocabularySize);
            evaluation.Check(lanes);
            using DisposeScope scope = torch.NewDisposeScope();
            using IDisposable mode = torch.no_grad();
            (Tensor hidden, LstmState[] after) = Forward(new LanguageModelBatch(1, lanes, tokens.ToArray(), default, default), evaluation, null, default);
            evaluation.Keep(after, lanes);
            HostData.Copy(decoder.Predict(hidden.reshape(lanes, options.Config.EmbeddingSize))).CopyTo(probabilities);
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

            decoder.Bias.Save(state);
            training.Export(state);
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
            decoder.Dispose();
            training.Dispose();
            evaluation.Dispose();
        }
    }

    private void Check(in LanguageModelBatch batch)
    {
        int rows = checked(batch.Time * batch.Batch);
        if (batch.Time <= 0 || batch.Batch <= 0 || batch.Input.Length != rows || batch.Target.Length != rows || (batch.ResetLanes.Length != 0 && batch.ResetLanes.Length != batch.Batch)
            || (batch.Counted.Length != 0 && batch.Counted.Length != rows))
        {
            throw new ArgumentException(
                $"A batch of {batch.Batch} lanes and {batch.Time} tokens cannot have {batch.Input.Length} inputs, {batch.Target.Length} targets, {batch.ResetLanes.Length} resets and {batch.Counted.Length} marks of what counts.", nameof(batch));
        }

        BatchCheck.Tokens(batch.Input.Span, options.Config.VocabularySize);
        BatchCheck.Tokens(batch.Target.Span, options.Config.VocabularySize);
    }

    private (Tensor Hidden, LstmState[] After) Forward(in LanguageModelBatch batch, CarriedState carried, DropoutRates? dropouts, RandomKey key)
    {
        encoder.Prepare(dropouts, key, batch.Batch);
        return encoder.Forward(Widened(batch.Input.Span), batch.Time, batch.Batch, carried.Begin(encoder, batch.Batch, batch.ResetLanes.Span));
    }

    private (double Loss, Tensor? Gradient) Decode(in LanguageModelBatch batch, Tensor output, bool backward)
    {
        int rows = batch.Time * batch.Batch;
        Tensor targets = HostData.Indices(Widened(batch.Target.Span), device, rows);
        Tensor? counted = batch.Counted.IsEmpty ? null : HostData.Flags(batch.Counted.ToArray(), device, rows);
        return decoder.Run(output.detach().reshape(rows, options.Config.EmbeddingSize), targets, counted, backward);
    }

    /// <summary>AR and TAR (Merity et al. 2017, 4.2).</summary>
    private Tensor Regularization(Tensor hidden, Tensor dropped, int time)
    {
        Tensor regularization = dropped.square().mean().mul(options.ActivationRegularization);
        if (time > 1)
        {
            Tensor steps = hidden.narrow(0, 1, time - 1).sub(hidden.narrow(0, 0, time - 1));
            regularization = regularization.add(steps.square().mean().mul(options.TemporalActivationRegularization));
        }

        return regularization;
    }

    private static long[] Widened(ReadOnlySpan<int> tokens)
    {
        var widened = new long[tokens.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            widened[i] = tokens[i];
        }

        return widened;
    }
}
