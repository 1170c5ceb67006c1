using Ulmfit.Model;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>
/// Pretrained language models: those in the container <see cref="Containers.Pretrained"/>, then those that ship with the program. The last
/// one read is kept.
/// </summary>
public sealed class PretrainedModels : IDisposable
{
    private const string ForwardFile = PretrainedLibrary.ForwardFile;
    private const string BackwardFile = PretrainedLibrary.BackwardFile;
    private const string VocabularyFile = PretrainedLibrary.VocabularyFile;

    private readonly IBlobStore store;
    private readonly PretrainedLibrary shipped;
    private readonly SemaphoreSlim gate = new(1, 1);
    private (string Key, PretrainedModel Model)? last;

    /// <summary>Opens the container.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="shipped">The models that ship with the program; one of the same name in the container comes before them.</param>
    public PretrainedModels(IBlobStore store, PretrainedLibrary shipped)
    {
        this.store = store;
        this.shipped = shipped;
    }

    /// <summary>The names of the models there are, in ordinal order.</summary>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken ct = default)
    {
        var names = new SortedSet<string>(shipped.Names, StringComparer.Ordinal);
        await foreach (BlobInfo blob in store.ListAsync(Containers.Pretrained, "", ct).ConfigureAwait(false))
        {
            string[] parts = blob.Name.Split('/');
            if (parts.Length == 2 && parts[1] == ForwardFile && ResourceNames.IsDataset(parts[0]))
            {
                names.Add(parts[0]);
            }
        }
        return [.. names];
    }

    /// <summary>Reads the model that settings name.</summary>
    /// <param name="name">Its name, or <c>none</c>.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The model, or null for <c>none</c>.</returns>
    /// <exception cref="PipelineException">There is no such model, or it cannot be used; the message says why.</exception>
    public async Task<PretrainedModel?> LoadAsync(string name, CancellationToken ct = default)
    {
        if (name == TrainingSettings.NoPretrained)
        {
            return null;
        }
        BlobInfo? forward = ResourceNames.IsDataset(name)
            ? await store.GetInfoAsync(Containers.Pretrained, $"{name}/{ForwardFile}", ct).ConfigureAwait(false)
            : null;
        if (forward is null && !shipped.Contains(name))
        {
            IReadOnlyList<string> known = await ListAsync(ct).ConfigureAwait(false);
            throw new PipelineException(
                $"There is no pretrained model '{name}': {Containers.Pretrained}/{name}/{ForwardFile} is missing. " +
                (name == PretrainedLibrary.English ? shipped.MissingDefault : known.Count == 0 ? "There is none at all; set \"pretrained\" to \"none\" or put one there." : $"There are: {string.Join(", ", known)}."));
        }
        BlobInfo? backward = forward is null ? null : await store.GetInfoAsync(Containers.Pretrained, $"{name}/{BackwardFile}", ct).ConfigureAwait(false);
        string key = forward is null ? $"shipped {name}" : $"{name} {forward.ETag} {backward?.ETag}";
        await gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (last is { } kept && kept.Key == key)
            {
                return kept.Model;
            }
            PretrainedModel model = forward is null
                ? await Task.Run(() => ReadShipped(name), ct).ConfigureAwait(false)
                : await ReadAsync(name, backward is not null, ct).ConfigureAwait(false);
            last = (key, model);
            return model;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    private PretrainedModel ReadShipped(string name)
    {
        try
        {
            return shipped.Open(name);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new PipelineException($"The pretrained model '{name}' cannot be used: {e.Message}", e);
        }
    }

    private async Task<PretrainedModel> ReadAsync(string name, bool hasBackward, CancellationToken ct)
    {
        try
        {
            Vocabulary vocabulary;
            await using (Stream file = await OpenAsync(name, VocabularyFile, ct).ConfigureAwait(false))
            {
                vocabulary = Vocabulary.Load(file);
            }
            StateDict forward = await ReadWeightsAsync(name, ForwardFile, ct).ConfigureAwait(false);
            StateDict? backward = hasBackward ? await ReadWeightsAsync(name, BackwardFile, ct).ConfigureAwait(false) : null;
            return PretrainedModel.Of(vocabulary, forward, backward);
        }
        catch (InvalidDataException e)
        {
            throw new PipelineException($"The pretrained model '{name}' cannot be used: {e.Message}", e);
        }
    }

    private async Task<StateDict> ReadWeightsAsync(string name, string file, CancellationToken ct)
    {
        await using Stream content = await OpenAsync(name, file, ct).ConfigureAwait(false);
        return Safetensors.Read(content).Tensors;
    }

    private async Task<Stream> OpenAsync(string name, string file, CancellationToken ct) =>
        await store.OpenReadAsync(Containers.Pretrained, $"{name}/{file}", ct).ConfigureAwait(false)
            ?? throw new InvalidDataException($"{Containers.Pretrained}/{name}/{file} is missing.");
}
