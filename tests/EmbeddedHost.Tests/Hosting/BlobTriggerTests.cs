using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.Hosting;

public sealed class BlobTriggerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drop_FileInSubfolder_TriggersWithPathParts()
    {
        await using TestApp app = await StartAsync([typeof(Inbox)]);

        app.Folder.Write("inbox/sub/a.json", "hello");

        await app.Recorder.WaitForAsync("inbox sub/a.json = hello");
        Assert.Equal("0 4", app.Recorder.Notes[1]);
    }

    [Fact]
    public async Task Start_FileWasThereBefore_Triggers()
    {
        using var folder = new TemporaryFolder();
        folder.Write("inbox/early.txt", "early");

        await using TestApp app = await StartAsync([typeof(Inbox)], folder);

        await app.Recorder.WaitForAsync("inbox early.txt = early");
    }

    [Theory]
    [InlineData("types/stream.txt", "stream 5")]
    [InlineData("types/bytes.bin", "bytes 5")]
    [InlineData("types/poco.json", "poco ann")]
    public async Task Drop_ParameterTypes_AreFilled(string path, string note)
    {
        await using TestApp app = await StartAsync([typeof(ContentTypes)]);

        app.Folder.Write(path, path.EndsWith("json", StringComparison.Ordinal) ? """{ "NAME": "ann" }""" : "12345");

        await app.Recorder.WaitForAsync(note);
    }

    [Fact]
    public async Task Rewrite_NewContent_TriggersAgainAndSameFileDoesNot()
    {
        await using TestApp app = await StartAsync([typeof(Inbox)]);
        app.Folder.Write("inbox/a.txt", "one");
        await app.Recorder.WaitForAsync("inbox a.txt = one");

        app.Folder.Write("inbox/a.txt", "second");
        await app.Recorder.WaitForAsync("inbox a.txt = second");
        app.Folder.Write("inbox/last.txt", "last");
        await app.Recorder.WaitForAsync("inbox last.txt = last");

        Assert.Equal(1, app.Recorder.Count("inbox a.txt = one"));
        Assert.Equal(1, app.Recorder.Count("inbox a.txt = second"));
    }

    [Fact]
    public async Task Restart_ReceiptIsThere_DoesNotTriggerAgain()
    {
        using var folder = new TemporaryFolder();
        await using (TestApp first = await StartAsync([typeof(Inbox)], folder))
        {
            folder.Write("inbox/a.txt", "one");
            await first.Recorder.WaitForAsync("inbox a.txt = one");
        }

        await using TestApp second = await StartAsync([typeof(Inbox)], folder);
        folder.Write("inbox/b.txt", "two");
        await second.Recorder.WaitForAsync("inbox b.txt = two");

        Assert.Equal(0, second.Recorder.Count("inbox a.txt = one"));
    }

    [Fact]
    public async Task Restart_ReceiptsEndInHalfALine_TheOthersHold()
    {
        using var folder = new TemporaryFolder();
        await using (TestApp first = await StartAsync([typeof(Inbox)], folder))
        {
            folder.Write("inbox/a.txt", "one");
            await first.Recorder.WaitForAsync("inbox a.txt = one");
        }

        await File.AppendAllTextAsync(folder["host", "blobreceipts", "inbox.jsonl"], """{"blob":"x","et""", Ct);
        for (int i = 0; i < 2; i++)
        {
            await using TestApp again = await StartAsync([typeof(Inbox)], folder);
            folder.Write($"inbox/b{i}.txt", "two");
            await again.Recorder.WaitForAsync($"inbox b{i}.txt = two");
            Assert.Equal(0, again.Recorder.Count("inbox a.txt = one"));
        }
    }

    [Fact]
    public async Task Restart_SourceIsEventGrid_TriggersAgainBecauseNoReceiptIsWritten()
    {
        using var folder = new TemporaryFolder();
        folder.Write("events/a.txt", "x");
        for (int i = 0; i < 2; i++)
        {
            await using TestApp app = await StartAsync([typeof(Events)], folder);
            await app.Recorder.WaitForAsync("event a.txt");
            folder.Write($"events/other{i}.txt", "x");
            await app.Recorder.WaitForAsync($"event other{i}.txt");

            Assert.Equal(1, app.Recorder.Count("event a.txt"));
        }

        Assert.False(Directory.Exists(folder["host", "blobreceipts"]));
    }

    [Fact]
    public async Task Drop_FunctionAlwaysFails_IsTriedFiveTimesThenPoisoned()
    {
        using var folder = new TemporaryFolder();
        await using (TestApp app = await StartAsync([typeof(Broken)], folder))
        {
            folder.Write("broken/bad.txt", "x");
            await Eventually.TrueAsync(() => app.Log.All.Any(l => l.Contains("webjobs-blobtrigger-poison", StringComparison.Ordinal)), "the poison message");

            Assert.Equal(["try 0", "try 1", "try 2", "try 3", "try 4"], app.Recorder.Notes);
            Assert.Contains(app.Log.Of(LogLevel.Error), l => l.Contains("broken/bad.txt", StringComparison.Ordinal) && l.Contains("this cannot be read", StringComparison.Ordinal));
            string[] poison = await File.ReadAllLinesAsync(folder["host", "webjobs-blobtrigger-poison.jsonl"], Ct);
            using JsonDocument message = JsonDocument.Parse(Assert.Single(poison));
            Assert.Equal("bad.txt", message.RootElement.GetProperty("blobName").GetString());
            Assert.Equal("broken", message.RootElement.GetProperty("containerName").GetString());
        }

        await using TestApp again = await StartAsync([typeof(Broken), typeof(Inbox)], folder);
        folder.Write("inbox/a.txt", "one");
        await again.Recorder.WaitForAsync("inbox a.txt = one");
        Assert.DoesNotContain(again.Recorder.Notes, n => n.StartsWith("try", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Drop_FunctionFailsOnce_IsTriedAgainAndDone()
    {
        await using TestApp app = await StartAsync([typeof(Flaky)]);

        app.Folder.Write("flaky/a.txt", "x");

        await app.Recorder.WaitForAsync("done at 1");
        Assert.False(File.Exists(app.Folder["host", "webjobs-blobtrigger-poison.jsonl"]));
    }

    [Fact]
    public async Task Drop_HiddenAndTemporaryNames_AreIgnored()
    {
        await using TestApp app = await StartAsync([typeof(Inbox)]);
        foreach (string name in new[] { ".hidden", "a.tmp", "b.txt~", ".git/config", "up.TMP" })
        {
            app.Folder.Write($"inbox/{name}", "x");
        }

        app.Folder.Write("inbox/real.txt", "x");

        await app.Recorder.WaitForAsync("inbox real.txt = x");
        Assert.DoesNotContain(app.Recorder.Notes, n => n.StartsWith("inbox", StringComparison.Ordinal) && !n.Contains("real", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Drop_FileIsStillWritten_WaitsUntilItHasSettled()
    {
        var time = new ManualTime(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var folder = new TemporaryFolder();
        using var source = new FolderBlobTriggerSource(
            SettingsFor(folder),
            Microsoft.Extensions.Options.Options.Create(new BlobTriggerOptions { SettleTime = TimeSpan.FromSeconds(1) }),
            time,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<FolderBlobTriggerSource>.Instance);

        folder.Write("inbox/a.txt", "1");
        Assert.Empty(await ListAsync(source));
        time.Advance(TimeSpan.FromSeconds(0.9));
        folder.Write("inbox/a.txt", "12");
        Assert.Empty(await ListAsync(source));
        time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Empty(await ListAsync(source));
        time.Advance(TimeSpan.FromSeconds(0.1));
        TriggerBlob blob = Assert.Single(await ListAsync(source));

        Assert.Equal(("a.txt", 2L), (blob.Name, blob.Length));
        await using Stream? right = await source.OpenReadAsync("inbox", "a.txt", blob.ETag, Ct);
        await using Stream? wrong = await source.OpenReadAsync("inbox", "a.txt", "\"other\"", Ct);
        Assert.NotNull(right);
        Assert.Null(wrong);
    }

    [Fact]
    public async Task OpenRead_NameLeadsOutOfTheContainer_FindsNothing()
    {
        using var folder = new TemporaryFolder();
        folder.Write("secret.txt", "x");
        folder.Write("inbox/a.txt", "x");
        using var source = new FolderBlobTriggerSource(
            SettingsFor(folder),
            Microsoft.Extensions.Options.Options.Create(new BlobTriggerOptions()),
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<FolderBlobTriggerSource>.Instance);

        Assert.Null(await source.OpenReadAsync("inbox", "../secret.txt", null, Ct));
        Assert.Null(await source.OpenReadAsync("..", Path.GetFileName(folder.Path) + "/secret.txt", null, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => source.WriteAsync("inbox", "../b.txt", Stream.Null, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => source.WriteAsync("keys", "host.json", Stream.Null, Ct));
    }

    [Fact]
    public async Task Drop_InputsAndOutputs_AreReadAndWritten()
    {
        await using TestApp app = await StartAsync([typeof(Copying)]);
        app.Folder.Write("side/a.txt.note", "beside");

        app.Folder.Write("source/a.txt", "main");

        await Eventually.TrueAsync(() => File.Exists(app.Folder["copies", "a.txt"]), "the output");
        Assert.Equal("main+beside+none", await File.ReadAllTextAsync(app.Folder["copies", "a.txt"], Ct));
        await Eventually.TrueAsync(() => File.Exists(app.Folder["lengths", "a.txt.json"]), "the second function's output");
        Assert.Equal("""{"Length":4}""", await File.ReadAllTextAsync(app.Folder["lengths", "a.txt.json"], Ct));
    }

    [Fact]
    public async Task List_BlobIsDeletedBeforeProcessing_IsSkipped()
    {
        var source = new MemorySource();
        source.Put("inbox", "gone.txt", "x", openable: false);
        source.Put("inbox", "here.txt", "y");
        await using TestApp app = await StartAsync([typeof(Inbox)], configure: b => b.Services.AddSingleton<IBlobTriggerSource>(source));

        await app.Recorder.WaitForAsync("inbox here.txt = y");
        await Eventually.TrueAsync(() => app.Log.All.Any(l => l.Contains("inbox/gone.txt was deleted", StringComparison.Ordinal)), "the log line");

        Assert.Equal(0, app.Recorder.Count("inbox gone.txt = x"));
        Assert.Empty(app.Log.Of(LogLevel.Error));
    }

    [Fact]
    public async Task List_StorageFailsOnce_NextScanFindsTheBlob()
    {
        var source = new MemorySource { FailListings = 1 };
        source.Put("inbox", "a.txt", "x");
        await using TestApp app = await StartAsync([typeof(Inbox)], configure: b => b.Services.AddSingleton<IBlobTriggerSource>(source));

        await app.Recorder.WaitForAsync("inbox a.txt = x");
        Assert.Contains(app.Log.Of(LogLevel.Error), l => l.Contains("storage is away", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Drop_ManyFiles_RunNoMoreThanTheLimitAtATime()
    {
        await using TestApp app = await StartAsync(
            [typeof(Gauge)],
            configure: b => b.Services.AddSingleton<GaugeCounter>(),
            hostJson: """{ "version": "2.0", "extensions": { "blobs": { "maxDegreeOfParallelism": 3 } } }""");
        for (int i = 0; i < 12; i++)
        {
            app.Folder.Write($"gauge/{i}.txt", "x");
        }

        await app.Recorder.WaitForAsync("gauged", 12);

        Assert.Equal(3, app.Host.Services.GetRequiredService<GaugeCounter>().Highest);
    }

    [Fact]
    public async Task Rewrite_WhileTheOldVersionIsProcessed_NewVersionFollows()
    {
        await using TestApp app = await StartAsync([typeof(Held)], configure: b => b.Services.AddSingleton<GaugeCounter>());
        app.Folder.Write("held/a.txt", "one");
        await app.Recorder.WaitForAsync("begin one");

        app.Folder.Write("held/a.txt", "number two");
        app.Host.Services.GetRequiredService<GaugeCounter>().Full.SetResult();

        await app.Recorder.WaitForAsync("end number two");
        Assert.Equal(["begin one", "end one", "begin number two", "end number two"], app.Recorder.Notes);
    }

    [Fact]
    public async Task Stop_BlobIsProcessed_IsToldAndTriesAgainAtTheNextStartWithoutACountedFailure()
    {
        using var folder = new TemporaryFolder();
        folder.Write("held/a.txt", "one");
        for (int i = 0; i < 7; i++)
        {
            await using TestApp app = await StartAsync([typeof(Held)], folder, b => b.Services.AddSingleton<GaugeCounter>());
            await app.Recorder.WaitForAsync("begin one");
        }

        await using TestApp last = await StartAsync([typeof(Held)], folder, b => b.Services.AddSingleton<GaugeCounter>());
        last.Host.Services.GetRequiredService<GaugeCounter>().Full.SetResult();
        await last.Recorder.WaitForAsync("end one");
    }

    [Fact]
    public async Task Start_ProcessDiedInEachOfFiveTries_BlobIsGivenUp()
    {
        using var folder = new TemporaryFolder();
        folder.Write("inbox/a.txt", "one");
        await using (TestApp first = await StartAsync([typeof(Inbox)], folder))
        {
            await first.Recorder.WaitForAsync("inbox a.txt = one");
        }

        // What the journal holds when the process has died in the fifth try.
        string journal = folder["host", "blobreceipts", "inbox.jsonl"];
        string begun = (await File.ReadAllLinesAsync(journal, Ct))[0].Replace("\"attempts\":1", "\"attempts\":5", StringComparison.Ordinal);
        await File.WriteAllTextAsync(journal, begun + "\n", Ct);

        await using TestApp app = await StartAsync([typeof(Inbox)], folder);
        await Eventually.TrueAsync(() => File.Exists(folder["host", "webjobs-blobtrigger-poison.jsonl"]), "the poison list");
        Assert.Empty(app.Recorder.Notes);
    }

    [Theory]
    [InlineData("inbox/{name}", "sub/a.json", "name=sub/a.json")]
    [InlineData("inbox/{name}.{ext}", "a.b.csv", "name=a.b ext=csv")]
    [InlineData("inbox/{dataset}/{name}", "tickets/x.csv", "dataset=tickets name=x.csv")]
    [InlineData("inbox/{dataset}/{name}", "a/b/c.csv", "dataset=a/b name=c.csv")]
    [InlineData("inbox/{dataset}/{name}", "x.csv", null)]
    [InlineData("inbox/in-{name}.txt", "in-7.txt", "name=7")]
    [InlineData("inbox/in-{name}.txt", "out-7.txt", null)]
    [InlineData("inbox/exact.txt", "exact.txt", "")]
    [InlineData("inbox/exact.txt", "Exact.txt", null)]
    [InlineData("inbox", "any/thing", "")]
    [InlineData("inbox/{{a}}-{name}", "{a}-b", "name=b")]
    public void Match_Pattern_BindsGreedily(string pattern, string blob, string? values)
    {
        IReadOnlyDictionary<string, string>? match = BlobPathPattern.Parse(pattern).Match(blob);

        Assert.Equal(values, match is null ? null : string.Join(' ', match.Select(m => $"{m.Key}={m.Value}")));
    }

    private static Task<TestApp> StartAsync(
        Type[] functions,
        TemporaryFolder? folder = null,
        Action<FunctionsApplicationBuilder>? configure = null,
        string hostJson = """{ "version": "2.0" }""") =>
        TestApp.StartAsync(
            functions,
            b =>
            {
                b.Services.Configure<BlobTriggerOptions>(o =>
                {
                    o.SettleTime = TimeSpan.FromMilliseconds(30);
                    o.ScanInterval = TimeSpan.FromMilliseconds(500);
                    o.RetryDelay = TimeSpan.FromMilliseconds(1);
                });
                configure?.Invoke(b);
            },
            folder,
            hostJson);

    private static HostSettings SettingsFor(TemporaryFolder folder) =>
        new(new Microsoft.Extensions.Configuration.ConfigurationManager { ["data"] = folder.Path });

    private static async Task<List<TriggerBlob>> ListAsync(FolderBlobTriggerSource source)
    {
        var blobs = new List<TriggerBlob>();
        await foreach (TriggerBlob blob in source.ListAsync("inbox", "", Ct))
        {
            blobs.Add(blob);
        }

        return blobs;
    }

    internal sealed class Inbox(Recorder recorder)
    {
        [Function("Inbox")]
        public void Run([BlobTrigger("inbox/{name}")] string content, string name, string blobTrigger, FunctionContext context)
        {
            Assert.Equal($"inbox/{name}", blobTrigger);
            recorder.Note($"inbox {name} = {content}");
            recorder.Note($"{context.RetryContext.RetryCount} {context.RetryContext.MaxRetryCount}");
        }
    }

    internal sealed class ContentTypes(Recorder recorder)
    {
        public sealed record Poco(string Name);

        [Function("AsStream")]
        public async Task AsStream([BlobTrigger("types/{name}.txt")] Stream content, CancellationToken cancellationToken)
        {
            using var copy = new MemoryStream();
            await content.CopyToAsync(copy, cancellationToken);
            recorder.Note($"stream {copy.Length}");
        }

        [Function("AsBytes")]
        public void AsBytes([BlobTrigger("types/{name}.bin")] byte[] content) => recorder.Note($"bytes {content.Length}");

        [Function("AsPoco")]
        public void AsPoco([BlobTrigger("types/{name}.json")] Poco content) => recorder.Note($"poco {content.Name}");
    }

    internal sealed class Events(Recorder recorder)
    {
        [Function("Events")]
        public void Run([BlobTrigger("events/{name}", Source = BlobTriggerSource.EventGrid)] Stream content, string name) =>
            recorder.Note($"event {name}");
    }

    internal sealed class Broken(Recorder recorder)
    {
        [Function("Broken")]
        public void Run([BlobTrigger("broken/{name}")] Stream content, FunctionContext context)
        {
            recorder.Note($"try {context.RetryContext.RetryCount}");
            throw new FormatException("this cannot be read");
        }
    }

    internal sealed class Flaky(Recorder recorder)
    {
        [Function("Flaky")]
        public void Run([BlobTrigger("flaky/{name}")] Stream content, FunctionContext context)
        {
            if (context.RetryContext.RetryCount == 0)
            {
                throw new IOException("not yet");
            }

            recorder.Note($"done at {context.RetryContext.RetryCount}");
        }
    }

    public sealed class Copying
    {
        public sealed class Measured
        {
            [BlobOutput("lengths/{name}.json")]
            public object? Length { get; set; }
        }

        [Function("Copy")]
        [BlobOutput("copies/{name}")]
        public string Copy(
            [BlobTrigger("source/{name}")] string content,
            [BlobInput("side/{name}.note")] string beside,
            [BlobInput("side/{name}.absent")] string? absent) => $"{content}+{beside}+{absent ?? "none"}";

        [Function("Measure")]
        public Measured Measure([BlobTrigger("source/{name}")] byte[] content) => new() { Length = new { content.Length } };
    }

    internal sealed class GaugeCounter
    {
        private int now;
        private int highest;

        public int Highest => highest;

        public TaskCompletionSource Full { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Enter()
        {
            int now = Interlocked.Increment(ref this.now);
            int seen;
            while ((seen = Volatile.Read(ref highest)) < now && Interlocked.CompareExchange(ref highest, now, seen) != seen)
            {
            }

            if (now == 3)
            {
                Full.TrySetResult();
            }
        }

        public void Leave() => Interlocked.Decrement(ref now);
    }

    internal sealed class Gauge(Recorder recorder, GaugeCounter counter)
    {
        [Function("Gauge")]
        public async Task Run([BlobTrigger("gauge/{name}")] Stream content)
        {
            counter.Enter();
            await counter.Full.Task;
            counter.Leave();
            recorder.Note("gauged");
        }
    }

    internal sealed class Held(Recorder recorder, GaugeCounter counter)
    {
        [Function("Held")]
        public async Task Run([BlobTrigger("held/{name}")] string content, CancellationToken cancellationToken)
        {
            recorder.Note($"begin {content}");
            await counter.Full.Task.WaitAsync(cancellationToken);
            recorder.Note($"end {content}");
        }
    }

    /// <summary>Another storage than the folder, as an app may bring.</summary>
    private sealed class MemorySource : IBlobTriggerSource
    {
        private readonly ConcurrentDictionary<string, (string Content, bool Openable)> blobs = new();

        public int FailListings { get; set; }

        public void Put(string container, string name, string content, bool openable = true) => blobs[$"{container}/{name}"] = (content, openable);

        public async IAsyncEnumerable<TriggerBlob> ListAsync(string container, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            if (FailListings-- > 0)
            {
                throw new IOException("the storage is away");
            }

            foreach ((string path, (string content, _)) in blobs)
            {
                if (path.StartsWith($"{container}/{prefix}", StringComparison.Ordinal))
                {
                    yield return new TriggerBlob(path[(container.Length + 1)..], "\"1\"", content.Length, DateTimeOffset.UnixEpoch);
                }
            }
        }

        public Task<Stream?> OpenReadAsync(string container, string name, string? etag, CancellationToken cancellationToken) =>
            Task.FromResult<Stream?>(blobs[$"{container}/{name}"] is { Openable: true, Content: var content }
                ? new MemoryStream(Encoding.UTF8.GetBytes(content))
                : null);

        public IDisposable? Watch(string container, Action changed) => null;
    }
}
