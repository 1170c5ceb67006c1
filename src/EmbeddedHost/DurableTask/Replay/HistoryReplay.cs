using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;

namespace EmbeddedHost.Durable;

/// <summary>
/// Host plumbing: runs orchestrators over recorded histories, turn by turn, as the host ran them when the history was made. An instance
/// that is in flight when the code changes stands behind one of those turns: what would break it there is found.
/// </summary>
/// <param name="invoker">Runs the orchestrators. No activity is run.</param>
/// <param name="options">The host's settings: converter and default version.</param>
public sealed class HistoryReplay(IDurableFunctionInvoker invoker, DurableTaskHostOptions options)
{
    /// <summary>
    /// The first thing that would break an instance with this history: that the orchestrator no longer begins what the history says
    /// it began, in that order, which the host detects as non-determinism; that it fails where it went on; or that it hands less to
    /// an activity or a sub-orchestration than it did, because it no longer understands a recorded result. What it does beyond the
    /// history, and the values that it hands on, may be others.
    /// </summary>
    /// <param name="history">What was recorded.</param>
    /// <returns>What breaks, in words, or null where nothing does.</returns>
    public string? FindBreak(RecordedHistory history)
    {
        ArgumentNullException.ThrowIfNull(history);
        var state = new InstanceState();
        int turns = 0;

        // Entries may change as they are applied, so the history itself is read anew.
        foreach (LogEntry entry in RecordedHistory.Parse(history.ToText()).Entries)
        {
            if (entry is TurnRecorded recorded)
            {
                turns++;
                if (FindBreak(state, recorded) is { } found)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"{state.Name} '{state.InstanceId}', turn {turns} ({recorded.At:O}): {found}");
                }
            }

            state = state.Apply(entry);
        }

        // As a host does that takes up the instance now.
        return state.HasEnded || !state.HasStarted ? null : FailureOf(Run(state, [], state.LastUpdatedAt));
    }

    private string? FindBreak(InstanceState state, TurnRecorded recorded)
    {
        int taken = 0;
        List<HistoryEvent> events = [.. recorded.NewEvents.Select(happened => happened is FromInbox ? state.Inbox[taken++] : happened)];
        if (!state.HasStarted && !events.OfType<ExecutionStarted>().Any())
        {
            // Terminated before it began: no orchestrator ran.
            return null;
        }

        OrchestratorTurn turn = Run(state, events, recorded.At);
        if (recorded.Ending?.Failure is null && FailureOf(turn) is { } failure)
        {
            return failure;
        }

        Dictionary<int, OrchestratorAction> now = turn.Actions.ToDictionary(action => action.Id);
        foreach (HistoryEvent action in recorded.Actions)
        {
            (int id, string was, string? input) = Describe(action, recorded);
            if (!now.TryGetValue(id, out OrchestratorAction? same) || Describe(same) != was)
            {
                return string.Create(CultureInfo.InvariantCulture, $"it began {was} as #{id}, and now {(same is null ? "does not" : $"begins {Describe(same)} there")}");
            }

            if (FindLoss(input, InputOf(same)) is { } loss)
            {
                return $"of what it hands to {was}, {loss}";
            }
        }

        return null;
    }

    private OrchestratorTurn Run(InstanceState state, IReadOnlyList<HistoryEvent> events, DateTime now)
    {
        var turn = new OrchestratorTurn(state, invoker, options, NullLoggerFactory.Instance);
        turn.Run(state.History, events, now);
        return turn;
    }

    private static string? FailureOf(OrchestratorTurn turn) =>
        turn.Ending?.Failure is { } failure ? $"it fails with {failure.ErrorType}: {failure.ErrorMessage}" : null;

    // Names are compared as the host compares them.
    private static (int Id, string What, string? Input) Describe(HistoryEvent action, TurnRecorded recorded) => action switch
    {
        TaskScheduled task => (task.Id, Describe("activity", task.Name), task.Input),
        TimerCreated timer => (timer.Id, Describe("timer", null), null),
        SubOrchestrationCreated sub => (sub.Id, Describe("sub-orchestration", sub.Name), recorded.Outgoing.FirstOrDefault(message => message.Start?.Parent?.TaskId == sub.Id)?.Start?.Input),
        EventSent sent => (sent.Id, Describe("event", sent.Name), null),
        _ => throw new FormatException($"{action.GetType().Name} is nothing that an orchestrator begins."),
    };

    private static string Describe(OrchestratorAction action) => action switch
    {
        ScheduleActivity task => Describe("activity", task.Name),
        CreateDurableTimer => Describe("timer", null),
        StartSubOrchestration sub => Describe("sub-orchestration", sub.Name),
        SendExternalEvent sent => Describe("event", sent.Name),
        _ => throw new InvalidOperationException($"{action.GetType().Name} is unknown here."),
    };

    private static string Describe(string kind, string? name) => name is null ? kind : $"{kind} {name.ToUpperInvariant()}";

    private static string? InputOf(OrchestratorAction action) => action switch
    {
        ScheduleActivity task => task.Input,
        StartSubOrchestration sub => sub.Input,
        _ => null,
    };

    /// <summary>Which member of a recorded payload the present one lacks, or has as another kind of value.</summary>
    private static string? FindLoss(string? recorded, string? now)
    {
        if (recorded is null)
        {
            return null;
        }

        using JsonDocument was = JsonDocument.Parse(recorded);
        using JsonDocument becomes = JsonDocument.Parse(now ?? "null");
        return FindLoss(was.RootElement, becomes.RootElement, "$");
    }

    private static string? FindLoss(JsonElement was, JsonElement now, string path)
    {
        if (was.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (KindOf(was) != KindOf(now))
        {
            return $"{path} was {KindOf(was)} and is {KindOf(now)}";
        }

        if (was.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in was.EnumerateObject().Where(member => member.Value.ValueKind != JsonValueKind.Null))
            {
                if (!now.TryGetProperty(member.Name, out JsonElement same))
                {
                    return $"{path}.{member.Name} is missing";
                }

                if (FindLoss(member.Value, same, $"{path}.{member.Name}") is { } loss)
                {
                    return loss;
                }
            }
        }
        else if (was.ValueKind == JsonValueKind.Array)
        {
            if (was.GetArrayLength() != now.GetArrayLength())
            {
                return string.Create(CultureInfo.InvariantCulture, $"{path} had {was.GetArrayLength()} elements and has {now.GetArrayLength()}");
            }

            return was.EnumerateArray().Zip(now.EnumerateArray()).Select((pair, i) => FindLoss(pair.First, pair.Second, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"))).FirstOrDefault(loss => loss is not null);
        }

        return null;
    }

    private static string KindOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Null or JsonValueKind.Undefined => "nothing",
        JsonValueKind.Number => "a number",
        JsonValueKind.String => "a text",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };
}
