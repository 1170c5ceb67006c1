using Ulmfit.Model;

namespace Ulmfit.Engine;

/// <summary>
/// What trains: it turns weights, a batch and the settings of one step into new weights. An engine knows nothing of
/// text, schedules or storage. For equal calls in equal order it gives equal bits.
/// </summary>
public interface ITrainingEngine
{
    /// <summary>The name by which settings choose it: <c>cpu</c> or <c>torch</c>.</summary>
    string Name { get; }

    /// <summary>
    /// A language model for training and evaluation. <paramref name="state"/> holds every weight under the names of
    /// <see cref="AwdLstmNames"/> and, when training goes on, the optimiser's moments and the carried state under those
    /// of <see cref="TrainingStateNames"/>; what is absent of the latter starts at zero. The state is copied.
    /// </summary>
    /// <exception cref="InvalidDataException">A weight is missing or has another shape.</exception>
    ILanguageModelNetwork CreateLanguageModel(LanguageModelOptions options, StateDict state);

    /// <summary>The same for a classifier.</summary>
    /// <exception cref="InvalidDataException">A weight is missing or has another shape.</exception>
    /// <exception cref="ArgumentException">The options are not acceptable, or of a head that is fitted and not trained (<see cref="HeadKind.Features"/>).</exception>
    IClassifierNetwork CreateClassifier(ClassifierOptions options, StateDict state);

    /// <summary>An encoder that gives pooled states; of the state only the encoder's weights are read, under the classifier names of <see cref="AwdLstmNames"/>.</summary>
    /// <param name="config">Its architecture, and how much of a document is pooled; the head is of no consequence.</param>
    /// <param name="state">Its weights. They are copied.</param>
    /// <exception cref="InvalidDataException">A weight is missing or has another shape.</exception>
    IFeatureNetwork CreateFeatures(ClassifierConfig config, StateDict state);
}

/// <summary>What a language model is made with.</summary>
/// <param name="Config">Architecture.</param>
/// <param name="Dropouts">Dropout rates in training.</param>
/// <param name="Batch">Lanes of a training batch.</param>
/// <param name="MaxTime">The longest window that a training batch may have.</param>
public sealed record LanguageModelOptions(AwdLstmConfig Config, DropoutRates Dropouts, int Batch, int MaxTime)
{
    /// <summary>α of activation regularisation: α · mean(h²) of the dropped-out last output (Merity et al. 2017, 4.2).</summary>
    public float ActivationRegularization { get; init; } = 2f;

    /// <summary>β of temporal activation regularisation: β · mean((h_t − h_{t−1})²) of the last output before dropout.</summary>
    public float TemporalActivationRegularization { get; init; } = 1f;

    /// <summary>These options, if they make sense.</summary>
    /// <exception cref="ArgumentException">A size or rate is not acceptable, or the last layer is not as wide as the embedding, to which the decoder is tied.</exception>
    public LanguageModelOptions Validated()
    {
        Config.Validated();
        Dropouts.Validated();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxTime);
        return Config.OutputSize == Config.EmbeddingSize
            ? this
            : throw new ArgumentException($"The last layer is {Config.OutputSize} wide and the embedding {Config.EmbeddingSize}, but a tied decoder needs both alike.");
    }
}

/// <summary>What a classifier is made with.</summary>
/// <param name="Config">Architecture.</param>
/// <param name="Dropouts">Dropout rates in training.</param>
public sealed record ClassifierOptions(ClassifierConfig Config, DropoutRates Dropouts)
{
    /// <summary>
    /// Weight of each class in the loss, or null for equal weights; the batch's loss is the weighted sum divided by the
    /// sum of the weights of its labels, as PyTorch's <c>CrossEntropyLoss(weight=…)</c>.
    /// </summary>
    public IReadOnlyList<float>? ClassWeights { get; init; }

    /// <summary>ε of label smoothing: the target is (1 − ε) on the label plus ε / classes on each class, as PyTorch's.</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>These options, if they make sense.</summary>
    /// <exception cref="ArgumentException">A size, rate or weight is not acceptable, or there is dropout in a head that has none.</exception>
    public ClassifierOptions Validated()
    {
        Config.Validated();
        Dropouts.Validated();
        if (Config.Head == HeadKind.LastState && (Dropouts.Output != 0f || Dropouts.Head != 0f))
        {
            throw new ArgumentException($"A head that takes the last state has no dropout, but the rates {Dropouts.Output} and {Dropouts.Head} were given.");
        }

        return ClassWeights is null || ClassWeights.Count == Config.Classes
            ? this
            : throw new ArgumentException($"There are {Config.Classes} classes, but {ClassWeights.Count} class weights.");
    }
}

/// <summary>A network that an engine trains.</summary>
public interface INetwork : IDisposable
{
    /// <summary>
    /// A copy of everything that the next step reads: weights, BatchNorm's running statistics, the moments of every
    /// weight that has been trained, and, of a language model, the carried state. Creating a network from it and going
    /// on gives the same bits as never having stopped.
    /// </summary>
    StateDict Save();
}

/// <summary>An AWD-LSTM language model with tied decoder.</summary>
public interface ILanguageModelNetwork : INetwork
{
    /// <summary>
    /// One step: forward from the carried state with dropout, cross-entropy plus AR and TAR, backward through the
    /// window, clipping, Adam. The state after the window is carried to the next call. AR and TAR are means over all
    /// elements of the window, TAR's over its pairs of neighbouring times; a window of one token has no TAR.
    /// </summary>
    /// <exception cref="ArgumentException">Batch or step do not go with the network; nothing has changed.</exception>
    StepResult TrainStep(in LanguageModelBatch batch, OptimizerStep step);

    /// <summary>Sets the carried state of training, or that of evaluation, to zero.</summary>
    void ResetState(bool evaluation);

    /// <summary>
    /// Forward without dropout from the state that the last evaluation carried on (its own, apart from that of
    /// training). Any batch width, the same from one reset to the next, and any length. Only the predictions that
    /// <see cref="LanguageModelBatch.Counted"/> names are summed.
    /// </summary>
    /// <exception cref="ArgumentException">The batch is malformed, or has another width than the carried state.</exception>
    LossSum Evaluate(in LanguageModelBatch batch);

    /// <summary>
    /// Reads one more token in each lane, without dropout and from the state that the last evaluation carried on, and gives
    /// the probability of every token to be the next. <see cref="Evaluate"/> of the same tokens sums −ln of these.
    /// </summary>
    /// <param name="tokens">A token for each lane, as many as the carried state has.</param>
    /// <param name="probabilities">Filled with <c>[lanes, vocabulary]</c>.</param>
    /// <exception cref="ArgumentException">A token is none, or there are not as many lanes or probabilities as belong together; nothing has changed.</exception>
    void PredictNext(ReadOnlySpan<int> tokens, Span<float> probabilities);
}

/// <summary>An LSTM encoder with a classification head.</summary>
public interface IClassifierNetwork : INetwork
{
    /// <summary>
    /// One step over a batch of documents: forward from a zero state with dropout, cross-entropy, backward through the
    /// chunks that were pooled, clipping, Adam; BatchNorm's running statistics move, whether the head is trained or not.
    /// </summary>
    /// <exception cref="ArgumentException">Batch or step do not go with the network, or the documents are not longest first; nothing has changed.</exception>
    StepResult TrainStep(in ClassifierBatch batch, OptimizerStep step);

    /// <summary>
    /// Probabilities without dropout and with BatchNorm's running statistics. A document's bits depend neither on the
    /// others in the batch nor on its place among them.
    /// </summary>
    /// <param name="documents">Token ids, each at least one token long, in any order.</param>
    /// <param name="probabilities">Filled with <c>[documents, classes]</c>.</param>
    void Predict(IReadOnlyList<int[]> documents, Span<float> probabilities);
}
