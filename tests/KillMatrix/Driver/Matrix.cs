using System.Collections.Concurrent;
using System.Diagnostics;
using KillMatrix.Agent;

namespace KillMatrix.Driver;

/// <summary>
/// The kill matrix: undisturbed runs tell what is written, in which order, and what comes of it; then each point within those writes, and
/// instants by chance, become the end of a host. Kills are bundled, several one after another in a run.
/// </summary>
internal sealed class Matrix(MatrixOptions options, Action<string> log)
{
    // A point that one run ended before is tried again in others, of which it is among the first kills.
    private const int Rounds = 3;

    private readonly ConcurrentQueue<Finding> findings = new();
    private readonly ConcurrentQueue<(Undisturbed Of, Kill Kill)> left = new();
    private int pointKills;
    private int instantKills;
    private int done;

    /// <summary>Goes through the matrix.</summary>
    /// <exception cref="StuckException">Not even an undisturbed run ends.</exception>
    public async Task<MatrixResult> RunAsync(CancellationToken ct)
    {
        long began = Stopwatch.GetTimestamp();
        Workload[] workloads = [new Workload(Late: false), new Workload(Late: true)];
        Undisturbed[] undisturbed = await Task.WhenAll(workloads.Select(workload => ObserveAsync(workload, ct)));
        (Undisturbed Of, IReadOnlyList<Kill> Kills)[] runs = Bundle(undisturbed, out int known);
        log($"{known} points within {undisturbed.Sum(one => one.Writes)} writes; {runs.Sum(run => run.Kills.Count)} kills in {runs.Length} runs, seed {options.Seed}.");
        int begun = 0;
        for (int round = 0; round < Rounds && runs.Length > 0; round++)
        {
            int first = begun + 1;
            begun += runs.Length;
            await Parallel.ForEachAsync(
                runs.Select((run, index) => (run.Of, run.Kills, Number: first + index)),
                new ParallelOptions { MaxDegreeOfParallelism = options.Parallel, CancellationToken = ct },
                async (run, token) => await DisturbAsync(run.Of, run.Kills, run.Number, begun, token));
            if (round < Rounds - 1)
            {
                runs = [.. Again()];
            }
        }
        return new MatrixResult
        {
            KnownPoints = known,
            Runs = begun,
            PointKills = pointKills,
            InstantKills = instantKills,
            NotReached = left.Count,
            Took = Stopwatch.GetElapsedTime(began),
            Findings = [.. findings],
        };
    }

    private async Task<Undisturbed> ObserveAsync(Workload workload, CancellationToken ct)
    {
        long began = Stopwatch.GetTimestamp();
        using var run = new DisturbedRun(options, workload, []);
        Outcome outcome = await run.RunAsync(ct);
        if (outcome.Unreferenced.Count + outcome.Temporary.Count > 0)
        {
            findings.Enqueue(new Finding(FindingKind.Orphan, 0, string.Join("; ", outcome.Unreferenced.Concat(outcome.Temporary))));
        }
        TimeSpan took = Stopwatch.GetElapsedTime(began);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var points = new List<Kill>();
        IReadOnlyList<string> writes = run.FirstWrites;
        for (int i = 0; i < writes.Count; i++)
        {
            string operation = writes[i];
            int occurrence = seen[operation] = seen.GetValueOrDefault(operation) + 1;
            points.AddRange(ModesOf(operation).Select(mode => new Kill(new WritePoint(operation, occurrence, mode), default, i)));
        }
        log(FormattableString.Invariant($"Undisturbed, {workload.Runs} run(s): {writes.Count} writes in {took.TotalSeconds:0.0} s. {string.Join("; ", outcome.Runs)}"));
        return new Undisturbed(workload, outcome, took, writes.Count, points);
    }

    private static IEnumerable<KillMode> ModesOf(string operation) => operation.Split(' ')[0] switch
    {
        "delete" => [KillMode.Before, KillMode.After],
        "log" => [KillMode.Before, KillMode.Torn, KillMode.After],
        _ => [KillMode.Before, KillMode.Torn, KillMode.Unnamed, KillMode.After],
    };

    // Every run bears points of one workload in their order, and one instant by chance among them.
    private (Undisturbed, IReadOnlyList<Kill>)[] Bundle(Undisturbed[] undisturbed, out int known)
    {
        var random = new Random(options.Seed);
        (Undisturbed Of, Kill Kill)[] all = [.. undisturbed.SelectMany(one => one.Points.Select(kill => (one, kill)))];

        // What both workloads write is the same code; the second adds what comes of a drop that is late.
        var first = undisturbed[0].Points.Select(kill => kill.Point).ToHashSet();
        all = [.. all.Where(one => one.Of == undisturbed[0] || !first.Contains(one.Kill.Point))
            .Where(one => options.Only is null || one.Kill.Point!.Operation.Contains(options.Only, StringComparison.Ordinal))];
        known = all.Length;
        random.Shuffle(all);
        var bundles = all.Take(options.Points ?? all.Length).GroupBy(one => one.Of)
            .SelectMany(group => group.Select(one => one.Kill).Chunk(options.KillsOfARun).Select(chunk => (Of: group.Key, Kills: chunk.OrderBy(kill => kill.Order).ToList())))
            .ToList();
        for (int i = 0; i < options.Instants; i++)
        {
            if (bundles.Count < (options.Instants + options.KillsOfARun - 1) / options.KillsOfARun)
            {
                bundles.Add((undisturbed[bundles.Count % undisturbed.Length], []));
            }
            (Undisturbed of, List<Kill> kills) = bundles[i % bundles.Count];
            int at = random.Next(kills.Count + 1);

            // A later life has less to do, and more of it is the start.
            kills.Insert(at, new Kill(null, of.Took * (0.1 + ((at == 0 ? 0.7 : 0.3) * random.NextDouble())), -1));
        }
        (Undisturbed, IReadOnlyList<Kill>)[] runs = [.. bundles.Select(bundle => (bundle.Of, (IReadOnlyList<Kill>)bundle.Kills))];
        random.Shuffle(runs);
        return runs;
    }

    private IEnumerable<(Undisturbed, IReadOnlyList<Kill>)> Again()
    {
        var points = new List<(Undisturbed Of, Kill Kill)>();
        while (left.TryDequeue(out (Undisturbed Of, Kill Kill) one))
        {
            points.Add(one.Kill.Point is null ? (one.Of, one.Kill with { At = one.Kill.At / 2 }) : one);
        }
        return points.GroupBy(one => one.Of).SelectMany(group =>
            group.Select(one => one.Kill).Chunk(2).Select(chunk => (group.Key, (IReadOnlyList<Kill>)[.. chunk.OrderBy(kill => kill.Order)])));
    }

    private async Task DisturbAsync(Undisturbed reference, IReadOnlyList<Kill> kills, int number, int total, CancellationToken ct)
    {
        long began = Stopwatch.GetTimestamp();
        using var run = new DisturbedRun(options, reference.Workload, kills);
        Finding[] found;
        try
        {
            Outcome outcome = await run.RunAsync(ct);
            found = [.. outcome.Differences(reference.Outcome).Select(difference => new Finding(difference.Kind, number, difference.Text))];
        }
        catch (StuckException e)
        {
            found = [new Finding(FindingKind.Stuck, number, $"{e.Message}; the host wrote:\n{string.Join('\n', run.Output.TakeLast(40))}")];
        }
        Interlocked.Add(ref pointKills, run.Done.Count(kill => kill.Point is not null));
        Interlocked.Add(ref instantKills, run.Done.Count(kill => kill.Point is null));
        foreach (Kill kill in kills.Skip(run.Done.Count))
        {
            left.Enqueue((reference, kill));
        }
        foreach (Finding finding in found)
        {
            run.Folder.Keep = options.Keep;
            Finding told = finding with { Text = $"{finding.Text}\n    after the kills: {string.Join(" | ", run.Done)}{(options.Keep ? $"\n    data: {run.Folder.Data}" : "")}" };
            findings.Enqueue(told);
            log($"FOUND {told.Kind} in run {number}: {told.Text}");
        }
        log(FormattableString.Invariant($"[{Interlocked.Increment(ref done)}/{total}] run {number}: {run.Done.Count} kills, {found.Length} findings{(run.Done.Count < kills.Count ? $", not reached: {string.Join(" | ", kills.Skip(run.Done.Count))}" : "")}, {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s"));
    }

    private sealed record Undisturbed(Workload Workload, Outcome Outcome, TimeSpan Took, int Writes, IReadOnlyList<Kill> Points);
}
