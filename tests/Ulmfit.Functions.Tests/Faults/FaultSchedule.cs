using System.Text;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Functions.Tests.Faults;

/// <summary>
/// One drop, or two, on their way to published models while the store fails as a plan says. The embodiment of "nothing is lost": what
/// must be so in the end is in <see cref="CheckAsync"/>.
/// </summary>
internal sealed class FaultSchedule : IDisposable
{
    public const string Dataset = "tickets";

    // The most rounds of the timer in which all is done; a round that nothing goes wrong in does it.
    private const int MaxRounds = 60;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly FaultPlan plan;
    private readonly ITrainingEngine engine;
    private readonly string folder;
    private readonly FolderBlobStore store;
    private readonly FaultyBlobStore faulty;

    public FaultSchedule(FaultPlan plan, ITrainingEngine engine)
    {
        this.plan = plan;
        this.engine = engine;

        // Thousands of folders that are written through to the disk would measure the disk.
        string root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        folder = Path.Combine(root, $"ulmfit-faults-{Guid.NewGuid():N}");
        store = new FolderBlobStore(folder);
        faulty = new FaultyBlobStore(store, plan);
    }

    /// <summary>The store that the schedule runs on.</summary>
    public FaultyBlobStore Store => faulty;

    public int Faults => faulty.Faults.Count;

    public int Calls => faulty.Calls;

    /// <summary>What held up the work in the end; null for nothing.</summary>
    public RunWait? Waiting { get; private set; }

    public static string[] Drops { get; } = [Rows(0, 28), Rows(28, 24)];

    /// <summary>Runs the schedule.</summary>
    /// <returns>The runs that there were, in words: equal for equal outcomes.</returns>
    /// <exception cref="ScheduleViolationException">Something is not as it must be.</exception>
    public Task<string> RunAsync(CancellationToken ct) => RunAsync(_ => Task.CompletedTask, ct);

    /// <summary>Runs the schedule, and something beside it once the first drop is there.</summary>
    public async Task<string> RunAsync(Func<InProcessApp, Task> beside, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        await using var app = new InProcessApp(faulty, engine, new ErraticClock(plan), folder);
        try
        {
            await SetUpAsync(patience.Token);
            if (plan.SecondDropAfter == 0)
            {
                // Both are there before anybody looks.
                await store.PutTextIfAbsentAsync(Containers.Labeled, $"{Dataset}/b.csv", Drops[1], patience.Token);
            }
            await app.StartAsync(patience.Token);
            await DropAsync(app, 0, patience.Token);
            Task second = plan.SecondDropAfter is null ? Task.CompletedTask : Task.Run(
                async () =>
                {
                    await faulty.SecondDropIsDue;
                    await DropAsync(app, 1, patience.Token);
                },
                patience.Token);
            await beside(app);
            await ComeToRestAsync(app, second, patience.Token);
            Waiting = app.Get<RunWaits>().Find(Dataset);
            return await CheckAsync(patience.Token);
        }
        catch (Exception e) when (e is not ScheduleViolationException and not Xunit.Sdk.XunitException && !ct.IsCancellationRequested)
        {
            throw Violation($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}", app);
        }
        catch (ScheduleViolationException e)
        {
            throw Violation(e.Message, app);
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ScheduleViolationException Violation(string what, InProcessApp app)
    {
        var text = new StringBuilder();
        text.AppendLine($"The fault schedule of seed {plan.Seed} (ULMFIT_FAULT_SEED={plan.Seed} replays it) is violated: {what}");
        text.AppendLine($"  rate {plan.Rate}, at most {plan.Spite} a blob, stale {plan.Stale} by {plan.Behind}, outage at {plan.OutageAt} for {plan.OutageLength}, {plan.Rots} bits lost, second drop {plan.SecondDropAfter}, {(plan.BothDirections ? "both directions" : "forward")}");
        text.AppendLine("  Faults:");
        text.AppendJoin("\n", faulty.Faults.TakeLast(80).Select(fault => "    " + fault)).AppendLine();
        text.AppendLine("  Logged:");
        text.AppendJoin("\n", app.Logged.TakeLast(60).Select(line => "    " + line)).AppendLine();
        text.AppendLine("  Stored:");
        text.AppendJoin("\n", Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(path => !path.Contains("/.", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(path => "    " + Path.GetRelativePath(folder, path))).AppendLine();
        return new ScheduleViolationException(text.ToString());
    }

    private async Task SetUpAsync(CancellationToken ct)
    {
        // As small as a model can be that is still trained by every line of the method.
        Vocabulary vocabulary = Vocabulary.Build([["good", "bad"], ["good", "bad"], ["good", "bad"]]);
        foreach ((string file, ulong seed) in new[] { ("forward.safetensors", 1UL), ("backward.safetensors", 2UL) })
        {
            using var weights = new MemoryStream();
            Safetensors.Write(weights, WeightInitialization.LanguageModel(new AwdLstmConfig(vocabulary.Count, 6, 8, 1), seed));
            await store.PutAsync(Containers.Pretrained, $"mite/{file}", weights.ToArray(), ct);
        }
        await store.PutAsync(Containers.Pretrained, "mite/vocabulary.json", vocabulary.ToJson(), ct);
        await new DatasetCatalog(store).PutSettingsAsync(
            Dataset,
            TrainingSettings.Default with
            {
                Pretrained = "mite",

                // With these every run learns enough to be published, whatever the product takes where settings say nothing.
                Seed = 5,
                DiscriminativeFactor = 2.6,
                Directions = plan.BothDirections ? Directions.Both : Directions.Forward,
                Strategy = Strategy.Full,
                HeldOutFraction = 0.3,
                LanguageModel = new LanguageModelSettings { FineTune = true, Epochs = 1, FrozenEpochs = 0, Batch = 4, Bptt = 30 },
                Classifier = new ClassifierSettings { Epochs = 3, Batch = 8, LearningRate = 0.05, HeadHiddenSize = 4, DropMultiplier = 0 },
            },
            ct);
    }

    // A client that sends until it is told that the drop is there, and a trigger that fires at least once unless it fails five times.
    private async Task DropAsync(InProcessApp app, int number, CancellationToken ct)
    {
        string name = $"{(char)('a' + number)}.csv";
        DropOutcome? outcome = null;
        while (outcome is null)
        {
            using var content = new MemoryStream(Encoding.UTF8.GetBytes(Drops[number]));
            outcome = await TryAsync<DropOutcome?>(async () => await app.Get<DropStore>().PutAsync(Dataset, name, content, ct));
        }
        if (outcome == DropOutcome.Conflict)
        {
            throw new ScheduleViolationException($"the drop {name} is said to exist with other content");
        }
        for (int attempt = 0; attempt < 5; attempt++)
        {
            if (await TryAsync(async () =>
            {
                await app.DropArrivedAsync(Dataset, name, ct);
                return true;
            }))
            {
                break;
            }
        }
    }

    private async Task ComeToRestAsync(InProcessApp app, Task second, CancellationToken ct)
    {
        RunStart clean = CleanStart();
        for (int round = 0; round < MaxRounds; round++)
        {
            await app.RestAsync(Dataset, ct);
            if (!second.IsCompleted && !faulty.SecondDropIsDue.IsCompleted && !(await clean.ObserveAsync(Dataset, ct)).HasWork)
            {
                // So few calls were there that its time has not come.
                faulty.DropNow();
            }
            if (second.IsCompleted || faulty.SecondDropIsDue.IsCompleted)
            {
                await second;
                if (!(await clean.ObserveAsync(Dataset, ct)).HasWork && await IsAtRestAsync(app, ct))
                {
                    return;
                }
            }
            await TryAsync(async () =>
            {
                await app.ReconcileAsync(ct);
                return true;
            });
        }
        throw new ScheduleViolationException($"there is still something to do after {MaxRounds} rounds of the timer");
    }

    private static async Task<bool> IsAtRestAsync(InProcessApp app, CancellationToken ct) =>
        await app.Client.GetInstanceAsync(Orchestration.RetrainStarter.InstanceId(Dataset), ct) is null or { IsCompleted: true };

    private RunStart CleanStart()
    {
        var registry = new ModelRegistry(store, TimeProvider.System);
        return new RunStart(new RunRegistry(store, TimeProvider.System), new DatasetCatalog(store), new EarlierModels(registry), new PipelineOptions(), TimeProvider.System);
    }

    /// <summary>What must be so whatever went wrong.</summary>
    private async Task<string> CheckAsync(CancellationToken ct)
    {
        var catalog = new DatasetCatalog(store);
        var registry = new ModelRegistry(store, TimeProvider.System);
        var runs = new RunRegistry(store, TimeProvider.System);
        int drops = plan.SecondDropAfter is null ? 1 : 2;

        // No drop is lost.
        for (int i = 0; i < drops; i++)
        {
            Check(await store.GetTextAsync(Containers.Labeled, $"{Dataset}/{(char)('a' + i)}.csv", ct) == Drops[i], $"drop {i} is not there as it was sent");
        }
        DatasetManifest manifest = await catalog.FindManifestAsync(Dataset, ct) ?? throw new ScheduleViolationException("the data set has no manifest");
        Check(manifest.Fingerprint == (await catalog.ListDropsAsync(Dataset, ct)).GetFingerprint(), "the manifest does not account for the drops");
        Check(manifest.Drops.Count == drops, $"the manifest lists {manifest.Drops.Count} drops of {drops}");

        // No version of the data was trained on twice, the last one was, and what was published was published once. A preparation that
        // lost its answer may have left a version that one with another drop has replaced before it was trained on.
        IReadOnlyList<DatasetVersion> versions = await catalog.ListVersionsAsync(Dataset, ct);
        Check(manifest.Version == versions[^1].Version, "the manifest names another version than the last");
        IReadOnlyList<ModelCard> cards = await registry.ListVersionsAsync(Dataset, ct);
        var outcome = new StringBuilder();
        var published = new List<int>();
        var trained = new List<int>();
        await foreach (RunManifest run in runs.ListAsync(Dataset, ct))
        {
            Check(run.Status is RunStatus.Completed or RunStatus.Rejected, $"run {run.Number} is {run.Status}: {run.Error}");
            Check(run.History.Count == (plan.BothDirections ? 8 : 4), $"run {run.Number} has {run.History.Count} epochs");
            trained.Add(run.DatasetVersion!.Value);
            if (run.ModelVersion is { } version)
            {
                published.Add(version);
                ModelCard card = cards.Single(c => c.Version == version);
                Check(card.Run == run.GetId().ToString() && card.WeightsDigest == run.WeightsDigest, $"version {version} is not of run {run.Number}");
            }
            DatasetVersion data = versions.Single(v => v.Version == run.DatasetVersion);
            outcome.Append(System.Globalization.CultureInfo.InvariantCulture, $"run {run.Number} on {data.Digest[..8]}: {run.Status} {run.WeightsDigest}; ");
        }
        Check(trained.SequenceEqual(trained.Distinct().Order()) && trained[^1] == versions[^1].Version, $"runs trained on the versions {string.Join(", ", trained)} of {versions.Count}");
        Check(published.SequenceEqual(cards.Select(card => card.Version)), $"runs published {string.Join(", ", published)}, there are {string.Join(", ", cards.Select(card => card.Version))}");
        ChampionPointer champion = (await registry.FindChampionAsync(Dataset, ct) ?? throw new ScheduleViolationException("there is no champion")).Value;
        Check(champion.Version == published[^1] && champion.History.Select(p => p.Version).SequenceEqual(published.AsEnumerable().Reverse()), "the champion pointer does not tell the publications");

        await CheckForOrphansAsync(versions, trained.Count, cards, champion, registry, runs, ct);
        return outcome.ToString();
    }

    private async Task CheckForOrphansAsync(
        IReadOnlyList<DatasetVersion> versions, int runCount, IReadOnlyList<ModelCard> cards, ChampionPointer champion, ModelRegistry registry, RunRegistry runs, CancellationToken ct)
    {
        if (faulty.WasBehind)
        {
            // A purge that was shown the past leaves something; the next one collects it.
            var purge = new CheckpointPurge(store, runs, registry, Microsoft.Extensions.Logging.Abstractions.NullLogger<CheckpointPurge>.Instance);
            await purge.RunAsync(Dataset, ct);
        }
        var wanted = new HashSet<string>(StringComparer.Ordinal)
        {
            $"state/datasets/{Dataset}/settings.json", $"state/datasets/{Dataset}/manifest.json", $"models/{Dataset}/champion.json",
        };
        foreach (DatasetVersion version in versions)
        {
            wanted.Add($"state/datasets/{Dataset}/versions/{version.Version:D6}.json");
            foreach (RowsReference rows in (RowsReference[])[version.Train, version.HeldOut, version.Unlabeled])
            {
                wanted.Add($"state/sha256/{Dataset}/data/{rows.Sha256}");
            }
        }
        for (int run = 1; run <= runCount; run++)
        {
            wanted.Add($"state/runs/{Dataset}/{run:D6}.json");
            wanted.Add($"state/reports/{Dataset}/{run:D6}.json");
        }
        foreach (ModelCard card in cards)
        {
            wanted.Add($"state/versions/{Dataset}/{card.Version:D6}.json");
            foreach (string file in card.Files.Keys.Append(ModelFiles.Card))
            {
                wanted.Add($"models/{ModelFiles.PathOf(Dataset, card.Version, file)}");
            }
        }
        string kept = RunId.Parse(cards.Single(card => card.Version == champion.Version).Run).Number.ToString("D6", System.Globalization.CultureInfo.InvariantCulture);
        var found = new List<string>();
        foreach (string container in (string[])[Containers.State, Containers.Models])
        {
            await foreach (BlobInfo blob in store.ListAsync(container, "", ct))
            {
                found.Add($"{container}/{blob.Name}");
            }
        }
        string[] steps = [.. found.Where(name => name.StartsWith($"state/steps/{Dataset}/{kept}/", StringComparison.Ordinal))];
        string[] checkpoints = [.. found.Where(name => name.StartsWith($"state/sha256/{Dataset}/runs/{kept}/", StringComparison.Ordinal))];
        int directions = plan.BothDirections ? 2 : 1;
        Check(steps.Length == directions && checkpoints.Length == directions, $"of the champion's run {steps.Length} steps and {checkpoints.Length} checkpoints are kept");
        string[] orphans = [.. found.Except(wanted).Except(steps).Except(checkpoints)];
        string[] missing = [.. wanted.Except(found)];
        Check(orphans.Length == 0, $"nobody knows of {string.Join(", ", orphans)}");
        Check(missing.Length == 0, $"there is no {string.Join(", ", missing)}");
        foreach (ModelCard card in cards)
        {
            foreach (string file in card.Files.Keys)
            {
                Check(await registry.FindFileAsync(card, file, ct) is not null, $"version {card.Version} has no {file}");
            }
        }
    }

    // Two words tell the classes apart: a few steps learn them.
    private static string Rows(int from, int count) => "text,label\n" + string.Concat(Enumerable.Range(from, count).Select(i =>
        i % 2 == 0 ? $"good good number {i} good,praise\n" : $"bad bad number {i} bad,complaint\n"));

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new ScheduleViolationException(otherwise);
        }
    }

    private static async Task<T?> TryAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}

/// <summary>Something is not as it must be.</summary>
internal sealed class ScheduleViolationException(string message) : Exception(message);
