using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

public sealed class DatasetPreparationTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly LogCollector<DatasetPreparation> log = new();
    private readonly DatasetCatalog catalog;
    private readonly DatasetPreparation preparation;

    public DatasetPreparationTests()
    {
        catalog = new DatasetCatalog(store.Blobs);
        preparation = new DatasetPreparation(store.Blobs, catalog, new PipelineOptions { ReportedRows = 5 }, TimeProvider.System, log);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task RunAsync_GoodRows_GivesAVersionWithEveryRowOnOneSide()
    {
        await DropAsync("a.csv", Csv(Rows(200)));

        PreparedDataset prepared = await preparation.RunAsync("tickets", Ct);

        Assert.Equal(1, prepared.Version);
        DatasetVersion version = await catalog.GetVersionAsync("tickets", 1, Ct);
        DatasetRows rows = await catalog.ReadRowsAsync(version, Ct);
        Assert.Equal(200, rows.Train.Count + rows.HeldOut.Count);
        Assert.InRange(rows.HeldOut.Count, 5, 40);
        Assert.Empty(rows.Train.Select(r => r.Text).Intersect(rows.HeldOut.Select(r => r.Text)));
        Assert.Equal(["bad", "good"], version.Classes.Select(c => c.Label));
        Assert.Equal(200, version.Classes.Sum(c => c.Train + c.HeldOut));
        Assert.Equal("labeled/a.csv", Assert.Single(version.Drops).Name);
    }

    [Fact]
    public async Task RunAsync_Again_GivesTheSameVersionAndWritesNothing()
    {
        await DropAsync("a.csv", Csv(Rows(60)));
        await preparation.RunAsync("tickets", Ct);
        BlobInfo? manifest = await store.Blobs.GetInfoAsync(Containers.State, "datasets/tickets/manifest.json", Ct);

        PreparedDataset again = await preparation.RunAsync("tickets", Ct);

        Assert.Equal(1, again.Version);
        Assert.Equal(manifest!.ETag, (await store.Blobs.GetInfoAsync(Containers.State, "datasets/tickets/manifest.json", Ct))!.ETag);
        Assert.Single(await catalog.ListVersionsAsync("tickets", Ct));
    }

    [Fact]
    public async Task RunAsync_MoreRowsThanADataSetMayHave_TakesTheFilesThatFitAndSaysWhichDoNot()
    {
        DatasetPreparation strict = Limited(new Limits { Rows = 100 });
        await DropAsync("a.csv", Csv(Rows(60)));
        await DropAsync("b.csv", Csv(Rows(60, "other")));
        await DropAsync("c.csv", Csv(Rows(40, "third")));
        await DropAsync("d.csv", Csv(Rows(1, "fourth")));

        await strict.RunAsync("tickets", Ct);

        DatasetManifest manifest = (await catalog.FindManifestAsync("tickets", Ct))!;
        Assert.Equal(100, manifest.Rows);
        Assert.Equal([60, 0, 40, 0], manifest.Drops.Select(drop => drop.Accepted));
        Assert.Contains("more than the 40 rows allowed", manifest.Drops[1].Fault!.Reason, StringComparison.Ordinal);
        Assert.Contains("Limits:Rows", manifest.Drops[3].Fault!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_BeyondTheLimitsOfAFile_RefusesFileOrRow()
    {
        DatasetPreparation strict = Limited(new Limits { Labels = 3, TextCharacters = 60, UnpackedBytes = 5000 });
        await DropAsync("good.csv", Csv(Rows(40)));
        await DropAsync("labels.csv", Csv(Rows(20, "x").Select((row, i) => (row.Text, $"label{i}"))));
        await DropAsync("long.csv", $"text,label\n{new string('x', 80)},good\n");
        await store.Blobs.PutAsync(Containers.Labeled, "tickets/bomb.csv.gz", Gzip(Csv(Rows(400, "bomb"))), Ct);

        await strict.RunAsync("tickets", Ct);

        DatasetManifest manifest = (await catalog.FindManifestAsync("tickets", Ct))!;
        Assert.Equal([("bomb.csv.gz", 0), ("good.csv", 40), ("labels.csv", 0), ("long.csv", 0)], manifest.Drops.Select(drop => (drop.Name, drop.Accepted)));
        Assert.Contains("5000 bytes", manifest.Drops[0].Fault!.Reason, StringComparison.Ordinal);
        Assert.Contains("3 different labels", manifest.Drops[2].Fault!.Reason, StringComparison.Ordinal);
        Assert.Contains("60 characters", Assert.Single(manifest.Drops[3].Faults).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_MoreLabelsOverAllFilesThanMayBe_IsRefused()
    {
        DatasetPreparation strict = Limited(new Limits { Labels = 3 });
        await DropAsync("a.csv", Csv(Rows(40)));
        await DropAsync("b.csv", Csv(Rows(40, "other").Select(row => (row.Text, row.Label + "2"))));

        PreparedDataset prepared = await strict.RunAsync("tickets", Ct);

        Assert.Null(prepared.Version);
        Assert.Contains("4 different labels", prepared.Refusal, StringComparison.Ordinal);
        Assert.Contains("Limits:Labels", prepared.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ManyAtOnce_GiveOneVersion()
    {
        await DropAsync("a.csv", Csv(Rows(60)));

        PreparedDataset[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => preparation.RunAsync("tickets", Ct), Ct)));

        Assert.All(all, prepared => Assert.Equal(1, prepared.Version));
        Assert.Single(await catalog.ListVersionsAsync("tickets", Ct));
    }

    [Fact]
    public async Task RunAsync_SameRowsUnderOtherNamesAndFormats_GiveTheSameVersion()
    {
        (string Text, string Label)[] rows = Rows(60);
        await DropAsync("m.csv", Csv(rows));
        await preparation.RunAsync("tickets", Ct);

        await DropAsync("a.csv", Csv(rows.Reverse()));
        await DropAsync("z.jsonl", string.Concat(rows.Take(20).Select(r => $"{{\"text\": \"{r.Text}\", \"label\": \"{r.Label}\"}}\n")));
        PreparedDataset again = await preparation.RunAsync("tickets", Ct);

        Assert.Equal(1, again.Version);
        DatasetManifest manifest = (await catalog.FindManifestAsync("tickets", Ct))!;
        Assert.Equal(80, manifest.Duplicates);
        Assert.Equal(60, manifest.Rows);
        Assert.Equal((await catalog.ListDropsAsync("tickets", Ct)).GetFingerprint(), manifest.Fingerprint);
    }

    [Fact]
    public async Task RunAsync_MoreRowsLater_NeverMovesATextToTheOtherSide()
    {
        await DropAsync("a.csv", Csv(Rows(100)));
        await preparation.RunAsync("tickets", Ct);
        DatasetRows before = await catalog.ReadRowsAsync(await catalog.GetVersionAsync("tickets", 1, Ct), Ct);

        await DropAsync("b.csv", Csv(Rows(100, "late")));
        PreparedDataset prepared = await preparation.RunAsync("tickets", Ct);

        Assert.Equal(2, prepared.Version);
        DatasetRows after = await catalog.ReadRowsAsync(await catalog.GetVersionAsync("tickets", 2, Ct), Ct);
        Assert.Equal(200, after.Train.Count + after.HeldOut.Count);
        Assert.Empty(before.HeldOut.Select(r => r.Text).Intersect(after.Train.Select(r => r.Text)));
        Assert.Empty(before.Train.Select(r => r.Text).Intersect(after.HeldOut.Select(r => r.Text)));
    }

    [Fact]
    public async Task RunAsync_ContradictingLabels_LeavesAllRowsOfTheTextOutAndSaysWhere()
    {
        await DropAsync("a.csv", Csv(Rows(60)) + "one and the same text,good\n");
        await DropAsync("b.csv", "text,label\none and the same text,bad\n");

        await preparation.RunAsync("tickets", Ct);

        DatasetManifest manifest = (await catalog.FindManifestAsync("tickets", Ct))!;
        Assert.Equal(2, manifest.Contradictions);
        RowFault fault = Assert.Single(manifest.Drops.Single(drop => drop.Name == "a.csv").Faults);
        Assert.Equal(62, fault.Line);
        Assert.Contains("b.csv", fault.Reason, StringComparison.Ordinal);
        DatasetRows rows = await catalog.ReadRowsAsync(await catalog.GetVersionAsync("tickets", 1, Ct), Ct);
        Assert.DoesNotContain(rows.Train.Concat(rows.HeldOut), row => row.Text.StartsWith("one and", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_UnlabelledText_JoinsWithoutWhatIsLabelled()
    {
        (string Text, string Label)[] rows = Rows(60);
        await DropAsync("a.csv", Csv(rows));
        await store.Blobs.PutTextAsync(Containers.Unlabeled, "tickets/u.txt", $"something new\n{rows[0].Text}\nsomething new\nsomething else\n", Ct);

        await preparation.RunAsync("tickets", Ct);

        DatasetRows read = await catalog.ReadRowsAsync(await catalog.GetVersionAsync("tickets", 1, Ct), Ct);
        Assert.Equal(["something else", "something new"], read.Unlabeled.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task RunAsync_UnlabelledFilesOfEveryKind_AreInTheVersionAndItsLineage()
    {
        await DropAsync("a.csv", Csv(Rows(60)));
        int? without = (await preparation.RunAsync("tickets", Ct)).Version;
        await store.Blobs.PutTextAsync(Containers.Unlabeled, "tickets/lines.txt", "a line of text\nanother line\n", Ct);
        await store.Blobs.PutTextAsync(Containers.Unlabeled, "tickets/rows.jsonl", "{\"text\": \"a row\"}\n{\"text\": \"a row with a label\", \"label\": \"ignored\"}\n", Ct);

        int? with = (await preparation.RunAsync("tickets", Ct)).Version;

        Assert.Equal((1, 2), (without, with));
        DatasetVersion before = await catalog.GetVersionAsync("tickets", 1, Ct), after = await catalog.GetVersionAsync("tickets", 2, Ct);
        Assert.NotEqual(before.Digest, after.Digest);
        Assert.Equal(before.Train, after.Train);
        Assert.Equal(4, after.Unlabeled.Rows);
        Assert.Equal(["labeled/a.csv", "unlabeled/lines.txt", "unlabeled/rows.jsonl"], after.Drops.Select(drop => drop.Name));
        Assert.All(after.Drops, drop => Assert.Matches("^[0-9a-f]{64}$", drop.Sha256));
        Assert.Equal(2, (await preparation.RunAsync("tickets", Ct)).Version);
    }

    [Fact]
    public async Task RunAsync_UnlabelledFilesThatAreBad_AreToldWithTheirReasonsAndTheRestIsUsed()
    {
        await DropAsync("a.csv", Csv(Rows(60)));
        await store.Blobs.PutTextAsync(Containers.Unlabeled, "tickets/good.txt", "a line of text\n", Ct);
        await store.Blobs.PutTextAsync(Containers.Unlabeled, "tickets/half.jsonl", "{\"text\": \"a row\"}\n{\"text\": 3\n{\"words\": \"no text\"}\n", Ct);
        await store.Blobs.PutTextAsync(Containers.Unlabeled, "tickets/empty.txt", "", Ct);
        await store.Blobs.PutAsync(Containers.Unlabeled, "tickets/picture.png", [0x89, 0x50, 0x4E, 0x47, 0, 0, 0, 0], Ct);

        Assert.Equal(1, (await preparation.RunAsync("tickets", Ct)).Version);

        DatasetManifest manifest = (await catalog.FindManifestAsync("tickets", Ct))!;
        DropReport Of(string name) => manifest.Unlabeled.Single(drop => drop.Name == name);
        Assert.Equal((1, 0), (Of("good.txt").Accepted, Of("good.txt").Rejected));
        Assert.Equal((1, 2), (Of("half.jsonl").Accepted, Of("half.jsonl").Rejected));
        Assert.Equal([2L, 3L], Of("half.jsonl").Faults.Select(fault => fault.Line));
        Assert.All(Of("half.jsonl").Faults, fault => Assert.NotEmpty(fault.Reason));
        Assert.Contains("empty", Of("empty.txt").Fault!.Reason, StringComparison.Ordinal);
        Assert.NotNull(Of("picture.png").Fault);
        Assert.Equal(2, (await catalog.GetVersionAsync("tickets", 1, Ct)).Unlabeled.Rows);
    }

    [Fact]
    public async Task RunAsync_ColumnsOfTheSettings_AreRead()
    {
        await catalog.PutSettingsAsync("tickets", TrainingSettings.Default with { TextColumn = "body", LabelColumn = "queue" }, Ct);
        await DropAsync("a.csv", "id,queue,body\n" + string.Concat(Rows(60).Select((r, i) => $"{i},{r.Label},{r.Text}\n")));

        Assert.Equal(1, (await preparation.RunAsync("tickets", Ct)).Version);
    }

    public static TheoryData<string, byte[], string, bool> BadDrops()
    {
        string good = Csv(Rows(60));
        byte[] random = new byte[4096];
        new Random(1).NextBytes(random);
        return new TheoryData<string, byte[], string, bool>
        {
            { "empty.csv", [], "empty", true },
            { "header-only.csv", "text,label\n"u8.ToArray(), "no row", true },
            { "no-label-column.csv", Encoding.UTF8.GetBytes("text,subject,colour\n" + string.Concat(Rows(60).Select((r, i) => $"{r.Text},s{i},red\n"))), "label", true },
            { "binary.csv", random, "", true },
            { "truncated.csv.gz", Gzip(good)[..^20], "", true },
            { "not-gzip.csv.gz", Encoding.UTF8.GetBytes(good), "gzip", true },
            { "one-long-line.csv", OneLongLine(50 << 20), "", false },
            { "wrong-encoding.csv", [.. "text,label\n"u8, .. Encoding.Latin1.GetBytes(string.Concat(Rows(60).Select(r => $"größer {r.Text},{r.Label}\n")))], "UTF-8", false },
            { "unbalanced.csv", Encoding.UTF8.GetBytes("text,label\n\"this quote never ends,good\n" + string.Concat(Rows(60).Select(r => $"{r.Text},{r.Label}\n"))), "quot", false },
            { "unknown.xls", Encoding.UTF8.GetBytes(good), "", true },
        };
    }

    [Theory]
    // Discovery would write their contents out, which takes minutes and gigabytes for the longest.
    [MemberData(nameof(BadDrops), DisableDiscoveryEnumeration = true)]
    public async Task RunAsync_BadDropBesideAGoodOne_IsReportedAndTheGoodOneIsUsed(string name, byte[] content, string reason, bool wholeFile)
    {
        await store.Blobs.PutAsync(Containers.Labeled, $"tickets/{name}", content, Ct);
        PreparedDataset alone = await preparation.RunAsync("tickets", Ct);

        // Of the rows behind an unbalanced quote the good ones are kept; everything else here gives nothing.
        Assert.Equal(name == "unbalanced.csv", alone.Version is not null);
        Assert.NotEqual(alone.Version is null, alone.Refusal is null);

        await DropAsync("good.csv", Csv(Rows(60)));
        PreparedDataset prepared = await preparation.RunAsync("tickets", Ct);

        Assert.Equal(1, prepared.Version);
        DatasetManifest manifest = (await catalog.FindManifestAsync("tickets", Ct))!;
        DropReport bad = manifest.Drops.Single(drop => drop.Name == name);
        Assert.Equal(wholeFile, bad.Fault is not null);
        RowFault fault = bad.Fault ?? bad.Faults[0];
        Assert.True(fault.Line >= 1);
        Assert.Contains(reason, fault.Reason, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(log.Entries, entry =>
            entry.Level == LogLevel.Warning && entry.Message.Contains($"labeled/tickets/{name}, line {fault.Line}: {fault.Reason}", StringComparison.Ordinal));
        Assert.Equal(60, (await catalog.ReadRowsAsync(await catalog.GetVersionAsync("tickets", 1, Ct), Ct)) is { } rows ? rows.Train.Count + rows.HeldOut.Count : 0);
    }

    [Fact]
    public async Task RunAsync_RowsWithoutLabelAmongGoodOnes_AreRejectedWithTheirLines()
    {
        await DropAsync("a.csv", "text,label\nfirst without,\n" + string.Concat(Rows(60).Select(r => $"{r.Text},{r.Label}\n")) + "last without,  \n");

        Assert.Equal(1, (await preparation.RunAsync("tickets", Ct)).Version);

        DropReport report = Assert.Single((await catalog.FindManifestAsync("tickets", Ct))!.Drops);
        Assert.Equal(60, report.Accepted);
        Assert.Equal(2, report.Rejected);
        Assert.Equal([2L, 63L], report.Faults.Select(fault => fault.Line));
        Assert.All(report.Faults, fault => Assert.Contains("no label", fault.Reason, StringComparison.Ordinal));
        Assert.Contains(log.Entries, entry => entry.Message.Contains("labeled/tickets/a.csv, line 63", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_OneClassOnly_RefusesTheSetAndSaysSo()
    {
        await DropAsync("a.csv", "text,label\n" + string.Concat(Rows(60).Select(r => $"{r.Text},good\n")));

        PreparedDataset prepared = await preparation.RunAsync("tickets", Ct);

        Assert.Null(prepared.Version);
        Assert.Contains("at least 2 labels", prepared.Refusal, StringComparison.Ordinal);
        Assert.Equal(prepared.Refusal, (await catalog.FindManifestAsync("tickets", Ct))!.Refusal);
        Assert.Contains(log.Entries, entry => entry.Message.Contains(prepared.Refusal!, StringComparison.Ordinal));
        Assert.Empty(await catalog.ListVersionsAsync("tickets", Ct));
    }

    [Fact]
    public async Task RunAsync_MoreBadRowsThanAreReported_CountsThemAll()
    {
        await DropAsync("a.csv", "text,label\n" + string.Concat(Rows(60).Select(r => $"{r.Text},{r.Label}\n")) + string.Concat(Enumerable.Range(0, 50).Select(i => $"without {i},\n")));

        await preparation.RunAsync("tickets", Ct);

        DropReport report = Assert.Single((await catalog.FindManifestAsync("tickets", Ct))!.Drops);
        Assert.Equal(50, report.Rejected);
        Assert.Equal(5, report.Faults.Count);
    }

    [Fact]
    public async Task RunAsync_DropThatWasToldOf_IsNotLoggedAgain()
    {
        await DropAsync("a.csv", Csv(Rows(60)) + "without,\n");
        await preparation.RunAsync("tickets", Ct);
        int logged = log.Entries.Count(entry => entry.Level == LogLevel.Warning);

        await preparation.RunAsync("tickets", Ct);

        Assert.Equal(1, logged);
        Assert.Equal(logged, log.Entries.Count(entry => entry.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task ReadRowsAsync_FlippedBit_IsNoticed()
    {
        await DropAsync("a.csv", Csv(Rows(60)));
        await preparation.RunAsync("tickets", Ct);
        DatasetVersion version = await catalog.GetVersionAsync("tickets", 1, Ct);
        store.FlipBit(Containers.State, $"sha256/tickets/data/{version.Train.Sha256}", 100);

        await Assert.ThrowsAsync<Documents.CorruptBlobException>(() => catalog.ReadRowsAsync(version, Ct));
    }

    private static (string Text, string Label)[] Rows(int count, string word = "row") =>
    [
        .. Enumerable.Range(0, count).Select(i => (
            string.Create(CultureInfo.InvariantCulture, $"{word} {i} is {(i % 2 == 0 ? "fine and nice" : "broken and late")}"), i % 2 == 0 ? "good" : "bad")),
    ];

    private DatasetPreparation Limited(Limits limits) =>
        new(store.Blobs, catalog, new PipelineOptions { ReportedRows = 5, Limits = limits }, TimeProvider.System, log);

    private static string Csv(IEnumerable<(string Text, string Label)> rows) => "text,label\n" + string.Concat(rows.Select(r => $"{r.Text},{r.Label}\n"));

    private static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }
        return compressed.ToArray();
    }

    private static byte[] OneLongLine(int length)
    {
        byte[] line = new byte[length];
        line.AsSpan().Fill((byte)'x');
        "text,label\n"u8.CopyTo(line);
        return line;
    }

    private Task<BlobInfo> DropAsync(string name, string content) => store.Blobs.PutTextAsync(Containers.Labeled, $"tickets/{name}", content, Ct);
}
