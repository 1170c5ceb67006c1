using Ulmfit.Torch;

namespace Ulmfit.EngineContract;

/// <summary>The engine that these tests hold to the contract.</summary>
internal static class TestEngine
{
    /// <summary>
    /// What a sum of losses may differ by with the shape of the batches: how libtorch's products round depends on it, by some
    /// 10⁻⁶ of each of the 36 losses.
    /// </summary>
    public const double RoundingOfASum = 1e-3;

    /// <summary>What an output may differ by with the length of the document, for the same reason.</summary>
    public const float RoundingOfAnOutput = 1e-5f;

    private static readonly Lazy<string?> problem = new(FindProblem);

    /// <summary>What the environment variable ULMFIT_TEST_DEVICE names, as cuda:1; null for the engine's own choice.</summary>
    public static string? Device { get; } = Environment.GetEnvironmentVariable("ULMFIT_TEST_DEVICE");

    /// <summary>A new engine; where libtorch cannot be loaded, the test is skipped and says so.</summary>
    public static TorchTrainingEngine Create()
    {
        RequireLibrary();
        return new TorchTrainingEngine(2, Device);
    }

    /// <summary>Skips the test where libtorch cannot be loaded.</summary>
    public static void RequireLibrary() => Assert.SkipWhen(problem.Value is not null, problem.Value ?? "");

    private static string? FindProblem()
    {
        try
        {
            using var engine = new TorchTrainingEngine(2, "cpu");
            return null;
        }
        catch (TorchUnavailableException exception)
        {
            return exception.Message;
        }
    }
}
