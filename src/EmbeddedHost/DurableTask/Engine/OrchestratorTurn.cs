using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Durable;

/// <summary>One run of an orchestrator function: from its start, over its history, and on over what is new.</summary>
internal sealed class OrchestratorTurn
{
    private readonly InstanceState state;
    private readonly IDurableFunctionInvoker invoker;
    private readonly OrchestratorSynchronizationContext thread = new();
    private readonly OrchestratorContext context;
    private readonly Queue<HistoryEvent> heldEvents = [];
    private readonly List<OrchestratorAction> heldActions = [];
    private Task<string?> function = Task.FromResult<string?>(null);
    private ExecutionTerminated? terminated;

    public OrchestratorTurn(
        InstanceState state, IDurableFunctionInvoker invoker, DurableTaskHostOptions options, ILoggerFactory loggerFactory)
    {
        this.state = state;
        this.invoker = invoker;
        context = new OrchestratorContext(state, options.DataConverter, options.DefaultVersion, loggerFactory, thread);
    }

    /// <summary>What the function did in this turn.</summary>
    public IReadOnlyCollection<OrchestratorAction> Actions { get; private set; } = [];

    /// <summary>Whether the instance is held after this turn.</summary>
    public bool Suspended { get; private set; }

    /// <summary>The custom status after this turn.</summary>
    public string? CustomStatus { get; private set; }

    /// <summary>How the execution ended, if it did.</summary>
    public ExecutionEnding? Ending { get; private set; }

    /// <summary>Runs the function.</summary>
    /// <param name="history">What earlier turns recorded.</param>
    /// <param name="newEvents">What is new.</param>
    /// <param name="now">The time of this turn.</param>
    public void Run(IReadOnlyList<HistoryEvent> history, IReadOnlyList<HistoryEvent> newEvents, DateTime now) =>
        thread.Run(() => RunOnThread(history, newEvents, now));

    private void RunOnThread(IReadOnlyList<HistoryEvent> history, IReadOnlyList<HistoryEvent> newEvents, DateTime now)
    {
        try
        {
            foreach (HistoryEvent past in history)
            {
                Process(past);
            }

            context.EndReplay();
            context.BeginBatch(now);
            foreach (HistoryEvent happened in newEvents)
            {
                Process(happened);
            }

            CustomStatus = context.SerializeCustomStatus();
            Ending = FindEnding();
            Actions = context.Actions;
        }
        catch (NonDeterministicOrchestrationException e)
        {
            Fail(e);
        }
#pragma warning disable CA1031 // What cannot be run (a custom status that cannot be written, say) must fail the instance, not the host.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
        }
    }

    private void Process(HistoryEvent happened)
    {
        if (Suspended && happened is not (ExecutionResumed or ExecutionTerminated or BatchStarted))
        {
            if (happened is not ExecutionSuspended)
            {
                heldEvents.Enqueue(happened);
            }

            return;
        }

        switch (happened)
        {
            case BatchStarted batch:
                context.BeginBatch(batch.At);
                break;
            case ExecutionStarted:
                function = RunFunctionAsync();
                break;
            case TaskScheduled task:
                context.Match<ScheduleActivity>(task.Id, "activity task", task.Name, action => action.Name);
                break;
            case TimerCreated timer:
                context.Match<CreateDurableTimer>(timer.Id, "timer", null, _ => null);
                break;
            case SubOrchestrationCreated sub:
                context.Match<StartSubOrchestration>(sub.Id, "sub-orchestration task", sub.Name, action => action.Name);
                break;
            case EventSent sent:
                context.Match<SendExternalEvent>(sent.Id, "send event task", sent.Name, action => action.Name);
                break;
            case TaskCompleted task:
                context.Complete(task.TaskId, task.Result);
                break;
            case TaskFailed task:
                context.Fail(task.TaskId, task.Failure, task.NonRetriable);
                break;
            case TimerFired timer:
                context.Complete(timer.TimerId, null);
                break;
            case SubOrchestrationCompleted sub:
                context.Complete(sub.TaskId, sub.Result);
                break;
            case SubOrchestrationFailed sub:
                context.Fail(sub.TaskId, sub.Failure, nonRetriable: false);
                break;
            case EventRaised raised:
                context.Raise(raised);
                break;
            case ExecutionTerminated terminated:
                this.terminated ??= terminated;
                break;
            case ExecutionSuspended:
                Suspended = true;
                heldActions.AddRange(context.TakeActions());
                break;
            case ExecutionResumed:
                Resume();
                break;
            default:
                throw new InvalidOperationException($"{happened.GetType().Name} is no event of a history.");
        }

        thread.RunReady();
    }

    private void Resume()
    {
        Suspended = false;
        context.GiveBackActions(heldActions);
        heldActions.Clear();
        while (!Suspended && heldEvents.TryDequeue(out HistoryEvent? held))
        {
            Process(held);
        }
    }

    private async Task<string?> RunFunctionAsync()
    {
        string? name = invoker.OrchestratorNames.FirstOrDefault(known => string.Equals(known, state.Name, StringComparison.OrdinalIgnoreCase));
        if (name is null)
        {
            throw new ArgumentException(FunctionNames.Unknown(state.Name, "orchestrator", invoker.OrchestratorNames));
        }

        string? output = await invoker.InvokeOrchestratorAsync(name, context, state.Input);
        context.EnsureOrchestratorThread();
        return output;
    }

    private ExecutionEnding? FindEnding()
    {
        if (terminated is not null)
        {
            return new ExecutionEnding(OrchestrationRuntimeStatus.Terminated, terminated.Output, null);
        }

        if (context.HasOpenTasks || Suspended)
        {
            return null;
        }

        if (!function.IsCompleted)
        {
            // With nothing durable left to wait for, no event will ever wake the function: it awaits something else.
            return context.CanGoOn && !thread.HasForeignPosts ? null : Failed(new InvalidOperationException(OrchestratorContext.IllegalAwait));
        }

        if (!function.IsCompletedSuccessfully)
        {
            return Failed(function.Exception?.InnerException ?? new TaskCanceledException(function));
        }

        return context.ContinuesAsNew is { } request
            ? new ExecutionEnding(null, request.Input, null, Guid.NewGuid().ToString("N"), request.Version, context.CarryOver)
            : new ExecutionEnding(OrchestrationRuntimeStatus.Completed, function.Result, null);
    }

    private void Fail(Exception exception)
    {
        CustomStatus = state.CustomStatus;
        Ending = Failed(exception);
        Actions = [];
    }

    private static ExecutionEnding Failed(Exception exception) =>
        new(OrchestrationRuntimeStatus.Failed, exception.Message, TaskFailureDetails.FromException(exception));
}
