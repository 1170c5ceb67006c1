using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// A classifier on the CPU. Documents run through the encoder in chunks from a zero state (BPT3C); the state
/// goes from chunk to chunk, gradients do not. So every chunk's backward pass stands alone once the gradient of the pooled
/// vector is known, and a chunk whose activations were not kept is run again from its initial state, to the same bits.
/// </summary>
internal sealed class ClassifierNetwork : IClassifierNetwork, IFeatureNetwork, ICpuNetwork, ITeamWork
{
    /// <summary>Documents that are predicted side by side.</summary>
    private const int PredictedLanes = 64;

    /// <summary>Tokens that are predicted at a time at most: no gradient runs back, so a longer chunk only takes memory.</summary>
    private const int PredictedChunk = 72;

    private readonly ClassifierOptions options;
    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly MatrixProduct product;
    private readonly Encoder encoder;
    private readonly IClassifierHead head;
    private readonly AdamOptimizer optimizer;
    private readonly List<ChunkActivations> slots = [];
    private readonly List<GrowingBuffer> boundaries = [];
    private readonly GrowingBuffer pooled = new();
    private readonly GrowingBuffer argmax = new();
    private readonly GrowingBuffer outputGradient = new();
    private readonly bool[] trainedLayers;
    private readonly bool poolsAll;
    private readonly int pooledWidth;
    private readonly int pooledLength;
    private readonly int groups;
    private readonly long activationBudget;
    private readonly object sequence = new();
    private int[][] documents = [];
    private int[] order = [];
    private int[] lengths = [];
    private int[] labels = [];
    private bool[] pooledChunks = [];
    private float[] probabilities = [];
    private int documentCount;
    private int firstLane;
    private int lanes;
    private int chunkLength;
    private int chunkCount;
    private int slotCount;
    private bool trains;
    private bool trainsEmbedding;
    private bool trainsHead;
    private bool trainsAny;

    /// <summary>A classifier with weights from a state.</summary>
    /// <param name="team">Threads.</param>
    /// <param name="kernels">Arithmetic.</param>
    /// <param name="options">Settings.</param>
    /// <param name="state">Weights.</param>
    /// <param name="activationBudget">Bytes of activations to keep for the backward pass; what exceeds them is computed again.</param>
    public ClassifierNetwork(ComputeTeam team, KernelSet kernels, ClassifierOptions options, StateDict state, long activationBudget)
    {
        this.team = team;
        this.kernels = kernels;
        this.options = options;
        this.activationBudget = activationBudget;
        ClassifierConfig config = options.Validated().Config;
        groups = config.Encoder.Layers + 2;
        product = new MatrixProduct(team, kernels);
        encoder = new Encoder(team, kernels, product, config.Encoder, state, AwdLstmNames.ClassifierEncoder, embeddingGroup: 0, firstLayerGroup: 1);
        head = config.Head switch
        {
            HeadKind.LastState => new LastStateHead(team, kernels, product, options, state, groups - 1),
            HeadKind.Features => new PooledStates(team, config),
            _ => new ConcatPoolingHead(team, kernels, product, options, state, groups - 1),
        };
        poolsAll = config.Head != HeadKind.LastState;
        pooledWidth = (poolsAll ? 3 : 1) * encoder.OutputWidth;
        pooledLength = poolsAll ? config.MaxLength : 1;
        optimizer = new AdamOptimizer(team, kernels, [.. encoder.Parameters, .. head.Parameters]);
        trainedLayers = new bool[config.Encoder.Layers];
    }

    private ClassifierConfig Config => options.Config;

    /// <inheritdoc/>
    public StepResult TrainStep(in ClassifierBatch batch, OptimizerStep step)
    {
        lock (sequence)
        {
            Check(batch.Documents);
            if (batch.Labels.Length != batch.Documents.Count)
            {
                throw new ArgumentException($"There are {batch.Documents.Count} documents, but {batch.Labels.Length} labels.", nameof(batch));
            }

            TakeLabels(batch.Labels.Span);
            trains = true;
            Load(batch.Documents);
            for (int i = 1; i < documentCount; i++)
            {
                if (lengths[i] > lengths[i - 1])
                {
                    throw new ArgumentException($"Documents are given longest first, but document {i} has {lengths[i]} tokens and the one before it {lengths[i - 1]}.", nameof(batch));
                }
            }

            optimizer.Prepare(step, groups);
            trainsEmbedding = step.Groups[0].Trained;
            trainsHead = step.Groups[groups - 1].Trained;
            trainsAny = false;
            for (int i = 0; i < groups; i++)
            {
                trainsAny |= step.Groups[i].Trained;
            }

            for (int i = 0; i < trainedLayers.Length; i++)
            {
                trainedLayers[i] = step.Groups[i + 1].Trained;
            }

            Reserve(0, documentCount);
            int rows = RowsOfFirstChunk(0, documentCount);
            encoder.Prepare(options.Dropouts, step.Key, documentCount, rows, Lowest());
            head.Prepare(documentCount, step.Key);
            if (Lowest() < trainedLayers.Length)
            {
                outputGradient.Reserve((long)rows * encoder.OutputWidth);
            }

            team.Run(this);
            encoder.Packed();
            for (int i = 0; i < trainedLayers.Length; i++)
            {
                if (trainedLayers[i])
                {
                    encoder.Layers[i].Changed();
                }
            }

            return new StepResult(head.Loss, 0, trainsAny ? optimizer.Norm : 0, documentCount, head.Correct);
        }
    }

    /// <inheritdoc/>
    public void Predict(IReadOnlyList<int[]> documents, Span<float> probabilities)
    {
        ArgumentNullException.ThrowIfNull(documents);
        lock (sequence)
        {
            int width = head.OutputWidth;
            if (probabilities.Length != (long)documents.Count * width)
            {
                throw new ArgumentException($"{documents.Count} documents, {width} numbers each, do not fill {probabilities.Length}.", nameof(probabilities));
            }

            if (documents.Count == 0)
            {
                return;
            }

            Check(documents);
            trains = false;
            Load(documents);
            if (this.probabilities.Length < probabilities.Length)
            {
                this.probabilities = new float[probabilities.Length];
            }

            int most = Math.Min(documentCount, PredictedLanes), rows = 0;
            for (int first = 0; first < documentCount; first += PredictedLanes)
            {
                rows = Math.Max(rows, RowsOfFirstChunk(first, Math.Min(PredictedLanes, documentCount - first)));
            }

            Reserve(0, most);
            encoder.Prepare(null, default, most, rows, trainedLayers.Length);
            head.Prepare(most, default);
            team.Run(this);
            encoder.Packed();
            for (int i = 0; i < documentCount; i++)
            {
                this.probabilities.AsSpan(i * width, width).CopyTo(probabilities[(order[i] * width)..]);
            }
        }
    }

    /// <inheritdoc/>
    void IFeatureNetwork.Pool(IReadOnlyList<int[]> documents, Span<float> features) => Predict(documents, features);

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

            head.Save(state);
            return state;
        }
    }

    /// <inheritdoc/>
    StateDict ICpuNetwork.TakeWeights()
    {
        lock (sequence)
        {
            foreach (ChunkActivations slot in slots)
            {
                slot.Dispose();
            }

            var state = new StateDict();
            foreach (Parameter parameter in encoder.Parameters)
            {
                parameter.SaveWeight(state);
            }

            head.Save(state);
            Dispose();
            return state.WeightsOnly();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (sequence)
        {
            encoder.Dispose();
            head.Dispose();
            product.Dispose();
            foreach (ChunkActivations slot in slots)
            {
                slot.Dispose();
            }

            foreach (GrowingBuffer boundary in boundaries)
            {
                boundary.Dispose();
            }

            pooled.Dispose();
            argmax.Dispose();
            outputGradient.Dispose();
        }
    }

    /// <inheritdoc/>
    void ITeamWork.Execute(int thread)
    {
        encoder.Begin(thread);
        if (trains)
        {
            Train(thread);
            return;
        }

        for (int first = 0; first < documentCount; first += PredictedLanes)
        {
            if (thread == 0)
            {
                Reserve(first, Math.Min(PredictedLanes, documentCount - first));
            }

            team.Barrier(thread);
            ForwardAndPool(thread);
            head.Predict(thread, pooled.Value, lanes, probabilities, first * head.OutputWidth);
            team.Lap(thread, StepPart.Output);
        }
    }

    private void Train(int thread)
    {
        ForwardAndPool(thread);
        int lowest = Lowest();
        head.Train(thread, pooled.Value, documentCount, labels, trainsHead, lowest < trainedLayers.Length);
        team.Lap(thread, StepPart.Output);
        if (lowest < trainedLayers.Length)
        {
            Backward(thread, lowest);
        }

        if (trainsAny)
        {
            optimizer.Step(thread);
        }
    }

    private void ForwardAndPool(int thread)
    {
        while (team.Take(thread, lanes, out int lane))
        {
            Span<float> row = pooled.Slice(lane * pooledWidth, pooledWidth);
            row.Clear();
            if (poolsAll)
            {
                int width = encoder.OutputWidth;
                row.Slice(width, width).Fill(float.NegativeInfinity);
                argmax.Slice(lane * width, width).Fill(-1f);
            }
        }

        team.Barrier(thread);
        for (int c = 0; c < chunkCount; c++)
        {
            ChunkActivations chunk = slots[c % slotCount];
            if (thread == 0)
            {
                Enter(chunk, c, c == 0 ? null : slots[(c - 1) % slotCount], MustRunAgain(c));
            }

            team.Barrier(thread);
            encoder.Forward(thread, chunk);
            if (pooledChunks[c])
            {
                Pool(thread, chunk, c * chunkLength);
            }
        }
    }

    private void Backward(int thread, int lowest)
    {
        if (trainsEmbedding)
        {
            const int Piece = 1 << 16;
            AlignedBuffer gradient = encoder.Embedding.Gradient;
            while (team.Take(thread, (gradient.Length + Piece - 1) / Piece, out int piece))
            {
                gradient.Slice(piece * Piece, Math.Min(Piece, gradient.Length - (piece * Piece))).Clear();
            }

            team.Barrier(thread);
        }

        bool begin = true;
        for (int c = chunkCount - 1; c >= 0; c--)
        {
            if (!pooledChunks[c])
            {
                continue;
            }

            ChunkActivations chunk = slots[c % slotCount];
            if (MustRunAgain(c))
            {
                if (thread == 0)
                {
                    EnterAgain(chunk, c);
                }

                team.Barrier(thread);
                encoder.Forward(thread, chunk);
            }

            PoolBackward(thread, chunk, c * chunkLength);
            encoder.Backward(thread, chunk, outputGradient.Value, lowest, trainedLayers, trainsEmbedding, begin);
            begin = false;
        }

        encoder.FinishGradients(thread, trainedLayers);
    }

    private int Lowest()
    {
        if (trainsEmbedding)
        {
            return 0;
        }

        int lowest = Array.IndexOf(trainedLayers, true);
        return lowest < 0 ? trainedLayers.Length : lowest;
    }

    /// <summary>Whether a chunk is needed in the backward pass and its activations are gone by then.</summary>
    private bool MustRunAgain(int chunk) => trains && Lowest() < trainedLayers.Length && pooledChunks[chunk] && chunk < chunkCount - slotCount;

    private void Check(IReadOnlyList<int[]> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Count == 0)
        {
            throw new ArgumentException("A batch has at least one document.", nameof(batch));
        }

        for (int i = 0; i < batch.Count; i++)
        {
            if (batch[i].Length == 0)
            {
                throw new ArgumentException($"Document {i} has no tokens.", nameof(batch));
            }

            TokenCheck.Throw(batch[i], Config.Encoder.VocabularySize);
        }
    }

    private void TakeLabels(ReadOnlySpan<int> given)
    {
        for (int i = 0; i < given.Length; i++)
        {
            if ((uint)given[i] >= (uint)Config.Classes)
            {
                throw new ArgumentException($"Document {i} has the label {given[i]}, but there are {Config.Classes} classes.");
            }
        }

        if (labels.Length < given.Length)
        {
            labels = new int[given.Length];
        }

        given.CopyTo(labels);
    }

    /// <summary>Takes the documents, longest first, those of equal length in their order.</summary>
    private void Load(IReadOnlyList<int[]> batch)
    {
        documentCount = batch.Count;
        chunkLength = trains ? Config.ChunkLength : Math.Min(Config.ChunkLength, PredictedChunk);
        if (order.Length < documentCount)
        {
            order = new int[documentCount];
            lengths = new int[documentCount];
            documents = new int[documentCount][];
        }

        bool sorted = true;
        for (int i = 0; i < documentCount; i++)
        {
            order[i] = i;
            sorted &= trains || i == 0 || batch[i].Length <= batch[i - 1].Length;
        }

        if (!sorted)
        {
            SortByLength(batch);
        }

        for (int i = 0; i < documentCount; i++)
        {
            documents[i] = batch[order[i]];
            lengths[i] = documents[i].Length;
        }
    }

    /// <summary>Apart from <see cref="Load"/>, because its closure is an allocation that a training step does not make.</summary>
    private void SortByLength(IReadOnlyList<int[]> batch) =>
        order.AsSpan(0, documentCount).Sort((a, b) => batch[a].Length != batch[b].Length ? batch[b].Length.CompareTo(batch[a].Length) : a.CompareTo(b));

    private int RowsOfFirstChunk(int first, int count)
    {
        int rows = 0;
        for (int i = first; i < first + count; i++)
        {
            rows = checked(rows + Math.Min(lengths[i], chunkLength));
        }

        return rows;
    }

    /// <summary>Settles the chunks of a group of documents and makes room for them.</summary>
    private void Reserve(int first, int count)
    {
        firstLane = first;
        lanes = count;
        chunkCount = (lengths[first] + chunkLength - 1) / chunkLength;
        if (pooledChunks.Length < chunkCount)
        {
            pooledChunks = new bool[chunkCount];
        }

        int needed = 0;
        for (int c = 0; c < chunkCount; c++)
        {
            int start = c * chunkLength;
            pooledChunks[c] = false;
            for (int lane = 0; lane < lanes && lengths[first + lane] > start; lane++)
            {
                pooledChunks[c] |= start + chunkLength > lengths[first + lane] - pooledLength;
            }

            needed += pooledChunks[c] ? 1 : 0;
        }

        slotCount = 1;
        if (trains && Lowest() < trainedLayers.Length)
        {
            long slotBytes = (long)RowsOfFirstChunk(first, count) * BytesPerRow();
            slotCount = (int)Math.Clamp(activationBudget / Math.Max(slotBytes, 1), 1, Math.Max(needed, 1));
        }

        while (slots.Count < slotCount)
        {
            slots.Add(new ChunkActivations(trainedLayers.Length));
        }

        while (boundaries.Count < chunkCount)
        {
            boundaries.Add(new GrowingBuffer());
        }

        pooled.Reserve((long)lanes * pooledWidth);
        argmax.Reserve(poolsAll ? (long)lanes * encoder.OutputWidth : 0);
    }

    private long BytesPerRow()
    {
        long floats = 0;
        foreach (LstmLayer layer in encoder.Layers)
        {
            floats += layer.InputWidth + (6L * layer.Units);
        }

        return floats * sizeof(float);
    }

    private int StateLength(int laneCount)
    {
        int length = 0;
        foreach (LstmLayer layer in encoder.Layers)
        {
            length += 2 * laneCount * layer.Units;
        }

        return length;
    }

    /// <summary>Lays a chunk out and gives it the state in which the one before it ended.</summary>
    private void Enter(ChunkActivations chunk, int index, ChunkActivations? before, bool keepState)
    {
        // With one slot the chunk before it is the same memory, so its final state is set aside first.
        int laneCount = 0;
        while (laneCount < lanes && lengths[firstLane + laneCount] > index * chunkLength)
        {
            laneCount++;
        }

        GrowingBuffer boundary = boundaries[keepState ? index : 0];
        if (before is not null)
        {
            boundary.Reserve(StateLength(laneCount));
            SaveFinalState(before, laneCount, boundary.Value.Span);
        }

        LayOut(chunk, index);
        if (before is not null)
        {
            RestoreState(chunk, boundary.Value.Span);
        }
        else
        {
            ZeroState(chunk);
        }
    }

    private void EnterAgain(ChunkActivations chunk, int index)
    {
        LayOut(chunk, index);
        if (index == 0)
        {
            ZeroState(chunk);
        }
        else
        {
            RestoreState(chunk, boundaries[index].Value.Span);
        }
    }

    private void LayOut(ChunkActivations chunk, int index)
    {
        int start = index * chunkLength;
        SequenceShape shape = chunk.Shape;
        shape.SetChunk(lengths.AsSpan(firstLane, lanes), start, chunkLength);
        chunk.Reserve(encoder);
        for (int t = 0; t < shape.Time; t++)
        {
            for (int lane = 0; lane < shape.Counts[t]; lane++)
            {
                chunk.Tokens[shape.Offsets[t] + lane] = documents[firstLane + lane][start + t];
            }
        }
    }

    private static void SaveFinalState(ChunkActivations chunk, int laneCount, Span<float> target)
    {
        // Whoever goes on into the next chunk runs to the end of this one, so its last row is in the last time step.
        SequenceShape shape = chunk.Shape;
        int position = 0;
        foreach (LstmActivations layer in chunk.Layers)
        {
            int units = layer.Units;
            int start = (shape.Lanes + shape.Offsets[shape.Time - 1]) * units, length = laneCount * units;
            layer.Hidden.Slice(start, length).CopyTo(target[position..]);
            layer.Cell.Slice(start, length).CopyTo(target[(position + length)..]);
            position += 2 * length;
        }
    }

    private static void RestoreState(ChunkActivations chunk, ReadOnlySpan<float> source)
    {
        int position = 0;
        foreach (LstmActivations layer in chunk.Layers)
        {
            int length = chunk.Shape.Lanes * layer.Units;
            source.Slice(position, length).CopyTo(layer.Hidden.Slice(0, length));
            source.Slice(position + length, length).CopyTo(layer.Cell.Slice(0, length));
            position += 2 * length;
        }
    }

    private static void ZeroState(ChunkActivations chunk)
    {
        foreach (LstmActivations layer in chunk.Layers)
        {
            int length = chunk.Shape.Lanes * layer.Units;
            layer.Hidden.Slice(0, length).Clear();
            layer.Cell.Slice(0, length).Clear();
        }
    }

    private int PooledFrom(int lane) => Math.Max(0, lengths[firstLane + lane] - pooledLength);

    private void Pool(int thread, ChunkActivations chunk, int start)
    {
        SequenceShape shape = chunk.Shape;
        AlignedBuffer hidden = chunk.Layers[^1].Hidden.Value;
        int width = encoder.OutputWidth;
        while (team.Take(thread, shape.Lanes, out int lane))
        {
            int length = lengths[firstLane + lane], from = PooledFrom(lane), end = Math.Min(length - start, shape.Time);
            Span<float> row = pooled.Slice(lane * pooledWidth, pooledWidth);
            if (!poolsAll)
            {
                if (length - start <= shape.Time)
                {
                    hidden.Slice((shape.Lanes + shape.Offsets[length - start - 1] + lane) * width, width).CopyTo(row);
                }

                continue;
            }

            Span<float> max = row.Slice(width, width), sum = row[(2 * width)..];
            for (int t = Math.Max(0, from - start); t < end; t++)
            {
                ReadOnlySpan<float> h = hidden.Slice((shape.Lanes + shape.Offsets[t] + lane) * width, width);
                kernels.Pool(h, start + t, sum, max, argmax.Slice(lane * width, width));
                if (start + t == length - 1)
                {
                    h.CopyTo(row);
                    kernels.Scale(sum, 1f / (length - from), sum);
                }
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Output);
    }

    private void PoolBackward(int thread, ChunkActivations chunk, int start)
    {
        SequenceShape shape = chunk.Shape;
        int width = encoder.OutputWidth;
        while (team.Take(thread, shape.Time, out int t))
        {
            for (int lane = 0; lane < shape.Counts[t]; lane++)
            {
                Span<float> gradient = outputGradient.Slice((shape.Offsets[t] + lane) * width, width);
                int time = start + t, length = lengths[firstLane + lane], from = PooledFrom(lane);
                if (time < from)
                {
                    gradient.Clear();
                    continue;
                }

                ReadOnlySpan<float> row = pooled.Slice(lane * pooledWidth, pooledWidth);
                if (!poolsAll)
                {
                    row.CopyTo(gradient);
                    continue;
                }

                kernels.PoolBackward(row[(2 * width)..], 1f / (length - from), row.Slice(width, width), argmax.Slice(lane * width, width), time, gradient);
                if (time == length - 1)
                {
                    kernels.Sum(gradient, row[..width], gradient);
                }
            }
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Output);
    }
}
