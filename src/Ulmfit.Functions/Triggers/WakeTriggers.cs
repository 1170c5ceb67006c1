using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Ulmfit.Functions.Orchestration;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Uncertain;

namespace Ulmfit.Functions.Triggers;

/// <summary>What wakes the orchestrations. Triggers only wake: what there is to do is read from storage.</summary>
internal sealed partial class WakeTriggers(RunStart start, PretrainingRegistry pretrainings, FeedbackStore feedback, UncertainTexts uncertain, ILogger<WakeTriggers> logger)
{
    /// <summary>A labelled drop has come in.</summary>
    /// <param name="content">Not read here; a stream is opened only when it is.</param>
    /// <param name="dataset">The data set.</param>
    /// <param name="name">The drop.</param>
    /// <param name="client">The durable client.</param>
    /// <param name="context">The invocation.</param>
    [Function("DropArrived")]
    public async Task DropArrived(
        [BlobTrigger("labeled/{dataset}/{name}", Source = BlobTriggerSource.EventGrid, Connection = "AzureWebJobsStorage")] Stream content,
        string dataset,
        string name,
        [DurableClient] DurableTaskClient client,
        FunctionContext context)
    {
        if (!ResourceNames.IsDataset(dataset))
        {
            LogNoDataset(dataset, name, ResourceNames.DatasetRule);
            return;
        }
        LogArrived(dataset, name);
        await RetrainStarter.WakeAsync(client, dataset, context.CancellationToken);
    }

    /// <summary>
    /// Makes drops of the feedback that is due, and finds what no run accounts for and pretrainings that have not ended, whatever became of
    /// the events.
    /// </summary>
    [Function("Reconcile")]
    public async Task Reconcile(
        [TimerTrigger("0 * * * * *", RunOnStartup = true)] TimerInfo timer, [DurableClient] DurableTaskClient client, FunctionContext context)
    {
        await feedback.GatherDueAsync(context.CancellationToken);
        foreach (string dataset in await start.FindWorkAsync(context.CancellationToken))
        {
            await RetrainStarter.WakeAsync(client, dataset, context.CancellationToken);
        }
        await foreach (PretrainingManifest pretraining in pretrainings.ListAsync(context.CancellationToken))
        {
            if (!pretraining.Status.IsFinal())
            {
                await PretrainStarter.WakeAsync(client, pretraining.Name, context.CancellationToken);
            }
        }

        // Texts are deleted in time also where none are written any more.
        await uncertain.PurgeAsync(context.CancellationToken);
    }

    [LoggerMessage(110, LogLevel.Information, "{Dataset}: drop {Name} has arrived.")]
    private partial void LogArrived(string dataset, string name);

    [LoggerMessage(111, LogLevel.Warning, "labeled/{Dataset}/{Name} belongs to no data set: its name takes {Rule}.")]
    private partial void LogNoDataset(string dataset, string name, string rule);
}
