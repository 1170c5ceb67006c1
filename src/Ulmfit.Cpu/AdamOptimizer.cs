using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;

namespace Ulmfit.Cpu;

/// <summary>
/// Adam with decoupled weight decay and clipping of the global norm over all trained weights, in pieces of fixed length
/// whose sums of squares are added in their order, whatever thread computed them.
/// </summary>
internal sealed class AdamOptimizer
{
    private const int PieceLength = 16384;

    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly Parameter[] parameters;
    private readonly (int Parameter, int Start, int Length)[] pieces;
    private readonly double[] sums;
    private readonly AdamConstants[] constants;
    private int pieceCount;
    private OptimizerStep? step;

    /// <summary>An optimiser of these weights.</summary>
    public AdamOptimizer(ComputeTeam team, KernelSet kernels, IEnumerable<Parameter> parameters)
    {
        this.team = team;
        this.kernels = kernels;
        this.parameters = [.. parameters];
        constants = new AdamConstants[this.parameters.Length];
        pieces = new (int, int, int)[this.parameters.Sum(p => (p.Value.Length + PieceLength - 1) / PieceLength)];
        sums = new double[pieces.Length];
    }

    /// <summary>ℓ2 norm over all trained gradients of the last step, before clipping.</summary>
    public double Norm { get; private set; }

    /// <summary>Before the team runs: settles which weights the step moves.</summary>
    /// <exception cref="ArgumentException">The step has another number of groups, or a number below 1.</exception>
    public void Prepare(OptimizerStep settings, int groups)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Groups.Count != groups)
        {
            throw new ArgumentException($"The network has {groups} parameter groups, but the step has {settings.Groups.Count}.", nameof(settings));
        }

        if (settings.Number < 1)
        {
            throw new ArgumentException($"Steps are numbered from 1, but {settings.Number} was given.", nameof(settings));
        }

        step = settings;
        pieceCount = 0;
        for (int i = 0; i < parameters.Length; i++)
        {
            if (!settings.Groups[parameters[i].Group].Trained)
            {
                continue;
            }

            parameters[i].Prepare();
            for (int start = 0; start < parameters[i].Value.Length; start += PieceLength)
            {
                pieces[pieceCount++] = (i, start, Math.Min(PieceLength, parameters[i].Value.Length - start));
            }
        }
    }

    /// <summary>Moves the trained weights by their gradients. All threads call it; it ends with a barrier.</summary>
    public void Step(int thread)
    {
        while (team.Take(thread, pieceCount, out int i))
        {
            (int parameter, int start, int length) = pieces[i];
            sums[i] = kernels.SumOfSquares(parameters[parameter].Gradient.Slice(start, length));
        }

        team.Barrier(thread);
        if (thread == 0)
        {
            Settle();
        }

        team.Barrier(thread);
        while (team.Take(thread, pieceCount, out int i))
        {
            (int parameter, int start, int length) = pieces[i];
            Parameter p = parameters[parameter];
            kernels.Adam(p.Value.Slice(start, length), p.Gradient.Slice(start, length), p.First.Slice(start, length), p.Second.Slice(start, length), constants[parameter]);
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.Optimizer);
    }

    private void Settle()
    {
        OptimizerStep s = step!;
        double square = 0;
        for (int i = 0; i < pieceCount; i++)
        {
            square += sums[i];
        }

        Norm = Math.Sqrt(square);
        float scale = s.ClipNorm > 0f && Norm > s.ClipNorm ? (float)(s.ClipNorm / Norm) : 1f;
        double correction1 = 1 - Transcendental.Power(s.Beta1, s.Number), correction2 = 1 - Transcendental.Power(s.Beta2, s.Number);
        for (int i = 0; i < parameters.Length; i++)
        {
            float rate = s.Groups[parameters[i].Group].LearningRate;
            constants[i] = new AdamConstants(
                scale, s.Beta1, s.Beta2, (float)(rate / correction1), (float)(1 / correction2), s.Epsilon, parameters[i].Decays ? rate * s.WeightDecay : 0f);
        }
    }
}
