namespace Ulmfit.Torch.Tests;

/// <summary>The device that the tests run on.</summary>
internal static class Devices
{
    /// <summary>What the environment variable ULMFIT_TEST_DEVICE names, as cuda:1; null for the engine's own choice.</summary>
    public static string? Chosen { get; } = Environment.GetEnvironmentVariable("ULMFIT_TEST_DEVICE");
}
