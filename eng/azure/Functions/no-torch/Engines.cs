using Ulmfit.Cpu;
using Ulmfit.Engine;

namespace Ulmfit.Functions;

/// <summary>The training engines of a build without libtorch.</summary>
internal static class Engines
{
    /// <summary>How the engine of the setting <c>Training:Engine</c> is made, from the number of threads: there is the CPU engine alone.</summary>
    /// <exception cref="ArgumentException">The setting names no engine of this build.</exception>
    public static Func<int?, ITrainingEngine> Find(string? setting) => setting switch
    {
        null or "" or "cpu" => threads => new CpuTrainingEngine(threads),
        "torch" => throw new ArgumentException("The setting Training:Engine is 'torch', but this app was built with TorchDevice=none; it must be cpu."),
        _ => throw new ArgumentException($"The setting Training:Engine is '{setting}'; it must be cpu."),
    };
}
