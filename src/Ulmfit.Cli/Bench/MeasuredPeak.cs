using Ulmfit.Cpu;

namespace Ulmfit.Cli.Bench;

/// <summary>What the machine's arithmetic units can do at most, in 10⁹ operations a second.</summary>
/// <param name="Registers">With operands from registers alone.</param>
/// <param name="Cache">With operands from the first-level cache, as a product reads them.</param>
internal readonly record struct MeasuredPeak(double Registers, double Cache)
{
    /// <summary>Measures both.</summary>
    public static MeasuredPeak Of(int threads) => new(MachinePeak.Measure(threads), MachinePeak.Measure(threads, operands: PeakOperands.Cache));

    /// <summary>Measures again and keeps the higher of each.</summary>
    public MeasuredPeak OrNow(int threads)
    {
        MeasuredPeak now = Of(threads);
        return new MeasuredPeak(Math.Max(Registers, now.Registers), Math.Max(Cache, now.Cache));
    }
}
