using Ulmfit.Features;
using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>
/// A trained classifier that training starts at. Its encoder is kept, known words with their rows and new ones with the mean
/// row; its head too, but for the output layer where the labels are others.
/// </summary>
/// <remarks>
/// A classifier has lost its language model's decoder: where settings ask for language-model fine-tuning all the same, the
/// decoder begins with the embedding, to which it is tied, and a bias of zero.
/// </remarks>
public sealed class EarlierModel
{
    private readonly Dictionary<Direction, OneDirection> halves;

    private EarlierModel(Vocabulary vocabulary, IReadOnlyList<string> labels, Dictionary<Direction, OneDirection> halves, string digest)
    {
        Vocabulary = vocabulary;
        Labels = labels;
        this.halves = halves;
        Digest = digest;
    }

    /// <summary>Its vocabulary.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>Its labels, in the order of its output.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>What identifies it in a model's lineage.</summary>
    public string Digest { get; }

    /// <summary>The model made of trained weights under the classifier names of <see cref="AwdLstmNames"/>.</summary>
    /// <param name="vocabulary">Its vocabulary.</param>
    /// <param name="labels">Its labels, in the order of its output.</param>
    /// <param name="forward">The classifier that reads from the first token on, if there is one.</param>
    /// <param name="backward">The classifier that reads from the last token back, if there is one.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, or its shape does not fit the others, the vocabulary or the labels.</exception>
    public static EarlierModel Of(Vocabulary vocabulary, IReadOnlyList<string> labels, StateDict? forward, StateDict? backward)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(labels);
        var halves = new Dictionary<Direction, OneDirection>();
        string digest = vocabulary.Digest + WeightsDigest.OfText(string.Join('\n', labels));
        foreach ((Direction direction, StateDict? weights) in ((Direction, StateDict?)[])[(Direction.Forward, forward), (Direction.Backward, backward)])
        {
            if (weights is not null)
            {
                halves[direction] = Read(vocabulary, labels, weights);
                digest += $"{direction} {WeightsDigest.Of(weights)}";
            }
        }

        return new EarlierModel(vocabulary, [.. labels], halves, WeightsDigest.OfText(digest));
    }

    /// <summary>Whether these are its labels, in whichever order: then its output layer is kept, if it has a trained one.</summary>
    public bool HasLabels(IReadOnlyList<string> labels) => Labels.ToHashSet(StringComparer.Ordinal).SetEquals(labels);

    /// <summary>Whether its classifier was fitted to features (method <c>features</c>): such a one is never kept, its encoder is.</summary>
    public bool IsOfFeatures => halves.Values.Any(half => half.Head.Contains(FeatureNames.Weight));

    /// <summary>The architecture of one direction's encoder.</summary>
    internal AwdLstmConfig EncoderOf(Direction direction) => Of(direction).Encoder.Config;

    /// <summary>Width of one direction's hidden layer in the head; null where it has none, being a classifier of features.</summary>
    internal int? HeadHiddenSizeOf(Direction direction) => Of(direction).Head.TryGet(AwdLstmNames.Linear(0), out Tensor? hidden) ? hidden.Shape[0] : null;

    /// <summary>One direction as a language model with another vocabulary.</summary>
    internal StateDict WeightsFor(Vocabulary vocabulary, Direction direction) => Of(direction).Encoder.WeightsFor(vocabulary, Direction.Forward);

    /// <summary>One direction's head for given labels.</summary>
    /// <param name="labels">The labels, in the order of the output.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="fresh">A new head of that size, for its output layer.</param>
    internal StateDict HeadFor(IReadOnlyList<string> labels, Direction direction, StateDict fresh)
    {
        if (HeadHiddenSizeOf(direction) is null)
        {
            return fresh;
        }

        string output = AwdLstmNames.Linear(1);
        StateDict head = Of(direction).Head.Where(name => name != output);
        head[output] = HasLabels(labels) ? Ordered(Of(direction).Head[output], labels) : fresh[output];
        return head;
    }

    private static OneDirection Read(Vocabulary vocabulary, IReadOnlyList<string> labels, StateDict weights)
    {
        if (weights.Contains(AwdLstmNames.OutputWeight))
        {
            throw new InvalidDataException("The model is a plain LSTM classifier (method \"lstm\"): it holds no language model's encoder to fine-tune.");
        }

        var encoder = new StateDict { [AwdLstmNames.DecoderBias] = Tensor.Zeros(vocabulary.Count) };
        var head = new StateDict();
        foreach ((string name, Tensor tensor) in weights.WeightsOnly())
        {
            if (name.StartsWith(AwdLstmNames.ClassifierEncoder, StringComparison.Ordinal))
            {
                encoder[AwdLstmNames.LanguageModelEncoder + name[AwdLstmNames.ClassifierEncoder.Length..]] = tensor;
            }
            else
            {
                head[name] = tensor;
            }
        }

        // As a language model it is checked like every other start.
        PretrainedModel model = PretrainedModel.Of(vocabulary, encoder, null);
        if (head.Contains(FeatureNames.Weight))
        {
            FeatureClassifier fitted = FeatureClassifier.Of(head);
            return fitted.Features == 3 * model.Config.EmbeddingSize && fitted.Classes == labels.Count
                ? new OneDirection(model, head)
                : throw new InvalidDataException($"The classifier of features has {fitted.Features} features and {fitted.Classes} classes, but the encoder gives {3 * model.Config.EmbeddingSize} and there are {labels.Count} labels.");
        }

        if (!head.TryGet(AwdLstmNames.Linear(0), out Tensor? hidden) || hidden.Shape.Count != 2)
        {
            throw new InvalidDataException($"The weights are not those of a classifier: '{AwdLstmNames.Linear(0)}' is missing.");
        }

        int[] inputs = [3 * model.Config.EmbeddingSize, hidden.Shape[0]], outputs = [hidden.Shape[0], labels.Count];
        for (int block = 0; block < inputs.Length; block++)
        {
            head.Require(AwdLstmNames.Linear(block), outputs[block], inputs[block]);
            foreach (string name in (string[])[AwdLstmNames.BatchNormWeight(block), AwdLstmNames.BatchNormBias(block), AwdLstmNames.RunningMean(block), AwdLstmNames.RunningVariance(block)])
            {
                head.Require(name, inputs[block]);
            }
        }

        return new OneDirection(model, head);
    }

    private Tensor Ordered(Tensor rows, IReadOnlyList<string> labels)
    {
        int width = rows.Shape[1];
        var ordered = new float[rows.Data.Length];
        for (int row = 0; row < labels.Count; row++)
        {
            int own = Labels.TakeWhile(label => label != labels[row]).Count();
            rows.Data.AsSpan(own * width, width).CopyTo(ordered.AsSpan(row * width));
        }

        return new Tensor(rows.Shape, ordered);
    }

    private OneDirection Of(Direction direction) => halves.TryGetValue(direction, out OneDirection? half)
        ? half
        : throw new InvalidDataException($"The earlier model does not read {direction.ToString().ToLowerInvariant()}: set \"directions\" to what it reads.");

    /// <summary>One direction: its encoder as a language model, in the place of the forward one whichever it is, and its head.</summary>
    private sealed record OneDirection(PretrainedModel Encoder, StateDict Head);
}
