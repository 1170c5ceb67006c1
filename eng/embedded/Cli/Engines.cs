using Ulmfit.Cpu;
using Ulmfit.Engine;

namespace Ulmfit.Cli;

/// <summary>The training engines of this build: libtorch is not part of it.</summary>
internal static class Engines
{
    public static IReadOnlyList<string> Names { get; } = ["cpu"];

    public static ITrainingEngine Create(string name, int threads) => name == "cpu" ? new CpuTrainingEngine(threads) : throw new UsageException($"The engine '{name}' is not part of this build; it has: {string.Join(", ", Names)}.");
}
