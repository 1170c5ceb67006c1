namespace Ulmfit.Engine;

/// <summary>A window of the language-model stream.</summary>
/// <param name="Time">Length of the window.</param>
/// <param name="Batch">Number of lanes.</param>
/// <param name="Input">Token ids <c>[time, batch]</c>, time outermost.</param>
/// <param name="Target">The token that follows each, <c>[time, batch]</c>.</param>
/// <param name="ResetLanes">Lanes whose carried state is zeroed before the window, <c>[batch]</c>; empty for none.</param>
public readonly record struct LanguageModelBatch(int Time, int Batch, ReadOnlyMemory<int> Input, ReadOnlyMemory<int> Target, ReadOnlyMemory<bool> ResetLanes)
{
    /// <summary>Of an evaluation, which predictions count, <c>[time, batch]</c>; empty for all. Documents of unequal length fill their lanes up with what does not count. Not for training.</summary>
    public ReadOnlyMemory<bool> Counted { get; init; }
}

/// <summary>Documents with their classes.</summary>
/// <param name="Documents">Token ids, longest document first, each at least one token long.</param>
/// <param name="Labels">Class of each document.</param>
public readonly record struct ClassifierBatch(IReadOnlyList<int[]> Documents, ReadOnlyMemory<int> Labels);

/// <summary>What one training step gave.</summary>
/// <param name="Loss">Mean cross-entropy in nats (of a classifier with its class weights and label smoothing), without regularisers.</param>
/// <param name="Regularization">AR and TAR terms.</param>
/// <param name="GradientNorm">ℓ2 norm over all trained gradients before clipping.</param>
/// <param name="Count">Predictions made: tokens, or documents.</param>
/// <param name="Correct">Of a classifier, how many documents were right (with dropout on); else 0.</param>
public readonly record struct StepResult(double Loss, double Regularization, double GradientNorm, int Count, int Correct);

/// <summary>Summed cross-entropy in nats over a number of predictions; perplexity is exp(Sum / Count).</summary>
/// <param name="Sum">Sum of negative log likelihoods.</param>
/// <param name="Count">Number of predictions.</param>
public readonly record struct LossSum(double Sum, long Count)
{
    /// <summary>Mean negative log likelihood.</summary>
    public double Mean => Count == 0 ? double.NaN : Sum / Count;

    /// <summary>Adds two sums.</summary>
    public static LossSum operator +(LossSum a, LossSum b) => new(a.Sum + b.Sum, a.Count + b.Count);

    /// <summary>Adds two sums.</summary>
    public static LossSum Add(LossSum left, LossSum right) => left + right;
}
