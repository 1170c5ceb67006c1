using Ulmfit.Cpu;

namespace Ulmfit.EngineContract;

/// <summary>The engine that these tests hold to the contract.</summary>
internal static class TestEngine
{
    /// <summary>What a sum of losses may differ by with the shape of the batches: they are added in double precision, and no loss differs.</summary>
    public const double RoundingOfASum = 1e-9;

    /// <summary>What an output may differ by with the length of the document: nothing.</summary>
    public const float RoundingOfAnOutput = 0f;

    /// <summary>A new engine.</summary>
    public static CpuTrainingEngine Create() => new(2);
}
