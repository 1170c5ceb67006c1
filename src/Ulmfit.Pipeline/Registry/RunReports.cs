using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Reports;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Registry;

/// <summary>
/// The reports of runs whose model was measured, published or not. A report is a function of its run, so written once; it is
/// kept when the run's checkpoints are purged.
/// </summary>
public sealed class RunReports
{
    private readonly DocumentStore documents;

    /// <summary>Opens the reports.</summary>
    /// <param name="store">Where they are.</param>
    public RunReports(IBlobStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        documents = new DocumentStore(store);
    }

    /// <summary>The report of a run; null while it has none. What became of its model is not in it, for that may change.</summary>
    /// <param name="run">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="CorruptBlobException">It is damaged.</exception>
    public async Task<TrainingReport?> FindAsync(RunId run, CancellationToken ct = default) =>
        (await documents.ReadAsync<TrainingReport>(Containers.State, StatePaths.Report(run), ct).ConfigureAwait(false))?.Value;

    /// <summary>The report of a run whose evaluation can be made again: a damaged one is deleted.</summary>
    internal async Task<TrainingReport?> FindOrDiscardAsync(RunId run, Action<CorruptBlobException> discarded, CancellationToken ct) =>
        (await documents.ReadOrDiscardAsync<TrainingReport>(Containers.State, StatePaths.Report(run), discarded, ct).ConfigureAwait(false))?.Value;

    internal Task CreateAsync(RunId run, TrainingReport report, CancellationToken ct) =>
        documents.CreateAsync(Containers.State, StatePaths.Report(run), report, ct);
}
