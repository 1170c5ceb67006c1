using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Torch;

namespace Ulmfit.Cli;

/// <summary>The training engines of this build.</summary>
internal static class Engines
{
    public static IReadOnlyList<string> Names { get; } = ["cpu", "torch"];

    public static ITrainingEngine Create(string name, int threads) => name switch
    {
        "cpu" => new CpuTrainingEngine(threads),
        "torch" => Torch(threads),
        _ => throw new UsageException($"The engine '{name}' is not part of this build; it has: {string.Join(", ", Names)}."),
    };

    private static TorchTrainingEngine Torch(int threads)
    {
        try
        {
            return new TorchTrainingEngine(threads);
        }
        catch (TorchUnavailableException exception)
        {
            throw new UsageException(exception.Message);
        }
    }
}
