using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Cli.Bench;

/// <summary>The model whose step is measured, and the batch that the step is given.</summary>
/// <param name="Size">The size that what was not said is taken from.</param>
/// <param name="Config">Architecture.</param>
/// <param name="Batch">Lanes of the language model; documents of a classifier's batch.</param>
/// <param name="Bptt">Tokens of the language model's window.</param>
/// <param name="Length">Tokens of each document of a classifier's batch.</param>
internal sealed record BenchModel(ModelSize Size, AwdLstmConfig Config, int Batch, int Bptt, int Length)
{
    /// <summary>The sizes of <c>tests/Benchmarks/pytorch/awd_lstm_step.py</c>.</summary>
    public static BenchModel Of(ModelSize size)
    {
        const int Bptt = 70, Length = 360;
        (int vocabulary, int batch) = size == ModelSize.Base ? (30_000, 64) : (12_000, 32);
        return new BenchModel(size, (TrainingSettings.Default with { Size = size }).ConfigFor(vocabulary), batch, Bptt, Length);
    }

    /// <summary>The name that options and settings know the size by.</summary>
    public string SizeName => Size.ToString().ToLowerInvariant();

    /// <summary>Weights of the LSTM layers, biases counted.</summary>
    public long LayerWeights => Enumerable.Range(0, Config.Layers).Sum(layer => 4L * Config.OutputSizeOf(layer) * (Config.InputSizeOf(layer) + Config.OutputSizeOf(layer) + 2));

    /// <summary>Weights of the embedding.</summary>
    public long EmbeddingWeights => (long)Config.VocabularySize * Config.EmbeddingSize;
}
