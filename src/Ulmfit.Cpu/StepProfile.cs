using System.Diagnostics;

namespace Ulmfit.Cpu;

/// <summary>A part of a training step, as far as its time is told apart.</summary>
public enum StepPart
{
    /// <summary>Weight drop, masks, and weights brought into the order of the kernels.</summary>
    Packing,

    /// <summary>Token vectors, and the dropout between layers.</summary>
    Embedding,

    /// <summary>Input times input weights, for all time steps at once.</summary>
    InputProducts,

    /// <summary>The recurrent products with the gates, forwards in time.</summary>
    Recurrence,

    /// <summary>Logits of the language model.</summary>
    Decoder,

    /// <summary>Softmax and cross-entropy over the vocabulary.</summary>
    Softmax,

    /// <summary>From the logits' gradient to that of the decoder's input.</summary>
    DecoderInputGradient,

    /// <summary>From the logits' gradient to that of the decoder's weight.</summary>
    DecoderWeightGradient,

    /// <summary>Activation regularization, pooling and the classifier's head.</summary>
    Output,

    /// <summary>The recurrent products with the gates, backwards in time.</summary>
    RecurrenceBackward,

    /// <summary>Gradients of input and recurrent weights.</summary>
    WeightGradients,

    /// <summary>Gradients of the layers' inputs.</summary>
    InputGradients,

    /// <summary>Gradient of the embedding's rows.</summary>
    EmbeddingGradient,

    /// <summary>Norm, clipping and Adam.</summary>
    Optimizer,
}

/// <summary>What a part of all steps since the last reset took.</summary>
/// <param name="Part">The part.</param>
/// <param name="Time">Time until the last thread was through with it.</param>
/// <param name="Operations">Floating-point operations of its matrix products as computed, padding included, a multiplication with an addition counting two.</param>
public readonly record struct PartTime(StepPart Part, TimeSpan Time, long Operations)
{
    /// <summary>10⁹ operations of matrix products a second.</summary>
    public double GflopPerSecond => Time > TimeSpan.Zero ? Operations / Time.TotalSeconds / 1e9 : 0;
}

/// <summary>
/// Where the time of training steps goes. Phases end at barriers, so one thread's clock serves: its cost is some thirty
/// readings a step.
/// </summary>
public sealed class StepProfile
{
    private static readonly int Count = Enum.GetValues<StepPart>().Length;
    private readonly long[] ticks = new long[Count];
    private readonly long[] operations = new long[Count];
    private long last;

    /// <summary>Forgets what was measured. Not while a step runs.</summary>
    public void Reset()
    {
        Array.Clear(ticks);
        Array.Clear(operations);
    }

    /// <summary>The parts that took any time, in the order of a step.</summary>
    public IReadOnlyList<PartTime> Parts() =>
        [.. Enum.GetValues<StepPart>().Where(part => ticks[(int)part] > 0).Select(part => new PartTime(part, Stopwatch.GetElapsedTime(0, ticks[(int)part]), operations[(int)part]))];

    /// <summary>The clock starts.</summary>
    internal void Start() => last = Stopwatch.GetTimestamp();

    /// <summary>The time since the last lap was that part's.</summary>
    internal void Lap(StepPart part, long work)
    {
        long now = Stopwatch.GetTimestamp();
        ticks[(int)part] += now - last;
        operations[(int)part] += work;
        last = now;
    }
}
