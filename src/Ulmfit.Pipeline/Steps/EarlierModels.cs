using System.Globalization;
using Ulmfit.Onnx;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>Published models as starts of other trainings, the last one read kept.</summary>
public sealed class EarlierModels : IDisposable
{
    /// <summary>The setting that stands for the data set's own champion.</summary>
    public const string Champion = "champion";

    private readonly ModelRegistry registry;
    private readonly SemaphoreSlim gate = new(1, 1);
    private (string Name, EarlierModel Model)? last;

    /// <summary>Opens the registry.</summary>
    /// <param name="registry">Where published models are.</param>
    public EarlierModels(ModelRegistry registry) => this.registry = registry;

    /// <summary>
    /// What the setting <c>from</c> stands for when a run begins. The champion may change while the run goes on; what it
    /// starts at must not.
    /// </summary>
    /// <param name="from">The setting.</param>
    /// <param name="dataset">The run's data set.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>A version such as <c>tickets/3</c>; null where there is no champion yet, or nothing was asked for.</returns>
    public async Task<string?> ResolveAsync(string? from, string dataset, CancellationToken ct = default)
    {
        if (from != Champion)
        {
            return from;
        }
        return await registry.FindChampionAsync(dataset, ct).ConfigureAwait(false) is { } champion
            ? string.Create(CultureInfo.InvariantCulture, $"{dataset}/{champion.Value.Version}")
            : null;
    }

    /// <summary>Reads the version that a run's settings name.</summary>
    /// <param name="from">A version such as <c>tickets/3</c>; null for none.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is no such version, or it cannot be used.</exception>
    public async Task<EarlierModel?> LoadAsync(string? from, CancellationToken ct = default)
    {
        if (from is null)
        {
            return null;
        }
        await gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (last is { } kept && kept.Name == from)
            {
                return kept.Model;
            }
            EarlierModel model = await ReadAsync(from, ct).ConfigureAwait(false);
            last = (from, model);
            return model;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    private async Task<EarlierModel> ReadAsync(string from, CancellationToken ct)
    {
        if (from.Split('/') is not [string name, string number]
            || !ResourceNames.IsDataset(name) || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int version)
            || await registry.FindCardAsync(name, version, ct).ConfigureAwait(false) is not { } card)
        {
            throw new PipelineException($"There is no published model '{from}' to start at: set \"from\" to \"{Champion}\", to a version such as \"tickets/3\", or leave it out.");
        }
        byte[] model = await registry.ReadFileAsync(card, ModelFiles.Model, ct).ConfigureAwait(false);
        byte[] words = await registry.ReadFileAsync(card, ModelFiles.Vocabulary, ct).ConfigureAwait(false);
        try
        {
            OnnxClassifierWeights weights = OnnxClassifierReader.Read(model);
            using var stream = new MemoryStream(words);
            return EarlierModel.Of(Vocabulary.Load(stream), weights.Labels, weights.Forward?.Weights, weights.Backward?.Weights);
        }
        catch (InvalidDataException e)
        {
            throw new PipelineException($"Training cannot start at the published model '{from}': {e.Message}", e);
        }
    }
}
