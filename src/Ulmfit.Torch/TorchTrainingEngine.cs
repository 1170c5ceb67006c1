using TorchSharp;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>
/// The training engine on libtorch, for a GPU or for a processor. It draws the same masks from the same streams as the CPU
/// engine and so trains like it, up to rounding: a checkpoint of the one goes on in the other. The steps of its networks
/// take turns.
/// </summary>
/// <remarks>
/// Matrix products are in full float32; TensorFloat-32, which libtorch otherwise lets cuDNN use, is switched off for the
/// process. On CUDA equal calls give equal bits only with the environment variable <c>CUBLAS_WORKSPACE_CONFIG=:4096:8</c>, as
/// NVIDIA asks of everyone who uses its recurrent layers: on Linux the engine sets it where the process was started without
/// one, elsewhere the process must be started with it.
/// </remarks>
public sealed class TorchTrainingEngine : ITrainingEngine, IDisposable
{
    private readonly Device device;
    private readonly object turn = new();
    private bool disposed;

    /// <summary>An engine on a device.</summary>
    /// <param name="threads">Threads of libtorch's operations on the processor, for the whole process; null for libtorch's own choice.</param>
    /// <param name="device"><c>cpu</c>, <c>cuda</c> or <c>cuda:1</c> and so on; null for <c>cuda</c> where there is one, else <c>cpu</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of threads is not positive.</exception>
    /// <exception cref="ArgumentException">There is no such device.</exception>
    /// <exception cref="TorchUnavailableException">libtorch cannot be loaded here.</exception>
    public TorchTrainingEngine(int? threads = null, string? device = null)
    {
        if (threads is { } given)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(given, nameof(threads));
        }

        this.device = TorchDevice.Open(device);
        if (threads is { } count)
        {
            torch.set_num_threads(count);
        }

        if (this.device.type == DeviceType.CUDA)
        {
            TorchLibrary.MakeRepeatable();
            torch.backends.cuda.matmul.allow_tf32 = false;
            torch.backends.cudnn.allow_tf32 = false;
        }
    }

    /// <inheritdoc/>
    public string Name => "torch";

    /// <summary>The device in use: <c>cpu</c> or <c>cuda:0</c> and so on.</summary>
    public string DeviceName => device.ToString();

    /// <summary>
    /// Bytes of activations that a classifier keeps of one step; chunks of long documents beyond them are computed again in
    /// the backward pass.
    /// </summary>
    internal long ActivationBudget { get; init; } = 4L << 30;

    /// <summary>Logits that a language model holds at a time, in floats.</summary>
    internal long LogitBudget { get; init; } = 64L << 20;

    /// <inheritdoc/>
    public ILanguageModelNetwork CreateLanguageModel(LanguageModelOptions options, StateDict state)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(state);
        ObjectDisposedException.ThrowIf(disposed, this);
        lock (turn)
        {
            return new LanguageModelNetwork(turn, device, options, state, LogitBudget);
        }
    }

    /// <inheritdoc/>
    public IClassifierNetwork CreateClassifier(ClassifierOptions options, StateDict state)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(state);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (options.Config.Head == HeadKind.Features)
        {
            throw new ArgumentException("A classifier of features is fitted and not trained.", nameof(options));
        }

        lock (turn)
        {
            return new ClassifierNetwork(turn, device, options, state, ActivationBudget);
        }
    }

    /// <inheritdoc/>
    public IFeatureNetwork CreateFeatures(ClassifierConfig config, StateDict state)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(state);
        ObjectDisposedException.ThrowIf(disposed, this);
        lock (turn)
        {
            return new FeatureNetwork(turn, device, config, state.WeightsOnly());
        }
    }

    /// <summary>Ends the engine: it makes no more networks. Those that it made own their memory and are disposed of on their own.</summary>
    public void Dispose() => disposed = true;
}
