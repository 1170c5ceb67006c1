using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Benchmarks;

/// <summary>What one call of a benchmark works through, in the unit that its speed is told in.</summary>
/// <param name="Amount">How much.</param>
/// <param name="Unit">Of what: GFLOP, GB, tokens, MB, elements.</param>
public readonly record struct Work(double Amount, string Unit);

/// <summary>A benchmark class that can say how much work a method is, for parameters that are set.</summary>
public interface IMeasuresWork
{
    /// <summary>The work of one call of <paramref name="method"/>.</summary>
    Work WorkOf(string method);
}

/// <summary>Speed in the benchmark's own unit: GFLOP/s, GB/s, tokens/s.</summary>
public sealed class SpeedColumn : IColumn
{
    /// <inheritdoc/>
    public string Id => nameof(SpeedColumn);

    /// <inheritdoc/>
    public string ColumnName => "Speed";

    /// <inheritdoc/>
    public bool AlwaysShow => true;

    /// <inheritdoc/>
    public ColumnCategory Category => ColumnCategory.Custom;

    /// <inheritdoc/>
    public int PriorityInCategory => 0;

    /// <inheritdoc/>
    public bool IsNumeric => true;

    /// <inheritdoc/>
    public UnitType UnitType => UnitType.Dimensionless;

    /// <inheritdoc/>
    public string Legend => "Work of a call by its mean time";

    /// <inheritdoc/>
    public bool IsAvailable(Summary summary) => true;

    /// <inheritdoc/>
    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    /// <inheritdoc/>
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(benchmarkCase);
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics || Activator.CreateInstance(benchmarkCase.Descriptor.Type) is not IMeasuresWork suite)
        {
            return "?";
        }

        foreach (BenchmarkDotNet.Parameters.ParameterInstance parameter in benchmarkCase.Parameters.Items)
        {
            benchmarkCase.Descriptor.Type.GetProperty(parameter.Name)!.SetValue(suite, parameter.Value);
        }

        const double NanosecondsPerSecond = 1e9;
        Work work = suite.WorkOf(benchmarkCase.Descriptor.WorkloadMethod.Name);
        return string.Create(CultureInfo.InvariantCulture, $"{work.Amount / statistics.Mean * NanosecondsPerSecond:N1} {work.Unit}/s");
    }

    /// <inheritdoc/>
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);
}
