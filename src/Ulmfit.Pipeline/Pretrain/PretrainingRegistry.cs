using System.Runtime.CompilerServices;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>What became of an order.</summary>
public enum OrderOutcome
{
    /// <summary>It is to be trained now, from the beginning or from its last checkpoint.</summary>
    Taken,

    /// <summary>The same order has been taken before, and is running or completed.</summary>
    Unchanged,

    /// <summary>There is a pretraining of that name of another order.</summary>
    Conflict,
}

/// <summary>
/// The pretrainings, one a name. One that failed or was called off is taken up again by the same order, and gives way to another as long as
/// nothing has been trained; a completed one stays as it is.
/// </summary>
public sealed class PretrainingRegistry
{
    private readonly IBlobStore store;
    private readonly DocumentStore documents;
    private readonly PretrainingCorpus corpus;
    private readonly TimeProvider time;

    /// <summary>Opens the registry.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="corpus">Finds the files that an order names.</param>
    /// <param name="time">The clock.</param>
    public PretrainingRegistry(IBlobStore store, PretrainingCorpus corpus, TimeProvider time)
    {
        this.store = store;
        documents = new DocumentStore(store);
        this.corpus = corpus;
        this.time = time;
    }

    /// <summary>Takes an order, unless there is a pretraining of that name that runs, is completed, or has trained something else.</summary>
    /// <param name="name">The name of the model.</param>
    /// <param name="order">The order.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="Training.TrainingSettingsException">A file or folder that it names is missing.</exception>
    public async Task<(PretrainingManifest Pretraining, OrderOutcome Outcome)> TakeAsync(string name, PretrainingOrder order, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        PretrainingManifest? before = await FindAsync(name, ct).ConfigureAwait(false);
        if (before is not null && OutcomeOf(before, order) is var known and not OrderOutcome.Taken)
        {
            return (before, known);
        }
        IReadOnlyList<string> files = await corpus.FindAsync(order.Corpus, "corpus", ct).ConfigureAwait(false);
        IReadOnlyList<string>? heldOut = order.Valid is null ? null : await corpus.FindAsync(order.Valid, "valid", ct).ConfigureAwait(false);
        OrderOutcome outcome = default;
        PretrainingManifest manifest = await documents.UpdateAsync<PretrainingManifest>(
            Containers.State,
            StatePaths.Pretraining(name),
            found =>
            {
                outcome = found is null ? OrderOutcome.Taken : OutcomeOf(found, order);
                if (found is not null && outcome != OrderOutcome.Taken)
                {
                    return found;
                }
                DateTimeOffset now = time.GetUtcNow();
                return found?.MadeFrom is null
                    ? new PretrainingManifest { Name = name, Order = order, Files = files, HeldOutFiles = heldOut, Status = RunStatus.Queued, CreatedAt = now, UpdatedAt = now }
                    : found with { Status = RunStatus.Queued, Error = null, FinishedAt = null, UpdatedAt = now };
            },
            ct).ConfigureAwait(false);
        return (manifest, outcome);
    }

    /// <summary>Reads a pretraining.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The pretraining, or null when there is none of that name.</returns>
    public async Task<PretrainingManifest?> FindAsync(string name, CancellationToken ct = default) =>
        (await documents.ReadAsync<PretrainingManifest>(Containers.State, StatePaths.Pretraining(name), ct).ConfigureAwait(false))?.Value;

    /// <summary>Reads a pretraining that must exist.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is none.</exception>
    public async Task<PretrainingManifest> GetAsync(string name, CancellationToken ct = default) =>
        await FindAsync(name, ct).ConfigureAwait(false) ?? throw Absent(name);

    /// <summary>All pretrainings, by name.</summary>
    /// <param name="ct">Cancels the enumeration.</param>
    public async IAsyncEnumerable<PretrainingManifest> ListAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        await foreach (BlobDocument<PretrainingManifest> document in documents.ReadAllAsync<PretrainingManifest>(Containers.State, StatePaths.Pretrainings, ct).ConfigureAwait(false))
        {
            yield return document.Value;
        }
    }

    /// <summary>Changes a pretraining by compare-and-swap; one that has ended stays as it is.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="change">Gives the new manifest; the same object for no change.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is none.</exception>
    public Task<PretrainingManifest> UpdateAsync(string name, Func<PretrainingManifest, PretrainingManifest> change, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        return documents.UpdateAsync<PretrainingManifest>(
            Containers.State,
            StatePaths.Pretraining(name),
            found =>
            {
                PretrainingManifest manifest = found ?? throw Absent(name);
                PretrainingManifest changed = manifest.Status.IsFinal() ? manifest : change(manifest);
                return ReferenceEquals(changed, manifest) ? manifest : changed with { UpdatedAt = time.GetUtcNow() };
            },
            ct);
    }

    /// <summary>Ends a pretraining, unless it has ended.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="status">How it ends.</param>
    /// <param name="error">Why it failed and what to do.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is none.</exception>
    public Task<PretrainingManifest> FinishAsync(string name, RunStatus status, string? error = null, CancellationToken ct = default) =>
        UpdateAsync(name, running => running with { Status = status, Error = error, FinishedAt = time.GetUtcNow() }, ct);

    /// <summary>Ends a pretraining that cannot go on, unless it has ended, or has changed since that was found.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="error">Why it failed and what to do.</param>
    /// <param name="found">When that was found; null where that is not known.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is none.</exception>
    public Task<PretrainingManifest> FailAsync(string name, string error, DateTimeOffset? found, CancellationToken ct = default) =>
        UpdateAsync(
            name,
            running => running.UpdatedAt > found ? running : running with { Status = RunStatus.Failed, Error = error, FinishedAt = time.GetUtcNow() },
            ct);

    /// <summary>Notes where a pretraining is within its slice.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="note">Where it is.</param>
    /// <param name="ct">Cancels the call.</param>
    public Task NoteAsync(string name, PretrainingNote note, CancellationToken ct = default) =>
        documents.WriteAsync(Containers.State, StatePaths.PretrainingNote(name), note, ct);

    /// <summary>Where a pretraining is within its slice; null where nobody has noted it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<PretrainingNote?> FindNoteAsync(string name, CancellationToken ct = default) =>
        (await documents.ReadAsync<PretrainingNote>(Containers.State, StatePaths.PretrainingNote(name), ct).ConfigureAwait(false))?.Value;

    /// <summary>Deletes the note of a pretraining that has ended.</summary>
    internal Task DeleteNoteAsync(string name, CancellationToken ct) => store.DeleteAsync(Containers.State, StatePaths.PretrainingNote(name), ct);

    private static OrderOutcome OutcomeOf(PretrainingManifest found, PretrainingOrder order)
    {
        bool stopped = found.Status is RunStatus.Failed or RunStatus.Canceled;
        return found.Order.ToJson() == order.ToJson() ? stopped ? OrderOutcome.Taken : OrderOutcome.Unchanged
            : stopped && found.MadeFrom is null ? OrderOutcome.Taken
            : OrderOutcome.Conflict;
    }

    private static PipelineException Absent(string name) => new($"There is no pretraining '{name}'.");
}
