using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// In a head's place where pooled states are wanted for themselves (<see cref="HeadKind.Features"/>): of a document it gives
/// the pooled vector. What makes classes of it is fitted elsewhere, so nothing in it is trained.
/// </summary>
internal sealed class PooledStates(ComputeTeam team, ClassifierConfig config) : IClassifierHead
{
    private readonly int width = config.Encoder.OutputSize;
    private readonly int padded = KernelSet.Padded(config.Encoder.OutputSize);

    /// <inheritdoc/>
    public IEnumerable<Parameter> Parameters => [];

    /// <inheritdoc/>
    public int OutputWidth => config.PooledSize;

    /// <inheritdoc/>
    public double Loss => throw NotTrained();

    /// <inheritdoc/>
    public int Correct => throw NotTrained();

    /// <inheritdoc/>
    public void Prepare(int documents, RandomKey randomKey)
    {
    }

    /// <inheritdoc/>
    public void Predict(int thread, AlignedBuffer pooled, int documents, float[] probabilities, int start)
    {
        while (team.Take(thread, documents, out int document))
        {
            for (int part = 0; part < 3; part++)
            {
                pooled.Slice(((3 * document) + part) * padded, width).CopyTo(probabilities.AsSpan(start + (((3 * document) + part) * width), width));
            }
        }

        team.Barrier(thread);
    }

    /// <inheritdoc/>
    public void Train(int thread, AlignedBuffer pooled, int documents, int[] labels, bool trained, bool below) => throw NotTrained();

    /// <inheritdoc/>
    public void Save(StateDict state)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static InvalidOperationException NotTrained() => new("Pooled states are not trained.");
}
