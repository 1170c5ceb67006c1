using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>A network with the batches of one epoch: what training asks of a language model and of a classifier alike.</summary>
internal interface IEpochNetwork : IDisposable
{
    /// <summary>Batches of the epoch.</summary>
    int Steps { get; }

    /// <summary>What the learning rate of step <paramref name="step"/> is scaled by, beside the schedule.</summary>
    double RateScale(int step);

    /// <summary>One step on batch <paramref name="step"/>, and the real tokens that were in it.</summary>
    (StepResult Result, long Tokens) TrainStep(int step, OptimizerStep optimizer);

    /// <summary>Measures on held-out text.</summary>
    HeldOutScore Evaluate();

    /// <summary>Everything that the next step reads.</summary>
    StateDict Save();
}

/// <summary>What is measured on held-out text; null where it does not exist, all null where there is no such text.</summary>
/// <param name="Loss">Mean cross-entropy in nats.</param>
/// <param name="Perplexity">exp of the loss of a language model.</param>
/// <param name="Accuracy">Share of documents classified rightly.</param>
/// <param name="MacroF1">Mean F1 over the classes.</param>
internal readonly record struct HeldOutScore(double? Loss, double? Perplexity, double? Accuracy, double? MacroF1);
