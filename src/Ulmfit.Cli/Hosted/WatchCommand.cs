using System.CommandLine;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Hosted;

/// <summary><c>ulmfit watch</c>: a run of a host, live.</summary>
internal static class WatchCommand
{
    public static Command Create()
    {
        Argument<string> what = new("run") { Description = "A run, such as tickets-3, or a data set: its run that has not ended, else its last one", HelpName = "RUN|DATASET" };
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

        HostedDataset dataset = await client.FindAsync<HostedDataset>($"api/datasets/{Uri.EscapeDataString(name)}", ct)
            ?? throw new UsageException($"{client.Address} knows no run and no data set '{name}'.");
        return dataset.ActiveRun ?? (await client.RunsOfAsync(name, ct)) switch
        {
            [HostedRun newest, ..] => newest.Id,
            _ => throw new UsageException($"The data set '{name}' has no run yet ({dataset.Reason ?? dataset.Status}). A drop begins one: 'ulmfit drop FILE --dataset {name}'."),
        };
    }
}
