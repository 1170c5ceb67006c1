using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// The training engine that needs nothing but a processor: managed SIMD kernels and a team of threads. The same calls
/// give the same bytes of weights on any number of threads and on every instruction set. The steps of all networks of a
/// process take turns, so that two trainings asked for at once do not fight over the cores.
/// </summary>
public sealed class CpuTrainingEngine : ITrainingEngine, IDisposable
{
    private readonly ComputeTeam team;
    private readonly KernelSet kernels;

    /// <summary>An engine with a number of threads.</summary>
    /// <param name="threads">Threads of a training step; null for one a processor.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public CpuTrainingEngine(int? threads = null)
        : this(threads ?? Environment.ProcessorCount, KernelSet.Best)
    {
    }

    /// <summary>An engine on a chosen instruction set.</summary>
    internal CpuTrainingEngine(int threads, KernelSet kernels)
    {
        team = new ComputeTeam(threads);
        this.kernels = kernels;
    }

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <summary>Threads of a training step.</summary>
    public int Threads => team.Threads;

    /// <summary>The instruction set in use: <c>avx512</c>, <c>avx2</c>, <c>vector128</c> (ARM64) or <c>scalar</c>.</summary>
    public string InstructionSet => kernels.Name;

    /// <summary>Where the time of the engine's steps goes, all its networks together.</summary>
    public StepProfile Profile => team.Profile;

    /// <summary>
    /// Bytes of activations that a classifier keeps of one step; chunks of long documents beyond them are computed again in
    /// the backward pass, to the same bits.
    /// </summary>
    internal long ActivationBudget { get; init; } = Math.Min(2L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <inheritdoc/>
    public ILanguageModelNetwork CreateLanguageModel(LanguageModelOptions options, StateDict state)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(state);
        return new LanguageModelNetwork(team, kernels, options, state);
    }

    /// <inheritdoc/>
    public IClassifierNetwork CreateClassifier(ClassifierOptions options, StateDict state)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(state);
        return options.Config.Head == HeadKind.Features
            ? throw new ArgumentException("A classifier of features is fitted and not trained.", nameof(options))
            : new ClassifierNetwork(team, kernels, options, state, ActivationBudget);
    }

    /// <inheritdoc/>
    public IFeatureNetwork CreateFeatures(ClassifierConfig config, StateDict state)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(state);
        ClassifierConfig pooling = config with { Head = HeadKind.Features, HeadHiddenSize = 0 };
        return new ClassifierNetwork(team, kernels, new ClassifierOptions(pooling, DropoutRates.None), state.WeightsOnly(), ActivationBudget);
    }

    /// <summary>
    /// The weights and running statistics of a network that is no longer needed. It is disposed of, and what a step works
    /// with before the weights are copied, so that this takes no more memory than a step.
    /// </summary>
    /// <exception cref="ArgumentException">The network is not one of this kind of engine's.</exception>
    public static StateDict TakeWeights(INetwork network) =>
        network is ICpuNetwork known ? known.TakeWeights() : throw new ArgumentException("The network is not one of the CPU engine's.", nameof(network));

    /// <summary>Ends the engine's threads. Its networks must not be stepped afterwards.</summary>
    public void Dispose() => team.Dispose();
}
