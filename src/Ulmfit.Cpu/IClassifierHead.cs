using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>What turns the pooled vectors of a batch into classes; one implementation a <see cref="HeadKind"/>.</summary>
internal interface IClassifierHead : IDisposable
{
    /// <summary>All weights.</summary>
    IEnumerable<Parameter> Parameters { get; }

    /// <summary>Numbers that <see cref="Predict"/> gives of a document: as many as there are classes.</summary>
    int OutputWidth { get; }

    /// <summary>Mean loss of the last training batch.</summary>
    double Loss { get; }

    /// <summary>How many documents of it were right.</summary>
    int Correct { get; }

    /// <summary>Before the team runs: makes room for a batch.</summary>
    void Prepare(int documents, RandomKey randomKey);

    /// <summary>Class probabilities of pooled documents. All threads call it; it ends with a barrier.</summary>
    void Predict(int thread, AlignedBuffer pooled, int documents, float[] probabilities, int start);

    /// <summary>
    /// Forward and backward over a training batch: the loss, the gradients of the head and, in place of the pooled
    /// vectors, their gradient. All threads call it; it ends with a barrier.
    /// </summary>
    /// <param name="thread">The calling thread.</param>
    /// <param name="pooled">Pooled vectors; their gradients afterwards.</param>
    /// <param name="documents">How many.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="trained">Whether the head's gradients are wanted.</param>
    /// <param name="below">Whether the gradient of the pooled vectors is wanted.</param>
    void Train(int thread, AlignedBuffer pooled, int documents, int[] labels, bool trained, bool below);

    /// <summary>Adds weights and statistics to a state.</summary>
    void Save(StateDict state);
}
