using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Runs;

namespace Ulmfit.Functions.Orchestration;

/// <summary>The light activities of pretraining.</summary>
internal sealed class PretrainingActivities(PretrainingStep step, PretrainingPublishing publishing, PretrainingRegistry registry, PretrainingWorkspace workspace)
{
    /// <summary>Finds where a pretraining begins or goes on.</summary>
    [Function(nameof(BeginPretraining))]
    public Task<PretrainingStepResult> BeginPretraining([ActivityTrigger] string name, FunctionContext context) => step.BeginAsync(name, context.CancellationToken);

    /// <summary>Puts the model where trainings look for it.</summary>
    [Function(nameof(PublishPretrained))]
    public Task PublishPretrained([ActivityTrigger] string name, FunctionContext context) => publishing.RunAsync(name, context.CancellationToken);

    /// <summary>Notes why a pretraining cannot go on.</summary>
    [Function(nameof(FailPretraining))]
    public async Task FailPretraining([ActivityTrigger] PretrainingFailure failure, FunctionContext context)
    {
        await workspace.CloseAsync(failure.Name, context.CancellationToken);
        await registry.FailAsync(failure.Name, failure.Error, failure.At, context.CancellationToken);
    }
}

/// <summary>Why a pretraining cannot go on.</summary>
/// <param name="Name">The name of the model.</param>
/// <param name="Error">Why, and what to do.</param>
/// <param name="At">When: one that was ordered again later has not failed by it. Null in orchestrations that an earlier version began.</param>
internal sealed record PretrainingFailure(string Name, string Error, DateTimeOffset? At = null);
