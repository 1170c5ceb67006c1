using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// An epoch of language-model training: the learning rate of a window is scaled by its length over the base length
/// (Merity et al. 2017, 5), so that the tokens of short windows do not weigh more.
/// </summary>
internal sealed class LanguageModelEpoch(ILanguageModelNetwork network, LanguageModelStream stream, int bptt, IReadOnlyList<Document> heldOut) : IEpochNetwork
{
    public int Steps => stream.Steps;

    public double RateScale(int step) => (double)stream.WindowLength(step) / bptt;

    public (StepResult Result, long Tokens) TrainStep(int step, OptimizerStep optimizer)
    {
        LanguageModelBatch window = stream[step];
        return (network.TrainStep(window, optimizer), (long)window.Time * window.Batch);
    }

    public HeldOutScore Evaluate()
    {
        const int MaximumLanes = 16;
        int[][] documents = [.. heldOut.Select(document => document.Tokens)];
        int tokens = documents.Sum(document => document.Length);
        var held = LanguageModelStream.Evaluation(documents, Math.Clamp(tokens / bptt, 1, MaximumLanes), bptt);
        network.ResetState(evaluation: true);
        var sum = default(LossSum);
        for (int step = 0; step < held.Steps; step++)
        {
            sum += network.Evaluate(held[step]);
        }

        return sum.Count == 0 ? default : new HeldOutScore(sum.Mean, Math.Exp(sum.Mean), null, null);
    }

    public StateDict Save() => network.Save();

    public void Dispose() => network.Dispose();
}
