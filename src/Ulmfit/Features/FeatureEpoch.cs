using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Features;

/// <summary>
/// The one epoch of the method <c>features</c>: step by step the training documents are pooled, and the last step fits the
/// classifier to all of them. What has been pooled is part of the state, so that the epoch can be cut anywhere.
/// </summary>
internal sealed class FeatureEpoch : IEpochNetwork
{
    private const int DocumentsPerStep = 64;

    private readonly IFeatureNetwork network;
    private readonly StateDict encoder;
    private readonly IReadOnlyList<Document> train;
    private readonly IReadOnlyList<Document> heldOut;
    private readonly IReadOnlyList<string> labels;
    private readonly FeatureSettings settings;
    private readonly LogisticRegressionOptions options;
    private readonly FeatureMatrix features;

    // Documents of like length are pooled together, the longest first: if memory does not suffice, it does not at once.
    private readonly int[] order;
    private int pooled;
    private FeatureClassifier? classifier;

    /// <summary>The epoch, or what is left of it.</summary>
    /// <param name="network">The encoder, ready to pool; it is disposed of with the epoch.</param>
    /// <param name="state">The encoder's weights, and what has been pooled already.</param>
    /// <param name="step">The step at which it goes on.</param>
    /// <param name="train">Documents that the classifier is fitted to.</param>
    /// <param name="heldOut">Documents that it is measured on.</param>
    /// <param name="labels">The classes.</param>
    /// <param name="settings">Reduction.</param>
    /// <param name="options">Penalty and weights of the regression.</param>
    /// <param name="width">Features of a document.</param>
    /// <exception cref="InvalidDataException">The state does not hold what was pooled before the step.</exception>
    public FeatureEpoch(
        IFeatureNetwork network, StateDict state, int step, IReadOnlyList<Document> train, IReadOnlyList<Document> heldOut, IReadOnlyList<string> labels,
        FeatureSettings settings, LogisticRegressionOptions options, int width)
    {
        this.network = network;
        this.train = train;
        this.heldOut = heldOut;
        this.labels = labels;
        this.settings = settings;
        this.options = options;
        encoder = state.WeightsOnly();
        order = [.. Enumerable.Range(0, train.Count).OrderByDescending(row => train[row].Tokens.Length)];
        features = new FeatureMatrix(train.Count, width);
        pooled = Math.Min(step * DocumentsPerStep, train.Count);
        if (pooled > 0)
        {
            state.Require(TrainingStateNames.CarriedFeatures, pooled, width).Data.CopyTo(features.Data.AsSpan());
        }
    }

    public int Steps => StepsOf(train.Count);

    /// <summary>Steps of an epoch of so many documents.</summary>
    public static int StepsOf(int documents) => ((documents + DocumentsPerStep - 1) / DocumentsPerStep) + 1;

    public double RateScale(int step) => 1;

    public (StepResult Result, long Tokens) TrainStep(int step, OptimizerStep optimizer)
    {
        if (step == Steps - 1)
        {
            return (Fit(), 0);
        }

        int first = step * DocumentsPerStep, count = Math.Min(DocumentsPerStep, train.Count - first);
        int[][] documents = [.. order.AsSpan(first, count).ToArray().Select(row => train[row].Tokens)];
        network.Pool(documents, features.Data.AsSpan(first * features.Columns, count * features.Columns));
        pooled = first + count;

        // There is no classifier yet, so no prediction is counted.
        return (new StepResult(LossOfGuessing(), 0, 0, 0, 0), documents.Sum(document => (long)document.Length));
    }

    public HeldOutScore Evaluate()
    {
        if (heldOut.Count == 0 || classifier is null)
        {
            return default;
        }

        var probabilities = new float[heldOut.Count * labels.Count];
        var states = new FeatureMatrix(heldOut.Count, features.Columns);
        network.Pool([.. heldOut.Select(document => document.Tokens)], states.Data);
        classifier.Predict(states.Data, probabilities);
        return HeldOutScoring.Of(heldOut, probabilities, labels);
    }

    public StateDict Save()
    {
        StateDict state = encoder.Where(_ => true);
        if (classifier is not null)
        {
            classifier.Save(state);
        }
        else if (pooled > 0)
        {
            state[TrainingStateNames.CarriedFeatures] = new Tensor([pooled, features.Columns], features.Data[..(pooled * features.Columns)]);
        }

        return state;
    }

    public void Dispose() => network.Dispose();

    private StepResult Fit()
    {
        int[] classes = [.. order.Select(row => train[row].Label)];
        (classifier, FeatureMatrix reduced) = FeatureClassifier.Fit(features, classes, labels.Count, settings, options);
        var scores = new float[labels.Count];
        double loss = 0;
        int correct = 0;
        for (int row = 0; row < train.Count; row++)
        {
            classifier.Classify(reduced.Row(row), scores);
            loss -= PortableLogarithm.Of(Math.Max(scores[classes[row]], float.Epsilon));
            correct += HeldOutScoring.ArgMax(scores) == classes[row] ? 1 : 0;
        }

        return new StepResult(loss / train.Count, 0, 0, train.Count, correct);
    }

    /// <summary>The cross-entropy of who knows how frequent each class is, and nothing else.</summary>
    private double LossOfGuessing() => train.GroupBy(document => document.Label).Sum(group =>
    {
        double share = (double)group.Count() / train.Count;
        return -share * PortableLogarithm.Of(share);
    });
}
