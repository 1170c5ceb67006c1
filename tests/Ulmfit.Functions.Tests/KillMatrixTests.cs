using KillMatrix.Driver;

namespace Ulmfit.Functions.Tests;

/// <summary>A sample of the kill matrix; all of it is run by <c>dotnet run --project tests/KillMatrix</c>.</summary>
public sealed class KillMatrixTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Sample_KillsWithinWritesAndAtInstants_ChangeNothing()
    {
        var matrix = new Matrix(new MatrixOptions { Seed = 20300101, Points = 9, Instants = 2, Parallel = 2 }, output.WriteLine);

        MatrixResult result = await matrix.RunAsync(TestContext.Current.CancellationToken);

        output.WriteLine(result.ToString());
        Assert.True(result.Findings.Count == 0, string.Join("\n", result.Findings.Select(finding => $"{finding.Kind}: {finding.Text}")));
        Assert.True(result.Kills >= 8, $"only {result.Kills} kills");
        Assert.True(result.KnownPoints > 400, $"only {result.KnownPoints} points are known");
    }
}
