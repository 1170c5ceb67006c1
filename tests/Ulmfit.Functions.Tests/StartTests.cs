using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>Starting the host with settings that cannot be.</summary>
public sealed class StartTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("--storage", "nowhere", "nowhere")]
    [InlineData("--Limits:DropBytes", "-1", "Limits:DropBytes")]
    [InlineData("--Limits:Labels", "3000000000", "Limits:Labels")]
    [InlineData("--Limits:Rowz", "5", "Limits:Rowz")]
    [InlineData("--Drift:PopulationStability", "0", "Drift:PopulationStability")]
    [InlineData("--Drift:KeepDays", "36501", "Drift:KeepDays")]
    [InlineData("--demo", "perhaps", "demo")]
    public async Task Start_SettingThatCannotBe_EndsWithOneLineThatNamesIt(string name, string value, string named)
    {
        (int exitCode, string output) = await HostProcess.RunAsync(folder.Path, name, value);

        Assert.Equal(2, exitCode);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }
}
