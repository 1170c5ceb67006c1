using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Ulmfit.Diagnostics;
using Ulmfit.Onnx;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Storage;
using Ulmfit.Text;

namespace Ulmfit.Pipeline.Serving;

/// <summary>
/// The models that answer. A champion answers for <see cref="ModelCacheOptions.CheckEvery"/> before its pointer is looked at
/// again; while a new champion loads and is warmed up, the old one goes on answering; once it is swapped, requests that hold the old
/// one finish on it. Every file is checked against the version's card before it answers anything. Members may be called at once.
/// </summary>
public sealed partial class ModelCache : IDisposable
{
    private readonly ModelRegistry registry;
    private readonly ModelCacheOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ClassificationWorkers workers;
    private readonly CancellationTokenSource closing = new();
    private readonly CancellationToken closed;
    private readonly ConcurrentDictionary<string, Slot> champions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Model, int Version), Slot> pinned = new();

    /// <summary>Makes an empty cache.</summary>
    /// <param name="registry">Where models come from.</param>
    /// <param name="options">How many are kept.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where swaps and damaged files are told.</param>
    public ModelCache(ModelRegistry registry, ModelCacheOptions options, TimeProvider time, ILogger<ModelCache> logger)
    {
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(options);
        this.registry = registry;
        this.options = options;
        this.time = time;
        this.logger = logger;
        workers = new ClassificationWorkers(options.Workers);
        closed = closing.Token;
    }

    /// <summary>
    /// Loads the champions there are, those promoted last first and no more than are kept, so that no request has to wait for one. What
    /// cannot be loaded is logged and left to the requests for it.
    /// </summary>
    /// <param name="ct">Cancels the call.</param>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever keeps one champion from loading must not keep the others; it is logged, and whoever asks for that model is told.")]
    public async Task PreloadAsync(CancellationToken ct = default)
    {
        var found = new List<(string Model, DateTimeOffset Promoted)>();
        foreach (string model in await registry.ListModelsAsync(ct).ConfigureAwait(false))
        {
            try
            {
                if (await registry.FindChampionAsync(model, ct).ConfigureAwait(false) is { } pointer)
                {
                    found.Add((model, pointer.Value.History.Select(promotion => promotion.At).FirstOrDefault()));
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogNotPreloaded(e, model);
            }
        }
        foreach ((string model, _) in found.OrderByDescending(champion => champion.Promoted).ThenBy(champion => champion.Model, StringComparer.Ordinal).Take(options.Champions))
        {
            try
            {
                (await AcquireChampionAsync(model, ct).ConfigureAwait(false))?.Dispose();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogNotPreloaded(e, model);
            }
        }
    }

    /// <summary>The champion of a model, held for a request.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The lease, or null when the model has no champion.</returns>
    /// <exception cref="Documents.CorruptBlobException">The champion is damaged and no earlier one is loaded.</exception>
    public async Task<ModelLease?> AcquireChampionAsync(string model, CancellationToken ct = default)
    {
        while (true)
        {
            if (!champions.TryGetValue(model, out Slot? slot))
            {
                // No slot for a name that has no champion: anyone can ask for any number of names.
                if (await registry.FindChampionTagAsync(model, ct).ConfigureAwait(false) is null)
                {
                    return null;
                }
                slot = champions.GetOrAdd(model, _ => new Slot());
            }
            slot.UsedAt = time.GetTimestamp();
            if (slot.Current is not { } current)
            {
                await slot.Gate.WaitAsync(ct).ConfigureAwait(false);
                try
                {
                    await CheckAsync(model, slot, force: false, ct).ConfigureAwait(false);
                }
                finally
                {
                    slot.Gate.Release();
                }
                if (slot.Current is not { } first)
                {
                    return null;
                }
                current = first;
            }
            else if (time.GetElapsedTime(slot.CheckedAt) >= options.CheckEvery && slot.Gate.Wait(TimeSpan.Zero, CancellationToken.None))
            {
                // Nobody who can be answered waits for a new champion.
                _ = Task.Run(() => FollowAsync(model, slot), CancellationToken.None);
            }
            if (current.TryLease(out ModelLease? lease))
            {
                return lease;
            }
        }
    }

    /// <summary>A version of a model, champion or not, held for a request.</summary>
    /// <param name="model">The model.</param>
    /// <param name="version">The version.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The lease, or null when there is no such version.</returns>
    /// <exception cref="Documents.CorruptBlobException">The version is damaged.</exception>
    public async Task<ModelLease?> AcquireVersionAsync(string model, int version, CancellationToken ct = default)
    {
        while (true)
        {
            if (champions.TryGetValue(model, out Slot? champion) && champion.Current is { } loaded && loaded.Card.Version == version
                && loaded.TryLease(out ModelLease? shared))
            {
                return shared;
            }
            if (!pinned.TryGetValue((model, version), out Slot? slot))
            {
                if (await registry.FindCardAsync(model, version, ct).ConfigureAwait(false) is null)
                {
                    return null;
                }
                slot = pinned.GetOrAdd((model, version), _ => new Slot());
            }
            slot.UsedAt = time.GetTimestamp();
            await slot.Gate.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                if (slot.Current is null)
                {
                    if (await registry.FindCardAsync(model, version, ct).ConfigureAwait(false) is not { } card)
                    {
                        return null;
                    }
                    slot.Current = await LoadAsync(card, isAwaited: true, ct).ConfigureAwait(false);
                }
            }
            finally
            {
                slot.Gate.Release();
            }
            LoadedModel current = slot.Current;
            bool leased = current.TryLease(out ModelLease? lease);
            MakeRoom(pinned, options.PinnedVersions, keep: (model, version));
            if (leased)
            {
                return lease;
            }
        }
    }

    /// <summary>Looks at a model's pointer now, so that the next request is answered by the present champion.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task RefreshAsync(string model, CancellationToken ct = default)
    {
        if (!champions.TryGetValue(model, out Slot? slot))
        {
            return;
        }
        await slot.Gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            await CheckAsync(model, slot, force: true, ct).ConfigureAwait(false);
        }
        finally
        {
            slot.Gate.Release();
        }
    }

    /// <summary>Frees the models once the requests that hold them have ended.</summary>
    public void Dispose()
    {
        if (closed.IsCancellationRequested)
        {
            return;
        }
        closing.Cancel();
        foreach (Slot slot in champions.Values.Concat(pinned.Values))
        {
            slot.Current?.Dispose();
        }
        workers.Dispose();
        closing.Dispose();
    }

    // With the gate held, which it gives back.
    private async Task FollowAsync(string model, Slot slot)
    {
        try
        {
            await CheckAsync(model, slot, force: true, closed).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && closed.IsCancellationRequested)
        {
            // The cache is closed: there is nobody left to answer.
        }
        finally
        {
            slot.Gate.Release();
        }
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever keeps the new champion from loading must not keep the loaded one from answering; it is logged and tried again.")]
    private async Task CheckAsync(string model, Slot slot, bool force, CancellationToken ct)
    {
        // Whoever waited for the gate finds the work done.
        if (!force && slot.Current is not null)
        {
            return;
        }
        try
        {
            if (await registry.FindChampionTagAsync(model, ct).ConfigureAwait(false) is not { } tag)
            {
                LoadedModel? gone = slot.Current;
                slot.Current = null;
                slot.Tag = null;
                gone?.Dispose();
                champions.TryRemove(KeyValuePair.Create(model, slot));
                return;
            }
            if (slot.Current is null || slot.Tag != tag)
            {
                await SwapAsync(model, slot, ct).ConfigureAwait(false);
            }
            slot.CheckedAt = time.GetTimestamp();
        }
        catch (Exception e) when (slot.Current is not null && e is not OperationCanceledException)
        {
            slot.CheckedAt = time.GetTimestamp();
            LogKept(e, model, slot.Current.Card.Version);
        }
    }

    private async Task SwapAsync(string model, Slot slot, CancellationToken ct)
    {
        if (await registry.FindChampionAsync(model, ct).ConfigureAwait(false) is not { } pointer)
        {
            return;
        }
        int version = pointer.Value.Version;
        if (slot.Current is { } old && old.Card.Version == version)
        {
            slot.Tag = pointer.Info.ETag;
            return;
        }
        ModelCard card = await registry.FindCardAsync(model, version, ct).ConfigureAwait(false)
            ?? throw new Documents.CorruptBlobException($"{Containers.Models}/{ModelFiles.ChampionOf(model)}", $"it names version {version}, which does not exist");
        LoadedModel loaded = await LoadAsync(card, isAwaited: slot.Current is null, ct).ConfigureAwait(false);
        LoadedModel? replaced = slot.Current;
        slot.Current = loaded;
        slot.Tag = pointer.Info.ETag;
        replaced?.Dispose();
        if (!ReferenceEquals(champions.GetValueOrDefault(model), slot))
        {
            // It had to make room meanwhile; whoever wants it looks for its slot again.
            loaded.Dispose();
            return;
        }
        ServingMeter.Serve(loaded.Attributes);
        LogServing(model, version, card.Files[card.Serves]);
        MakeRoom(champions, options.Champions, keep: model);
    }

    // A model that somebody waits for is warmed up no more than it needs to answer.
    private async Task<LoadedModel> LoadAsync(ModelCard card, bool isAwaited, CancellationToken ct)
    {
        var attributes = new ModelAttributes(card.Model, card.Version);
        long began = time.GetTimestamp();
        using Activity? span = UlmfitTraces.StartLoad(attributes);
        OnnxTextClassifier? classifier = null;
        try
        {
            // The small files are read and parsed beside the large one.
            Task<byte[]> onnx = registry.ReadFileAsync(card, card.Serves, ct);
            Task<Vocabulary> vocabulary = Task.Run(() => ReadAsync(ModelFiles.Vocabulary, Vocabulary.Load), ct);
            Task<string[]> labels = Task.Run(
                () => ReadAsync(ModelFiles.Labels, content => JsonSerializer.Deserialize<string[]>(content) ?? throw new InvalidDataException("The labels are null.")), ct);
            await Task.WhenAll(onnx, vocabulary, labels).ConfigureAwait(false);
            classifier = OnnxTextClassifier.Load(
                await onnx.ConfigureAwait(false), await vocabulary.ConfigureAwait(false), await labels.ConfigureAwait(false), workers: workers);
            await WarmUp.RunAsync(classifier, card, isAwaited, time, ct).ConfigureAwait(false);
            ServingMeter.Load(attributes, time.GetElapsedTime(began));
            return new LoadedModel(card, attributes, classifier, time);
        }
        catch (Exception e)
        {
            classifier?.Dispose();
            if (e is not OperationCanceledException)
            {
                span.Fail(e);
                ServingMeter.FailLoad(attributes, time.GetElapsedTime(began));
            }
            throw;
        }

        async Task<T> ReadAsync<T>(string file, Func<Stream, T> parse) =>
            parse(new MemoryStream(await registry.ReadFileAsync(card, file, ct).ConfigureAwait(false), writable: false));
    }

    private static void MakeRoom<TKey>(ConcurrentDictionary<TKey, Slot> slots, int capacity, TKey keep)
        where TKey : notnull
    {
        while (slots.Count > Math.Max(1, capacity))
        {
            KeyValuePair<TKey, Slot>[] others = [.. slots.Where(pair => !pair.Key.Equals(keep) && pair.Value.Current is not null)];
            if (others.Length == 0)
            {
                return;
            }
            KeyValuePair<TKey, Slot> oldest = others.MinBy(pair => pair.Value.UsedAt);
            if (slots.TryRemove(oldest))
            {
                oldest.Value.Current?.Dispose();
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Model {Model} is answered by version {Version} ({Digest}).")]
    private partial void LogServing(string model, int version, string digest);

    [LoggerMessage(2, LogLevel.Error, "The champion of model {Model} cannot be loaded; version {Version} goes on answering.")]
    private partial void LogKept(Exception exception, string model, int version);

    [LoggerMessage(3, LogLevel.Error, "The champion of model {Model} cannot be loaded at the start; the next request for it tries again.")]
    private partial void LogNotPreloaded(Exception exception, string model);

    /// <summary>Where a loaded model is swapped. <see cref="Gate"/> is held to change it.</summary>
    private sealed class Slot
    {
        private volatile LoadedModel? current;

        public SemaphoreSlim Gate { get; } = new(1, 1);

        public LoadedModel? Current
        {
            get => current;
            set => current = value;
        }

        public ETag? Tag { get; set; }

        public long CheckedAt { get; set; }

        public long UsedAt { get; set; }
    }

    private sealed class LoadedModel(ModelCard card, ModelAttributes attributes, OnnxTextClassifier classifier, TimeProvider time) : IDisposable
    {
        private int disposed;

        public ModelCard Card => card;

        public ModelAttributes Attributes => attributes;

        public bool TryLease([NotNullWhen(true)] out ModelLease? lease)
        {
            lease = classifier.TryLease(out IDisposable? hold) ? new ModelLease(card, attributes, classifier, hold, time) : null;
            return lease is not null;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref disposed, 1) == 0)
            {
                classifier.Dispose();
                ServingMeter.Unload(attributes);
            }
        }
    }
}
