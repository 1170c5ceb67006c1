using System.Diagnostics;
using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu;

/// <summary>Where the operands of fused multiply-adds come from while a machine's peak is measured.</summary>
public enum PeakOperands
{
    /// <summary>From registers alone: more than any product can reach.</summary>
    Registers,

    /// <summary>
    /// One factor in every three operands from the first-level cache, as in the innermost loop of a product. Processors
    /// that clock themselves by their load hold a lower clock here than with registers alone.
    /// </summary>
    Cache,
}

/// <summary>How fast the machine could be: what the speed of a training step is a share of.</summary>
public static class MachinePeak
{
    /// <summary>
    /// Fused multiply-adds and nothing else, by a number of threads at once, with the widest instructions the engine
    /// uses here. The best of many short rounds, since other processes only ever slow it down.
    /// </summary>
    /// <param name="threads">Threads that compute; null for one a processor.</param>
    /// <param name="duration">How long to measure; null for half a second.</param>
    /// <param name="operands">Where the operands come from.</param>
    /// <returns>10⁹ floating-point operations a second, a multiplication with an addition counting two.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of threads is not positive.</exception>
    public static double Measure(int? threads = null, TimeSpan? duration = null, PeakOperands operands = PeakOperands.Registers)
    {
        int count = threads ?? Environment.ProcessorCount;
        using var team = new ComputeTeam(count);
        var work = new Rounds(team, KernelSet.Best, operands);
        var total = Stopwatch.StartNew();
        double best = 0;
        do
        {
            team.Run(work);
            best = Math.Max(best, work.Operations * (double)count / work.Elapsed.TotalSeconds / 1e9);
        }
        while (total.Elapsed < (duration ?? TimeSpan.FromSeconds(0.5)));
        return best;
    }

    private sealed class Rounds(ComputeTeam team, KernelSet kernels, PeakOperands operands) : ITeamWork
    {
        private const long RoundsPerRun = 200_000;

        public long Operations { get; private set; }

        public TimeSpan Elapsed { get; private set; }

        public void Execute(int thread)
        {
            Span<float> lanes = stackalloc float[KernelSet.Lanes];
            for (int i = 0; i < lanes.Length; i++)
            {
                lanes[i] = ((i * 37 % 16) - 7.3f) / 16f;
            }

            team.Barrier(thread);
            long begin = Stopwatch.GetTimestamp();
            long operations = operands == PeakOperands.Registers ? kernels.Peak(RoundsPerRun, lanes) : kernels.PeakFromCache(RoundsPerRun, lanes);
            team.Barrier(thread);
            if (thread == 0)
            {
                Elapsed = Stopwatch.GetElapsedTime(begin);
                Operations = operations;
            }
        }
    }
}
