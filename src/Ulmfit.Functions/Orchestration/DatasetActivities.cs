using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Runs;

namespace Ulmfit.Functions.Orchestration;

/// <summary>Activities on drops and data sets.</summary>
internal sealed class DatasetActivities(RunStart start, DatasetPreparation preparation, RunWaits waits)
{
    /// <summary>Looks at what there is to do.</summary>
    [Function(nameof(ObserveDrops))]
    public Task<WorkObservation> ObserveDrops([ActivityTrigger] string dataset, FunctionContext context) =>
        waits.WatchAsync(dataset, nameof(ObserveDrops), () => start.ObserveAsync(dataset, context.CancellationToken));

    /// <summary>Validates, de-duplicates and splits the drops into a version of the data set.</summary>
    [Function(nameof(PrepareDataset))]
    public Task<PreparedDataset> PrepareDataset([ActivityTrigger] string dataset, FunctionContext context) =>
        waits.WatchAsync(dataset, nameof(PrepareDataset), () => preparation.RunAsync(dataset, context.CancellationToken));
}
