using Ulmfit.Engine;
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

        var probabilities = new float[heldOut.Count * labels.Count];
        network.Predict([.. heldOut.Select(document => document.Tokens)], probabilities);
        return HeldOutScoring.Of(heldOut, probabilities, labels);
    }

    public StateDict Save() => network.Save();

    public void Dispose() => network.Dispose();
}
