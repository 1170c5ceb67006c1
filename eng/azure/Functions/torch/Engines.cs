using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Torch;

namespace Ulmfit.Functions;

/// <summary>The training engines of a build with libtorch.</summary>
internal static class Engines
{
    /// <summary>How the engine of the setting <c>Training:Engine</c> is made, from the number of threads: libtorch's unless the setting says otherwise.</summary>
    /// <exception cref="ArgumentException">The setting names no engine of this build.</exception>
    public static Func<int?, ITrainingEngine> Find(string? setting) => setting switch
    {
        null or "" or "torch" => threads => new TorchTrainingEngine(threads),
        "cpu" => threads => new CpuTrainingEngine(threads),
        _ => throw new ArgumentException($"The setting Training:Engine is '{setting}'; it must be torch or cpu."),
    };
}
