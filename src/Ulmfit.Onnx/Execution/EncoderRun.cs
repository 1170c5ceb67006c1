using Microsoft.ML.OnnxRuntime;

namespace Ulmfit.Onnx.Execution;

/// <summary>A batch that is being computed. Whoever holds the workers' lock may change it.</summary>
internal sealed class EncoderRun : IDisposable
{
    /// <summary>Begins a run of sequences that are all wanted.</summary>
    public EncoderRun(Sequence[] batch, int steps)
    {
        Batch = batch;
        Steps = steps;
        Wanted = batch.Length;
    }

    /// <summary>The sequences.</summary>
    public Sequence[] Batch { get; }

    /// <summary>How many steps each goes on.</summary>
    public int Steps { get; }

    /// <summary>How many of the sequences somebody still waits for.</summary>
    public int Wanted { get; private set; }

    /// <summary>What ends the computation.</summary>
    public RunOptions Options { get; } = new();

    /// <summary>One of the sequences is not waited for any more; once none is, the computation ends.</summary>
    public void Unwant()
    {
        if (--Wanted == 0)
        {
            Options.Terminate = true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Options.Dispose();
}
