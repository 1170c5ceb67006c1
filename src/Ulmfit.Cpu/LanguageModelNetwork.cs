using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>The AWD-LSTM language model on the CPU.</summary>
internal sealed class LanguageModelNetwork : ILanguageModelNetwork, ICpuNetwork, ITeamWork
{
    private const int RowsPerTask = 16;

    private readonly LanguageModelOptions options;
    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly MatrixProduct product;
    private readonly Encoder encoder;
    private readonly Parameter decoderBias;
    private readonly TiedDecoder decoder;
    private readonly AdamOptimizer optimizer;
    private readonly ChunkActivations chunk;
    private readonly GrowingBuffer outputMask = new();
    private readonly GrowingBuffer dropped = new();
    private readonly GrowingBuffer outputGradient = new();
    private readonly CarriedState training;
    private readonly CarriedState evaluation;
    private readonly bool[] trainedLayers;
    private readonly int groups;
    private readonly object sequence = new();
    private int[] targets = [];
    private double[] losses = [];
    private double[] activationSquares = [];
    private double[] temporalSquares = [];
    private float[] probabilities = [];
    private bool predicts;
    private bool trains;
    private bool trainsDecoder;
    private bool trainsAny;
    private RandomKey key;

    /// <summary>A language model with weights from a state.</summary>
    public LanguageModelNetwork(ComputeTeam team, KernelSet kernels, LanguageModelOptions options, StateDict state)
    {
        this.team = team;
        this.kernels = kernels;
        this.options = options;
        AwdLstmConfig config = options.Validated().Config;
        groups = config.Layers + 1;
        product = new MatrixProduct(team, kernels);
        encoder = new Encoder(team, kernels, product, config, state, AwdLstmNames.LanguageModelEncoder, embeddingGroup: config.Layers, firstLayerGroup: 0);
        decoderBias = new Parameter(state, AwdLstmNames.DecoderBias, config.Layers, ParameterLayout.Matrix(1, config.VocabularySize), config.VocabularySize);
        decoder = new TiedDecoder(team, kernels, product, encoder.Embedding, decoderBias, config.VocabularySize, encoder.Width);
        optimizer = new AdamOptimizer(team, kernels, [.. encoder.Parameters, decoderBias]);
        chunk = new ChunkActivations(config.Layers);
        trainedLayers = new bool[config.Layers];
        training = new CarriedState(config);
        evaluation = new CarriedState(config);
        training.Import(state, options.Batch);
    }

    private int VocabularySize => options.Config.VocabularySize;

    /// <inheritdoc/>
    public StepResult TrainStep(in LanguageModelBatch batch, OptimizerStep step)
    {
        lock (sequence)
        {
            Check(batch);
            if (batch.Batch != options.Batch || batch.Time > options.MaxTime)
            {
                throw new ArgumentException($"The network was made for {options.Batch} lanes and windows of at most {options.MaxTime}, but a batch of {batch.Batch} lanes and {batch.Time} tokens was given.", nameof(batch));
            }

            if (!batch.Counted.IsEmpty)
            {
                throw new ArgumentException("Every prediction of a training step counts.", nameof(batch));
            }

            optimizer.Prepare(step, groups);
            trains = true;
            trainsAny = false;
            for (int i = 0; i < groups; i++)
            {
                trainsAny |= step.Groups[i].Trained;
            }

            trainsDecoder = step.Groups[groups - 1].Trained;
            for (int i = 0; i < trainedLayers.Length; i++)
            {
                trainedLayers[i] = step.Groups[i].Trained;
            }

            key = step.Key;
            Load(batch, training, step.Key, options.Dropouts, Lowest());
            outputMask.Reserve((long)batch.Batch * encoder.Width);
            dropped.Reserve((long)chunk.Shape.Rows * encoder.Width);
            outputGradient.Reserve((long)chunk.Shape.Rows * encoder.Width);
            team.Run(this);
            encoder.Packed();
            decoder.Packed(trainsAny);
            for (int i = 0; i < trainedLayers.Length; i++)
            {
                if (trainedLayers[i])
                {
                    encoder.Layers[i].Changed();
                }
            }

            if (trainsDecoder)
            {
                decoder.Changed();
            }

            training.Keep(chunk);
            return new StepResult(Sum(losses) / chunk.Shape.Rows, Regularization(), trainsAny ? optimizer.Norm : 0, chunk.Shape.Rows, 0);
        }
    }

    /// <inheritdoc/>
    public void ResetState(bool evaluation)
    {
        lock (sequence)
        {
            (evaluation ? this.evaluation : training).Clear();
        }
    }

    /// <inheritdoc/>
    public LossSum Evaluate(in LanguageModelBatch batch)
    {
        lock (sequence)
        {
            Check(batch);
            trains = false;
            Load(batch, evaluation, default, null, trainedLayers.Length);
            team.Run(this);
            encoder.Packed();
            decoder.Packed(backward: false);
            evaluation.Keep(chunk);
            return SumOf(batch.Counted.Span);
        }
    }

    /// <inheritdoc/>
    public void PredictNext(ReadOnlySpan<int> tokens, Span<float> probabilities)
    {
        lock (sequence)
        {
            if (tokens.IsEmpty || probabilities.Length != (long)tokens.Length * VocabularySize)
            {
                throw new ArgumentException($"{tokens.Length} lanes of a vocabulary of {VocabularySize} do not go with {probabilities.Length} probabilities.", nameof(probabilities));
            }

            TokenCheck.Throw(tokens, VocabularySize);
            trains = false;
            Load(new LanguageModelBatch(1, tokens.Length, tokens.ToArray(), default, default), evaluation, default, null, trainedLayers.Length);
            if (this.probabilities.Length < probabilities.Length)
            {
                this.probabilities = new float[probabilities.Length];
            }

            predicts = true;
            try
            {
                team.Run(this);
            }
            finally
            {
                predicts = false;
            }

            encoder.Packed();
            decoder.Packed(backward: false);
            evaluation.Keep(chunk);
            this.probabilities.AsSpan(0, probabilities.Length).CopyTo(probabilities);
        }
    }

    /// <inheritdoc/>
    public StateDict Save()
    {
        lock (sequence)
        {
            var state = new StateDict();
            foreach (Parameter parameter in encoder.Parameters)
            {
                parameter.Save(state);
            }

            decoderBias.Save(state);
            training.Export(state);
            return state;
        }
    }

    /// <inheritdoc/>
    StateDict ICpuNetwork.TakeWeights()
    {
        lock (sequence)
        {
            chunk.Dispose();
            dropped.Dispose();
            outputGradient.Dispose();
            var state = new StateDict();
            foreach (Parameter parameter in encoder.Parameters)
            {
                parameter.SaveWeight(state);
            }

            decoderBias.SaveWeight(state);
            Dispose();
            return state;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (sequence)
        {
            encoder.Dispose();
            decoder.Dispose();
            chunk.Dispose();
            product.Dispose();
            outputMask.Dispose();
            dropped.Dispose();
            outputGradient.Dispose();
            training.Dispose();
            evaluation.Dispose();
        }
    }

    /// <inheritdoc/>
    void ITeamWork.Execute(int thread)
    {
        SequenceShape shape = chunk.Shape;
        AlignedBuffer hidden = chunk.Layers[^1].Hidden.Value;
        int hiddenStart = shape.Lanes * encoder.Width;
        encoder.Begin(thread);
        decoder.Begin(thread);
        encoder.Forward(thread, chunk);
        if (predicts)
        {
            decoder.Predict(thread, hidden, hiddenStart, shape.Rows, probabilities);
            return;
        }

        if (!trains)
        {
            decoder.Run(thread, hidden, hiddenStart, targets, shape.Rows, 0f, losses, null, trained: false);
            return;
        }

        DropOutput(thread, hidden);
        decoder.Run(thread, dropped.Value, 0, targets, shape.Rows, trainsAny ? 1f / shape.Rows : 0f, losses, outputGradient.Value, trainsDecoder);
        Regularize(thread, hidden);
        if (!trainsAny)
        {
            return;
        }

        encoder.Backward(thread, chunk, outputGradient.Value, Lowest(), trainedLayers, trainsDecoder, begin: true);
        encoder.FinishGradients(thread, trainedLayers);
        optimizer.Step(thread);
    }

    /// <summary>The lowest layer that the backward pass enters: all of them when the embedding below them is trained.</summary>
    private int Lowest()
    {
        if (trainsDecoder)
        {
            return 0;
        }

        int lowest = Array.IndexOf(trainedLayers, true);
        return lowest < 0 ? trainedLayers.Length : lowest;
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

        TokenCheck.Throw(batch.Input.Span, VocabularySize);
        TokenCheck.Throw(batch.Target.Span, VocabularySize);
    }

    private void Load(in LanguageModelBatch batch, CarriedState carried, RandomKey randomKey, DropoutRates? dropouts, int lowest)
    {
        int rows = batch.Time * batch.Batch;
        carried.Reserve(batch.Batch);
        ReadOnlySpan<bool> reset = batch.ResetLanes.Span;
        for (int lane = 0; lane < reset.Length; lane++)
        {
            if (reset[lane])
            {
                carried.ClearLane(lane);
            }
        }

        chunk.Shape.SetUniform(batch.Time, batch.Batch, startsAtZero: false);
        chunk.Reserve(encoder);
        batch.Input.Span.CopyTo(chunk.Tokens);
        if (targets.Length < rows)
        {
            targets = new int[rows];
            losses = new double[rows];
            activationSquares = new double[rows];
            temporalSquares = new double[rows];
        }

        batch.Target.Span.CopyTo(targets);
        encoder.Prepare(dropouts, randomKey, batch.Batch, rows, lowest);
        decoder.Prepare(rows, dropouts is not null && trainsAny);
        carried.Restore(chunk);
    }

    private LossSum SumOf(ReadOnlySpan<bool> counted)
    {
        if (counted.IsEmpty)
        {
            return new LossSum(Sum(losses), chunk.Shape.Rows);
        }

        double sum = 0;
        long count = 0;
        for (int row = 0; row < counted.Length; row++)
        {
            if (counted[row])
            {
                sum += losses[row];
                count++;
            }
        }

        return new LossSum(sum, count);
    }

    private double Sum(double[] values)
    {
        double sum = 0;
        for (int row = 0; row < chunk.Shape.Rows; row++)
        {
            sum += values[row];
        }

        return sum;
    }

    private double Regularization()
    {
        double elements = (double)chunk.Shape.Rows * options.Config.EmbeddingSize;
        double regularization = options.ActivationRegularization * Sum(activationSquares) / elements;
        if (chunk.Shape.Time > 1)
        {
            double pairs = (double)(chunk.Shape.Rows - chunk.Shape.Lanes) * options.Config.EmbeddingSize;
            regularization += options.TemporalActivationRegularization * Sum(temporalSquares) / pairs;
        }

        return regularization;
    }

    private void DropOutput(int thread, AlignedBuffer hidden)
    {
        SequenceShape shape = chunk.Shape;
        int width = encoder.Width;
        while (team.Take(thread, shape.Lanes, out int lane))
        {
            if (options.Dropouts.Output > 0f)
            {
                Encoder.FillMask(new Philox(key, RandomPurpose.OutputDropout), options.Dropouts.Output, lane, options.Config.EmbeddingSize, outputMask.Slice(lane * width, width));
            }
            else
            {
                outputMask.Slice(lane * width, width).Fill(1f);
            }
        }

        team.Barrier(thread);
        while (team.Take(thread, (shape.Rows + RowsPerTask - 1) / RowsPerTask, out int task))
        {
            for (int row = task * RowsPerTask; row < Math.Min(shape.Rows, (task + 1) * RowsPerTask); row++)
            {
                kernels.Multiply(hidden.Slice((shape.Lanes + row) * width, width), outputMask.Slice(shape.LaneOf[row] * width, width), dropped.Slice(row * width, width));
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Output);
    }

    /// <summary>AR and TAR (Merity et al. 2017, 4.2), and the gradient through the output's dropout.</summary>
    private void Regularize(int thread, AlignedBuffer hidden)
    {
        SequenceShape shape = chunk.Shape;
        int width = encoder.Width, lanes = shape.Lanes;
        float activation = (float)(2.0 * options.ActivationRegularization / ((double)shape.Rows * options.Config.EmbeddingSize));
        float temporal = shape.Time > 1 ? (float)(2.0 * options.TemporalActivationRegularization / ((double)(shape.Rows - lanes) * options.Config.EmbeddingSize)) : 0f;
        while (team.Take(thread, (shape.Rows + RowsPerTask - 1) / RowsPerTask, out int task))
        {
            for (int row = task * RowsPerTask; row < Math.Min(shape.Rows, (task + 1) * RowsPerTask); row++)
            {
                int state = lanes + row;
                bool first = row < lanes, last = row >= shape.Rows - lanes;
                ReadOnlySpan<float> h = hidden.Slice(state * width, width), output = dropped.Slice(row * width, width);
                activationSquares[row] = kernels.SumOfSquares(output);
                temporalSquares[row] = first ? 0 : kernels.SumOfSquaredDifferences(h, hidden.Slice((state - lanes) * width, width));
                if (!trainsAny)
                {
                    continue;
                }

                Span<float> gradient = outputGradient.Slice(row * width, width);
                kernels.AddScaled(output, activation, gradient);
                kernels.Multiply(gradient, outputMask.Slice(shape.LaneOf[row] * width, width), gradient);
                if (!first)
                {
                    kernels.AddDifference(h, hidden.Slice((state - lanes) * width, width), temporal, gradient);
                }

                if (!last)
                {
                    kernels.AddDifference(h, hidden.Slice((state + lanes) * width, width), temporal, gradient);
                }
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Output);
    }
}
