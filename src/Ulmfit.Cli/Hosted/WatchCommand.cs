using System.CommandLine;
using System.Diagnostics;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Hosted;

/// <summary><c>ulmfit watch</c>: a run of a host, live.</summary>
internal static class WatchCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan BeginsWithin = TimeSpan.FromSeconds(15);

    public static Command Create()
    {
        Argument<string> what = new("run") { Description = "A run, such as tickets-3, or a data set: its run that has not ended or is about to begin, else its last one", HelpName = "RUN|DATASET" };
        var host = new HostOptions();
        var json = JsonOption.OnOutput("the run as it ended");
        var command = new DocumentedCommand(
            "watch",
            "Watch a run of a host to its end",
            "It shows stages, epochs, losses, the time that is left and the scores, and the exit code tells how the run ended. Leaving it (Ctrl+C) leaves the run alone; after a broken connection it goes on by itself.",
            "ulmfit watch tickets",
            "ulmfit watch tickets-3 --host https://tickets-api.azurewebsites.net",
            "ulmfit watch tickets --json | jq .metrics.macroF1")
        {
            what, json.Option,
        };
        host.AddTo(command);
        command.SetAction(async (parsed, ct) =>
        {
            using HostClient client = host.Open(parsed);
            Screen screen = json.Open(parsed);
            string run = await FindAsync(client, parsed.GetRequiredValue(what), ct);
            EndedRun ended = await new RunFollower(client, screen, TimeProvider.System).FollowAsync(run, ct);
            json.Write(parsed, ended.Document);
            return ended.Run.ExitCode;
        });
        return command;
    }

    private static async Task<string> FindAsync(HostClient client, string name, CancellationToken ct)
    {
        // Both may end in a number: a data set may be called as a run of another.
        if (await client.FindAsync($"api/runs/{Uri.EscapeDataString(name)}", ct) is not null)
        {
            return name;
        }

        string path = $"api/datasets/{Uri.EscapeDataString(name)}";
        HostedDataset dataset = await client.FindAsync<HostedDataset>(path, ct)
            ?? throw new UsageException($"{client.Address} knows no run and no data set '{name}'.");

        // Drops that have not been looked at are about to begin a run, and those that have just been looked at, at any moment.
        long? ready = null;
        while (true)
        {
            if (dataset.ActiveRun is string active)
            {
                return active;
            }

            HostedRun? newest = await client.RunsOfAsync(name, ct) is [HostedRun first, ..] ? first : null;
            bool isTrained = newest is not null && (newest.DatasetVersion ?? dataset.Version) >= dataset.Version;
            ready ??= dataset.Status == "ready" ? Stopwatch.GetTimestamp() : null;
            if (dataset.Status != "pending" && (dataset.Status != "ready" || isTrained || Stopwatch.GetElapsedTime(ready!.Value) > BeginsWithin))
            {
                return newest?.Id ?? throw new UsageException($"The data set '{name}' has no run yet ({dataset.Reason ?? dataset.Status}). A drop begins one: 'ulmfit drop FILE --dataset {name}'.");
            }

            await Task.Delay(LookEvery, ct);
            dataset = await client.FindAsync<HostedDataset>(path, ct) ?? dataset;
        }
    }
}
