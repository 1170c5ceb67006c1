using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Ulmfit.Cli.Terminal;
using Ulmfit.Training;

namespace Ulmfit.Cli.Hosted;

/// <summary>A run that has ended.</summary>
/// <param name="Run">What people are shown.</param>
/// <param name="Document">All that the host tells.</param>
internal sealed record EndedRun(HostedRun Run, JsonElement Document);

/// <summary>
/// Shows a run of a host as if it were trained here, to its end. A connection that breaks is made again, and goes on with the first
/// event that has not been seen.
/// </summary>
/// <param name="client">The host.</param>
/// <param name="screen">Where it is shown.</param>
/// <param name="time">The clock.</param>
internal sealed class RunFollower(HostClient client, Screen screen, TimeProvider time)
{
    // Three of the host's heartbeats.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly HashSet<(Direction Direction, int Stage, int Epoch)> told = [];
    private readonly EpochTable table = new(screen);
    private string? status;

    /// <summary>Follows a run to its end.</summary>
    /// <exception cref="UsageException">There is no such run.</exception>
    /// <exception cref="HostUnreachableException">The host does not answer, or no longer.</exception>
    public async Task<EndedRun> FollowAsync(string id, CancellationToken ct)
    {
        EndedRun ended = await ProgressDisplay.ShowAsync(screen, time, display => FollowAsync(id, display, ct));
        Print(ended.Run);
        return ended;
    }

    private static TimeSpan Pause(int attempt) => TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, 0.25 * Math.Pow(2, attempt)));

    private static WorkProgress ProgressOf(HostedRun run) => new(
        run.Id,
        [.. run.Directions.Select(one => Lane.Of(
            one.Direction,
            one.Stage.StartsWith("lm", StringComparison.Ordinal) ? StageKind.LanguageModel : StageKind.Classifier,
            new TrainingProgress(one.Stage, one.Epoch, one.Epochs, one.Step, one.Steps, one.Loss ?? double.NaN, one.LearningRate ?? double.NaN, one.TokensPerSecond ?? 0)))],
        run.Progress,
        run.EtaSeconds is double seconds ? TimeSpan.FromSeconds(seconds) : null)
    {
        Obstacle = run.Waiting is HostedWait wait ? $"waiting: {wait.Reason}" : null,
    };

    private async Task<EndedRun> FollowAsync(string id, ProgressDisplay display, CancellationToken ct)
    {
        string? last = null;
        bool reached = false;
        long? lost = null;
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using HttpResponseMessage? stream = await client.OpenEventsAsync(id, last, ct);
                if (stream is null)
                {
                    return Told(await client.FindAsync($"api/runs/{Uri.EscapeDataString(id)}", ct) ?? throw new UsageException($"There is no run '{id}'."), display);
                }

                if (lost is not null)
                {
                    screen.Note("The host answers again.");
                }

                (reached, attempt, lost) = (true, 0, null);
                await foreach (ServerSentEvent message in ServerSentEvents.ReadAsync(await stream.Content.ReadAsStreamAsync(ct), Silence, ct))
                {
                    last = message.Id ?? last;
                    if (message.Type == "run")
                    {
                        EndedRun now = Told(JsonSerializer.Deserialize<JsonElement>(message.Data), display);
                        if (now.Run.HasEnded)
                        {
                            return now;
                        }
                    }
                }
            }
            catch (Exception e) when (e is IOException or HostUnreachableException or HostFailedException && reached && (lost is not long at || time.GetElapsedTime(at) < client.Patience))
            {
                if (lost is null)
                {
                    lost = time.GetTimestamp();
                    screen.Note($"The connection to {client.Address} is lost; the run goes on there. Trying again for {client.Patience.TotalSeconds:F0} s.");
                }
            }
            catch (IOException e)
            {
                throw new HostUnreachableException($"The connection to {client.Address} is lost: {e.Message} 'ulmfit watch {id}' looks again.", e);
            }

            await Task.Delay(Pause(attempt), time, ct);
        }
    }

    private EndedRun Told(JsonElement document, ProgressDisplay display)
    {
        HostedRun run = document.Deserialize<HostedRun>(HostedJson.Options) ?? throw new InvalidDataException("The host told of a run that is null.");
        if (run.Status != status)
        {
            status = run.Status;
            if (!run.HasEnded)
            {
                screen.Line($"{run.Id}: {status}");
            }
        }

        foreach (HostedEpoch epoch in run.History.Where(epoch => told.Add((epoch.Direction, epoch.StageIndex, epoch.Epoch))))
        {
            table.Add(epoch.Direction, epoch.ToMetrics());
        }

        display.Report(ProgressOf(run));
        return new EndedRun(run, document);
    }

    private void Print(HostedRun run)
    {
        if (run.Metrics is HostedScores scores)
        {
            Table classes = new Table().Border(TableBorder.Simple).AddColumn("class");
            foreach (string heading in (string[])["precision", "recall", "F1", "rows"])
            {
                classes.AddColumn(new TableColumn(heading).RightAligned());
            }

            static string Share(double? value) => value?.ToString("F3", CultureInfo.InvariantCulture) ?? "–";
            foreach (HostedClass row in scores.PerClass)
            {
                classes.AddRow(Markup.Escape(row.Label), Share(row.Precision), Share(row.Recall), Share(row.F1), row.Rows.ToString(CultureInfo.InvariantCulture));
            }

            screen.Write(classes);
            screen.Line(string.Create(CultureInfo.InvariantCulture, $"accuracy {scores.Accuracy:P2}   macro-F1 {scores.MacroF1:F4}   of {scores.Rows} held-out rows"));
        }

        if (run.ChampionMetrics is HostedScores champion)
        {
            screen.Line(string.Create(CultureInfo.InvariantCulture, $"champion, version {run.ComparedWith}: accuracy {champion.Accuracy:P2}   macro-F1 {champion.MacroF1:F4}"));
        }

        (string outcome, Color color) = run.Status switch
        {
            "completed" => ($"published as version {run.ModelVersion} of model {run.Dataset}", Color.Green),
            "rejected" => ("not published", Color.Yellow),
            "canceled" => ("called off", Color.Yellow),
            _ => ("failed", Color.Red),
        };
        string why = string.Join(' ', new[] { run.Error, run.Decision }.OfType<string>());
        screen.Line($"{run.Id}: {run.Status}, {outcome}{(why.Length > 0 ? $". {why}" : "")}", new Style(color));
    }
}
