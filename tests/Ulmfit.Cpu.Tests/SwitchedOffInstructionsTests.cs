using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Tests;

/// <summary>The same bytes of weights in processes that lack some of this processor's instructions.</summary>
public sealed class SwitchedOffInstructionsTests
{
    private const string ExpectedDigest = "ULMFIT_TEST_EXPECTED_DIGEST", AbsentSets = "ULMFIT_TEST_ABSENT_SETS";

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "avx512")]
    [InlineData("DOTNET_EnableAVX2", "avx512 avx2")]
    [InlineData("DOTNET_EnableHWIntrinsic", "avx512 avx2 vector128")]
    public async Task Training_InAProcessWithoutSomeInstructions_GivesTheSameBytes(string variable, string absent)
    {
        // On another kind of processor the variables switch nothing off.
        absent = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? absent : "";
        string assembly = typeof(SwitchedOffInstructionsTests).Assembly.Location, host = Environment.ProcessPath!;
        var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            .. Path.GetFileNameWithoutExtension(host) == "dotnet" ? (string[])[assembly] : [],
            "-method", $"{typeof(SwitchedOffInstructionsTests).FullName}.{nameof(Training_OnTheBestInstructions_GivesTheBytesOfTheScalarOnes)}",
        ];
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[variable] = "0";
        start.Environment[ExpectedDigest] = Digest(KernelSet.Best, 2);
        start.Environment[AbsentSets] = absent;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await errors;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0 && output.Contains("Total: 1", StringComparison.Ordinal), output);
    }

    [Fact]
    public void Training_OnTheBestInstructions_GivesTheBytesOfTheScalarOnes()
    {
        string[] absent = (Environment.GetEnvironmentVariable(AbsentSets) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Empty(KernelSet.Supported().Select(k => k.Name).Intersect(absent));
        Assert.Equal(Environment.GetEnvironmentVariable(ExpectedDigest) ?? Digest(KernelSet.Scalar, 1), Digest(KernelSet.Best, 3));
    }

    private static string Digest(KernelSet kernels, int threads)
    {
        using var engine = new CpuTrainingEngine(threads, kernels);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (StateDict state in (StateDict[])[BitIdentityTests.TrainLanguageModel(engine).State, BitIdentityTests.TrainClassifier(engine).State, .. BitIdentityTests.TrainPlainLstms(engine).Select(trained => trained.State)])
        {
            foreach ((string name, Tensor tensor) in state)
            {
                hash.AppendData(Encoding.UTF8.GetBytes(name));
                hash.AppendData(MemoryMarshal.AsBytes<float>(tensor.Data));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
