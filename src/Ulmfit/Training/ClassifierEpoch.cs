using Ulmfit.Engine;
using Ulmfit.Metrics;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>An epoch of classifier training.</summary>
internal sealed class ClassifierEpoch(IClassifierNetwork network, ClassifierBatches batches, IReadOnlyList<Document> heldOut, IReadOnlyList<string> labels) : IEpochNetwork
{
    public int Steps => batches.Steps;

    public double RateScale(int step) => 1;

    public (StepResult Result, long Tokens) TrainStep(int step, OptimizerStep optimizer)
    {
        ClassifierBatch batch = batches[step];
        return (network.TrainStep(batch, optimizer), batch.Documents.Sum(document => (long)document.Length));
    }

    public HeldOutScore Evaluate()
    {
        if (heldOut.Count == 0)
        {
            return default;
        }

        int classes = labels.Count;
        var probabilities = new float[heldOut.Count * classes];
        network.Predict([.. heldOut.Select(document => document.Tokens)], probabilities);
        double loss = 0;
        var predicted = new int[heldOut.Count];
        for (int row = 0; row < heldOut.Count; row++)
        {
            ReadOnlySpan<float> scores = probabilities.AsSpan(row * classes, classes);
            loss -= PortableLogarithm.Of(Math.Max(scores[heldOut[row].Label], float.Epsilon));
            predicted[row] = ArgMax(scores);
        }

        ClassificationMetrics metrics = ClassificationMetrics.FromPredictions(labels, heldOut.Select(document => document.Label).ToArray(), predicted);
        return new HeldOutScore(loss / heldOut.Count, null, metrics.Accuracy, metrics.MacroF1);
    }

    public StateDict Save() => network.Save();

    public void Dispose() => network.Dispose();

    private static int ArgMax(ReadOnlySpan<float> scores)
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }
}
