using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Hosted;

/// <summary>A drop that was sent.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Outcome"><c>stored</c>, or <c>unchanged</c>: the host had it already, byte for byte.</param>
/// <param name="Status"><c>pending</c>, <c>accepted</c>, or <c>rejected</c>: the whole file cannot be used.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Accepted">Rows that can be used.</param>
/// <param name="Rejected">Rows that cannot.</param>
/// <param name="Errors">The first of the reasons.</param>
internal sealed record SentDrop(string Name, string Outcome, string Status, long Bytes, int Accepted, int Rejected, IReadOnlyList<HostedFault> Errors);

/// <summary>What <c>--json</c> gets.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Host">The host.</param>
/// <param name="Drops">The drops.</param>
/// <param name="Run">The run that trained on them, as it ended; null where none was watched.</param>
internal sealed record DropReport(string Dataset, Uri Host, IReadOnlyList<SentDrop> Drops, JsonElement? Run);

/// <summary><c>ulmfit drop</c>: labelled files to a host, which trains on them by itself.</summary>
internal sealed class DropCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly Argument<string[]> files = new("file") { Description = "Labelled text, columns text and label: .csv, .tsv or .jsonl, also .gz", HelpName = "FILE", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> dataset = new("--dataset") { Description = "Name of the data set, and of its model: a-z, 0-9 and '-'", HelpName = "NAME", Required = true };
    private readonly Option<double> wait = new("--wait") { Description = "How many seconds to wait for the host to read the files; 0 for none. It reads them before its next run of the data set", HelpName = "SECONDS", DefaultValueFactory = _ => 60 };
    private readonly Option<bool> watch = new("--watch") { Description = "Then watch the run that trains on them, to its end, as watch does" };
    private readonly HostOptions host = new();
    private readonly JsonOption json = JsonOption.OnOutput("drops and run");

    public static Command Create()
    {
        var drop = new DropCommand();
        var command = new DocumentedCommand(
            "drop",
            "Send labelled files to a host, which trains on them by itself",
            "It tells which rows the host took and which it refused, with the reasons. A drop never changes: the same file again is no new drop, and another content needs another name.",
            "ulmfit drop tickets.csv --dataset tickets --watch",
            "ulmfit drop may.csv june.jsonl.gz --dataset tickets --host https://tickets-api.azurewebsites.net",
            "ulmfit drop tickets.csv --dataset tickets --json | jq '.drops[].errors'")
        {
            drop.files, drop.dataset, drop.wait, drop.watch, drop.json.Option,
        };
        drop.host.AddTo(command);
        command.SetAction(drop.RunAsync);
        return command;
    }

    private static string PathOf(string dataset, string name) => $"api/datasets/{Uri.EscapeDataString(dataset)}/drops/{Uri.EscapeDataString(name)}";

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        string name = parsed.GetRequiredValue(dataset);
        string[] paths = parsed.GetValue(files) ?? [];
        double seconds = parsed.GetValue(wait);
        if (!(seconds is >= 0 and <= 1e7))
        {
            throw new UsageException("--wait must be a number of seconds, 0 or more.");
        }

        // All of them before the first is sent.
        string? missing = paths.FirstOrDefault(path => !File.Exists(path));
        if (missing is not null)
        {
            throw new UsageException($"There is no file '{missing}'.");
        }

        if (paths.GroupBy(Path.GetFileName, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new UsageException($"Two of the files are called '{twice.Key}', and a data set has one drop of a name: rename one.");
        }

        Screen screen = json.Open(parsed);
        using HostClient client = host.Open(parsed);
        int before = (await client.RunsOfAsync(name, ct)).Select(run => run.Number).DefaultIfEmpty().Max();
        var outcomes = new List<(string Name, string Outcome, long Bytes)>();
        foreach (string path in paths)
        {
            outcomes.Add(await SendAsync(client, name, path, screen, ct));
        }

        bool follows = parsed.GetValue(watch);
        EndedRun? run = follows ? await WatchAsync(client, name, [.. outcomes.Select(sent => sent.Name)], before, screen, ct) : null;
        SentDrop[] drops = [.. await ReadAsync(client, name, outcomes, TimeSpan.FromSeconds(follows ? 0 : seconds), ct)];
        await PrintAsync(client, name, drops, follows, screen, ct);
        json.Write(parsed, new DropReport(name, client.Address, drops, run?.Document));
        return drops.Any(drop => drop.Status == "rejected") ? ExitCodes.Usage : run?.Run.ExitCode ?? ExitCodes.Done;
    }

    private static async Task<(string Name, string Outcome, long Bytes)> SendAsync(HostClient client, string dataset, string path, Screen screen, CancellationToken ct)
    {
        string name = Path.GetFileName(path);
        await using FileStream file = File.OpenRead(path);
        long bytes = file.Length;
        bool isNew = await client.PutAsync(PathOf(dataset, name), file, ct);
        screen.Note(string.Create(CultureInfo.InvariantCulture, $"{path}: {bytes:N0} bytes, {(isNew ? "stored" : "the host had them already")}"));
        return (name, isNew ? "stored" : "unchanged", bytes);
    }

    private static async Task<IReadOnlyList<SentDrop>> ReadAsync(HostClient client, string dataset, List<(string Name, string Outcome, long Bytes)> sent, TimeSpan within, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(within);
        while (true)
        {
            var drops = new List<SentDrop>();
            foreach ((string name, string outcome, long bytes) in sent)
            {
                HostedDrop? found = await client.FindAsync<HostedDrop>(PathOf(dataset, name), ct);
                drops.Add(new SentDrop(name, outcome, found?.Status ?? "pending", bytes, found?.Accepted ?? 0, found?.Rejected ?? 0, found?.Errors ?? []));
            }

            if (limit.IsCancellationRequested || drops.All(drop => drop.Status != "pending"))
            {
                return drops;
            }

            await Task.Delay(LookEvery, ct);
        }
    }

    /// <summary>
    /// Follows the runs of the data set until one has ended that was trained on what is there now. The one that is at work when a drop
    /// comes in knows nothing of it, and the next begins by itself.
    /// </summary>
    /// <returns>That run; null where the drops gave nothing to train on.</returns>
    private static async Task<EndedRun?> WatchAsync(HostClient client, string dataset, string[] names, int before, Screen screen, CancellationToken ct)
    {
        EndedRun? ended = null;
        while (true)
        {
            HostedDataset? now = await client.FindAsync<HostedDataset>($"api/datasets/{Uri.EscapeDataString(dataset)}", ct);
            bool read = true;
            foreach (string name in names)
            {
                read &= await client.FindAsync<HostedDrop>(PathOf(dataset, name), ct) is { Status: not "pending" };
            }

            // Asked for last: a run that has ended by then is among them, however short it was.
            HostedRun? newest = await client.RunsOfAsync(dataset, ct) is [HostedRun first, ..] ? first : null;
            if (newest is not null && newest.Id != ended?.Run.Id && (!newest.HasEnded || newest.Number > before))
            {
                ended = await new RunFollower(client, screen, TimeProvider.System).FollowAsync(newest.Id, ct);
                continue;
            }

            if (now is not null && read && now.ActiveRun is null)
            {
                if (now.Status == "refused" || now.Version is null)
                {
                    return ended;
                }

                // A run that failed before it had read anything has no version, and none follows it by itself.
                if (newest is { HasEnded: true } && (newest.DatasetVersion ?? now.Version) >= now.Version)
                {
                    // Of a file that the host had already it may have ended long ago.
                    return newest.Id == ended?.Run.Id ? ended : await new RunFollower(client, screen, TimeProvider.System).FollowAsync(newest.Id, ct);
                }
            }

            await Task.Delay(LookEvery, ct);
        }
    }

    private static async Task PrintAsync(HostClient client, string dataset, SentDrop[] drops, bool followed, Screen screen, CancellationToken ct)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("drop").AddColumn("status").AddColumn(new TableColumn("accepted").RightAligned()).AddColumn(new TableColumn("refused").RightAligned());
        foreach (SentDrop drop in drops)
        {
            string status = drop.Status switch { "accepted" => "[green]accepted[/]", "rejected" => "[red]rejected[/]", _ => "[yellow]pending[/]" };
            table.AddRow(Markup.Escape(drop.Name), status, drop.Accepted.ToString("N0", CultureInfo.InvariantCulture), drop.Rejected.ToString("N0", CultureInfo.InvariantCulture));
        }

        screen.Write(table);
        foreach (SentDrop drop in drops)
        {
            foreach (HostedFault fault in drop.Errors)
            {
                screen.Line(string.Create(CultureInfo.InvariantCulture, $"{drop.Name}({fault.Line}): {fault.Reason}"));
            }

            if (drop.Rejected > drop.Errors.Count)
            {
                screen.Line(string.Create(CultureInfo.InvariantCulture, $"{drop.Name}: {drop.Rejected - drop.Errors.Count} further rows refused"));
            }
        }

        HostedDataset? now = await client.FindAsync<HostedDataset>($"api/datasets/{Uri.EscapeDataString(dataset)}", ct);
        if (now is { Status: "refused", Reason: string reason })
        {
            screen.Line($"{dataset}: nothing to train on yet: {reason}", new Style(Color.Yellow));
        }
        else if (drops.Any(drop => drop.Status == "pending"))
        {
            screen.Line(now?.ActiveRun is string run
                ? $"{dataset}: the host reads them when {run} has ended; 'ulmfit watch {dataset}' shows it."
                : $"{dataset}: the host has not read them yet.");
        }
        else if (!followed && now?.ActiveRun is string active)
        {
            screen.Line($"{dataset}: {active} is at work; 'ulmfit watch {dataset}' shows it.");
        }
    }
}
