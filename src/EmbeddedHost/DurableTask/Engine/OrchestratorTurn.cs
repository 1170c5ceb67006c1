using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Durable;

/// <summary>One run of an orchestrator function: from its start, over its history, and on over what is new.</summary>
internal sealed class OrchestratorTurn
{
    private readonly InstanceState _state;
    private readonly IDurableFunctionInvoker _invoker;
    private readonly OrchestratorSynchronizationContext _thread = new();
    private readonly OrchestratorContext _context;
    private readonly Queue<HistoryEvent> _heldEvents = [];
    private readonly List<OrchestratorAction> _heldActions = [];
    private Task<string?> _function = Task.FromResult<string?>(null);
    private ExecutionTerminated? _terminated;

    public OrchestratorTurn(
        InstanceState state, IDurableFunctionInvoker invoker, DurableTaskHostOptions options, ILoggerFactory loggerFactory)
    {
        _state = state;
        _invoker = invoker;
        _context = new OrchestratorContext(state, options.DataConverter, options.DefaultVersion, loggerFactory, _thread);
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
        _thread.Run(() => RunOnThread(history, newEvents, now));

    private void RunOnThread(IReadOnlyList<HistoryEvent> history, IReadOnlyList<HistoryEvent> newEvents, DateTime now)
    {
        try
        {
            foreach (HistoryEvent past in history)
            {
                Process(past);
            }

            _context.EndReplay();
            _context.BeginBatch(now);
            foreach (HistoryEvent happened in newEvents)
            {
                Process(happened);
            }

            CustomStatus = _context.SerializeCustomStatus();
            Ending = FindEnding();
            Actions = _context.Actions;
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
                _heldEvents.Enqueue(happened);
            }

            return;
        }

        switch (happened)
        {
            case BatchStarted batch:
                _context.BeginBatch(batch.At);
                break;
            case ExecutionStarted:
                _function = RunFunctionAsync();
                break;
            case TaskScheduled task:
                _context.Match<ScheduleActivity>(task.Id, "activity task", task.Name, action => action.Name);
                break;
            case TimerCreated timer:
                _context.Match<CreateDurableTimer>(timer.Id, "timer", null, _ => null);
                break;
            case SubOrchestrationCreated sub:
                _context.Match<StartSubOrchestration>(sub.Id, "sub-orchestration task", sub.Name, action => action.Name);
                break;
            case EventSent sent:
                _context.Match<SendExternalEvent>(sent.Id, "send event task", sent.Name, action => action.Name);
                break;
            case TaskCompleted task:
                _context.Complete(task.TaskId, task.Result);
                break;
            case TaskFailed task:
                _context.Fail(task.TaskId, task.Failure, task.NonRetriable);
                break;
            case TimerFired timer:
                _context.Complete(timer.TimerId, null);
                break;
            case SubOrchestrationCompleted sub:
                _context.Complete(sub.TaskId, sub.Result);
                break;
            case SubOrchestrationFailed sub:
                _context.Fail(sub.TaskId, sub.Failure, nonRetriable: false);
                break;
            case EventRaised raised:
                _context.Raise(raised);
                break;
            case ExecutionTerminated terminated:
                _terminated ??= terminated;
                break;
            case ExecutionSuspended:
                Suspended = true;
                _heldActions.AddRange(_context.TakeActions());
                break;
            case ExecutionResumed:
                Resume();
                break;
            default:
                throw new InvalidOperationException($"{happened.GetType().Name} is no event of a history.");
        }

        _thread.RunReady();
    }

    private void Resume()
    {
        Suspended = false;
        _context.GiveBackActions(_heldActions);
        _heldActions.Clear();
        while (!Suspended && _heldEvents.TryDequeue(out HistoryEvent? held))
        {
            Process(held);
        }
    }

    private async Task<string?> RunFunctionAsync()
    {
        string? name = _invoker.OrchestratorNames.FirstOrDefault(known => string.Equals(known, _state.Name, StringComparison.OrdinalIgnoreCase));
        if (name is null)
        {
            throw new ArgumentException(FunctionNames.Unknown(_state.Name, "orchestrator", _invoker.OrchestratorNames));
        }

        string? output = await _invoker.InvokeOrchestratorAsync(name, _context, _state.Input);
        _context.EnsureOrchestratorThread();
        return output;
    }

    private ExecutionEnding? FindEnding()
    {
        if (_terminated is not null)
        {
            return new ExecutionEnding(OrchestrationRuntimeStatus.Terminated, _terminated.Output, null);
        }

        if (_context.HasOpenTasks || Suspended)
        {
            return null;
        }

        if (!_function.IsCompleted)
        {
            // With nothing durable left to wait for, no event will ever wake the function: it awaits something else.
            return _context.CanGoOn && !_thread.HasForeignPosts ? null : Failed(new InvalidOperationException(OrchestratorContext.IllegalAwait));
        }

        if (!_function.IsCompletedSuccessfully)
        {
            return Failed(_function.Exception?.InnerException ?? new TaskCanceledException(_function));
        }

        return _context.ContinuesAsNew is { } request
            ? new ExecutionEnding(null, request.Input, null, Guid.NewGuid().ToString("N"), request.Version, _context.CarryOver)
            : new ExecutionEnding(OrchestrationRuntimeStatus.Completed, _function.Result, null);
    }

    private void Fail(Exception exception)
    {
        CustomStatus = _state.CustomStatus;
        Ending = Failed(exception);
        Actions = [];
    }

    private static ExecutionEnding Failed(Exception exception) =>
        new(OrchestrationRuntimeStatus.Failed, exception.Message, TaskFailureDetails.FromException(exception));
}
