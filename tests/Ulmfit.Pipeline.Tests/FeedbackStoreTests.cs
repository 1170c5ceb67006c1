using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests;

public sealed class FeedbackStoreTests : IDisposable
{
    private static readonly PipelineOptions Options = new() { Feedback = new FeedbackOptions { MinimumRows = 3, Wait = TimeSpan.FromHours(1) } };

    private readonly TemporaryStore store = new();
    private readonly ShiftedClock time = new();
    private readonly LogCollector<FeedbackStore> log = new();
    private readonly FeedbackStore feedback;

    public FeedbackStoreTests() => feedback = Open(store.Blobs, Options);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task PutAsync_ARow_IsInStorageAndNoDropYet()
    {
        FeedbackReceipt receipt = await PutAsync("it is late", "complaint");

        Assert.Equal(new FeedbackReceipt(1, false, 1), receipt);
        Assert.Empty(await store.NamesAsync(Containers.Labeled));
        Assert.Single(await store.NamesAsync(Containers.State, "feedback/rows/tickets/"));
    }

    [Fact]
    public async Task GatherDueAsync_ATrickle_MakesADropOfSoManyRowsAndNotOfEach()
    {
        for (int i = 0; i < 7; i++)
        {
            await PutAsync($"text {i}", "praise");
            await feedback.GatherDueAsync(Ct);
        }

        Assert.Equal(2, (await store.NamesAsync(Containers.Labeled, "tickets/feedback-")).Count);
        Assert.Equal(1, await feedback.CountAsync("tickets", Ct));
        Assert.Equal(["text 0", "text 1", "text 2", "text 3", "text 4", "text 5"], (await RowsOfDropsAsync()).Select(row => row.Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task GatherDueAsync_FewRowsThatHaveWaitedLongEnough_MakeADrop()
    {
        await PutAsync("text", "praise");
        await feedback.GatherDueAsync(Ct);
        Assert.Empty(await store.NamesAsync(Containers.Labeled));

        time.Advance(TimeSpan.FromMinutes(61));
        await feedback.GatherDueAsync(Ct);

        Assert.Equal(("text", "praise"), Assert.Single(await RowsOfDropsAsync()));
        Assert.Equal(["feedback/clocks/tickets.json"], await store.NamesAsync(Containers.State, "feedback/"));
    }

    [Fact]
    public async Task GatherDueAsync_RowsSaidAgainAndAgain_DoNotWaitForEver()
    {
        for (int i = 0; i < 4; i++)
        {
            await PutAsync("text", "praise");
            time.Advance(TimeSpan.FromMinutes(20));
        }

        await feedback.GatherDueAsync(Ct);

        Assert.Single(await RowsOfDropsAsync());
    }

    [Theory]
    [InlineData("say praise; say complaint", "complaint")]
    [InlineData("say praise; gather; say complaint; gather", "complaint")]
    [InlineData("say praise; gather; say complaint; gather; say praise; gather", "praise")]
    [InlineData("say praise; say complaint; say praise", "praise")]
    [InlineData("key praise; say complaint; key praise", "complaint")]
    [InlineData("key praise; gather; say complaint; gather; key praise; gather", "complaint")]
    [InlineData("cut praise; say complaint; gather; key praise; gather", "complaint")]
    [InlineData("cut praise; say complaint; gather; key praise; say praise; gather", "praise")]
    [InlineData("say complaint; cut praise; key praise", "praise")]
    [InlineData("say praise; back; say complaint", "complaint")]
    [InlineData("say praise; gather; back; key complaint; gather", "complaint")]
    [InlineData("key praise; back; say complaint; gather; back; key praise; gather", "complaint")]
    public async Task Rows_SaidOfOneText_CountInTheOrderInWhichTheyWereSaid(string story, string label)
    {
        await DropAsync("a.csv", "text,label\nit is late,first label\n");
        foreach (string[] step in story.Split("; ").Select(step => step.Split(' ')))
        {
            time.Advance(TimeSpan.FromSeconds(1));
            switch (step)
            {
                case ["say", var said]:
                    await PutAsync("it is late", said);
                    break;
                case ["key", var said]:
                    await PutAsync("it  is late", said, "the key");
                    break;
                case ["back"]:
                    time.Advance(TimeSpan.FromDays(-1));
                    break;
                case ["cut", var said]:
                    // The process dies after it has noted the key and before it stores the row.
                    var cut = new DyingStore(store.Blobs, name => name.StartsWith("feedback/rows/", StringComparison.Ordinal));
                    await Assert.ThrowsAsync<IOException>(() => Open(cut, Options).PutAsync("tickets", [new FeedbackRow("it  is late", said)], "the key", Ct));
                    break;
                default:
                    await feedback.GatherAsync("tickets", Ct);
                    break;
            }
        }
        await feedback.GatherAsync("tickets", Ct);

        Assert.Equal(label, (await LabelsAsync(12))["it is late"]);
    }

    [Fact]
    public async Task PutAsync_SameKey_IsStoredOnceAndAnsweredAsRepeated()
    {
        FeedbackReceipt first = await PutAsync("text", "praise", "k");
        await feedback.GatherAsync("tickets", Ct);
        FeedbackReceipt again = await PutAsync("text", "praise", "k");
        await feedback.GatherAsync("tickets", Ct);

        Assert.Equal((false, true), (first.IsRepeated, again.IsRepeated));
        Assert.Single(await store.NamesAsync(Containers.Labeled));
    }

    [Fact]
    public async Task PutAsync_KeyOfOtherRows_IsRefused()
    {
        await PutAsync("text", "praise", "k");

        FeedbackRefusedException refused = await Assert.ThrowsAsync<FeedbackRefusedException>(() => PutAsync("text", "complaint", "k"));

        Assert.Equal(FeedbackRefusal.KeyTaken, refused.Refusal);
    }

    [Fact]
    public async Task GatherAsync_KeysThatAreOld_AreForgotten()
    {
        await PutAsync("text", "praise", "k");
        await feedback.GatherAsync("tickets", Ct);
        Assert.Single(await store.NamesAsync(Containers.State, "feedback/keys/"));

        time.Advance(FeedbackStore.KeysLast + TimeSpan.FromMinutes(1));
        await PutAsync("other", "praise");
        await feedback.GatherAsync("tickets", Ct);

        Assert.Equal(["feedback/clocks/tickets.json"], await store.NamesAsync(Containers.State, "feedback/"));
    }

    [Theory]
    [InlineData(" ", "praise", "no text")]
    [InlineData("text", "", "no label")]
    [InlineData("text", "two\nlines", "control character")]
    public async Task PutAsync_RowThatNoPreparationWouldUse_IsRefusedWithAllOthers(string text, string label, string reason)
    {
        FeedbackRefusedException refused = await Assert.ThrowsAsync<FeedbackRefusedException>(
            () => feedback.PutAsync("tickets", [new FeedbackRow("fine", "praise"), new FeedbackRow(text, label)], null, Ct));

        Assert.Equal(FeedbackRefusal.Invalid, refused.Refusal);
        Assert.Contains("Row 2", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Empty(await store.NamesAsync(Containers.State));
    }

    [Fact]
    public async Task PutAsync_OneTextTwice_IsRefused()
    {
        FeedbackRefusedException refused = await Assert.ThrowsAsync<FeedbackRefusedException>(
            () => feedback.PutAsync("tickets", [new FeedbackRow("a text", "praise"), new FeedbackRow(" a  text", "complaint")], null, Ct));

        Assert.Contains("Rows 1 and 2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PutAsync_MoreRowsThanMayWait_IsRefusedUntilTheyAreADrop()
    {
        FeedbackStore small = Open(store.Blobs, Options with { Limits = new Limits { FeedbackWaiting = 2 } });
        await small.PutAsync("tickets", [new FeedbackRow("a", "praise"), new FeedbackRow("b", "praise")], null, Ct);

        FeedbackRefusedException refused = await Assert.ThrowsAsync<FeedbackRefusedException>(() => small.PutAsync("tickets", [new FeedbackRow("c", "praise")], null, Ct));
        await small.GatherAsync("tickets", Ct);
        FeedbackReceipt taken = await small.PutAsync("tickets", [new FeedbackRow("c", "praise")], null, Ct);

        Assert.Equal(FeedbackRefusal.Full, refused.Refusal);
        Assert.Equal(1, taken.Waiting);
    }

    [Fact]
    public async Task PutAsync_NewLabel_IsTakenWhileThereIsRoomForIt()
    {
        PipelineOptions two = Options with { Limits = new Limits { Labels = 2 } };
        await DropAsync("a.csv", Csv(20));
        await PreparationOf(two).RunAsync("tickets", Ct);

        FeedbackRefusedException refused = await Assert.ThrowsAsync<FeedbackRefusedException>(() => Open(store.Blobs, two).PutAsync("tickets", [new FeedbackRow("a", "third")], null, Ct));
        FeedbackReceipt taken = await PutAsync("a", "third");

        Assert.Contains("Limits:Labels", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, taken.Rows);
    }

    [Fact]
    public async Task GatherAsync_ADamagedRow_IsToldAndTheOthersMakeADrop()
    {
        await PutAsync("damaged", "praise");
        string damaged = Assert.Single(await store.NamesAsync(Containers.State, "feedback/rows/"));
        store.FlipBit(Containers.State, damaged, 30);
        await PutAsync("whole", "praise");

        await feedback.GatherAsync("tickets", Ct);

        Assert.Equal("whole", Assert.Single(await RowsOfDropsAsync()).Text);
        Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Error && entry.Message.Contains("damaged", StringComparison.Ordinal));
        Assert.Empty(await store.NamesAsync(Containers.State, "feedback/rows/"));
    }

    [Fact]
    public async Task PutAsync_TheTimeOfTheLastCallIsDamaged_IsToldAndGoesOn()
    {
        await PutAsync("a", "praise");
        store.FlipBit(Containers.State, "feedback/clocks/tickets.json", 12);

        FeedbackReceipt receipt = await PutAsync("b", "praise");

        Assert.Equal(2, receipt.Waiting);
        Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Error && entry.Message.Contains("damaged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PutAsync_ManyCallersAtOnce_AreAllStored()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => PutAsync($"text {i % 20}", i % 3 == 0 ? "praise" : "complaint", i % 2 == 0 ? $"key {i}" : null), Ct)));

        Assert.Equal(20, await feedback.CountAsync("tickets", Ct));
    }

    [Fact]
    public async Task Drop_OfFeedback_IsReadWhateverTheSettingsCallTheColumns()
    {
        await new DatasetCatalog(store.Blobs).PutSettingsAsync("tickets", Ulmfit.Training.TrainingSettings.Parse("""{"textColumn": "body", "labelColumn": "queue"}"""), Ct);
        await DropAsync("a.csv", "body,queue\n" + string.Concat(Enumerable.Range(0, 80).Select(i => $"text {i},{(i % 2 == 0 ? "praise" : "complaint")}\n")));
        await PutAsync("text 0", "complaint");
        await feedback.GatherAsync("tickets", Ct);

        Assert.Equal("complaint", (await LabelsAsync(0))["text 0"]);
        DatasetManifest manifest = (await new DatasetCatalog(store.Blobs).FindManifestAsync("tickets", Ct))!;
        Assert.Equal((1, 0), (manifest.Corrected, manifest.Contradictions));
        Assert.All(manifest.Drops, drop => Assert.Equal(0, drop.Rejected));
    }

    // Whatever is repeated, cut short by a failing storage, or gathered meanwhile, and however often: of every text the label that was said last counts.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Rows_WhateverFailsAndIsRepeated_AreNeverLostNorTurnedBack(int seed)
    {
        var random = new Random(seed);
        var said = new Dictionary<string, string>(StringComparer.Ordinal);
        var calls = new List<(FeedbackRow[] Rows, string? Key)>();
        for (int step = 0; step < 60; step++)
        {
            time.Advance(TimeSpan.FromSeconds(1));

            // A process of its own each time: nothing is known but what is stored.
            var faulty = new RandomlyFaultyStore(store.Blobs, random, 0.15);
            FeedbackStore process = Open(faulty, Options);
            if (random.Next(4) == 0)
            {
                await IgnoreFaultAsync(() => process.GatherAsync("tickets", Ct));
                continue;
            }
            if (random.Next(4) == 0 && calls.Where(call => call.Key is not null).ToArray() is { Length: > 0 } keyed)
            {
                // A caller that never saw its answer repeats its call, however late: what was said since stands.
                (FeedbackRow[] rows, string? key) = keyed[random.Next(keyed.Length)];
                await IgnoreFaultAsync(() => process.PutAsync("tickets", rows, key, Ct));
                continue;
            }
            FeedbackRow[] next = [.. Enumerable.Range(0, 12).Where(_ => random.Next(4) == 0).Select(i => new FeedbackRow($"text {i}", random.Next(2) == 0 ? "praise" : "complaint"))];
            if (next.Length == 0)
            {
                continue;
            }
            string? name = random.Next(2) == 0 ? $"call {step}" : null;
            calls.Add((next, name));
            while (!await IgnoreFaultAsync(() => process.PutAsync("tickets", next, name, Ct)))
            {
                // Until it is acknowledged.
            }
            foreach (FeedbackRow row in next)
            {
                said[row.Text] = row.Label;
            }
        }
        while (!await IgnoreFaultAsync(() => Open(new RandomlyFaultyStore(store.Blobs, random, 0.15), Options).GatherAsync("tickets", Ct)))
        {
            // Until all is a drop.
        }

        IReadOnlyDictionary<string, string> labels = await LabelsAsync(20);
        Assert.Equal(said.OrderBy(row => row.Key, StringComparer.Ordinal), labels.Where(row => said.ContainsKey(row.Key)).OrderBy(row => row.Key, StringComparer.Ordinal));
        Assert.Empty(await store.NamesAsync(Containers.State, "feedback/rows/"));
    }

    private static async Task<bool> IgnoreFaultAsync<T>(Func<Task<T>> step)
    {
        try
        {
            await step();
            return true;
        }
        catch (InjectedFaultException)
        {
            return false;
        }
    }

    private FeedbackStore Open(IBlobStore blobs, PipelineOptions options) =>
        new(blobs, new DropStore(blobs, options), new DatasetCatalog(blobs), options, time, log);

    private DatasetPreparation PreparationOf(PipelineOptions options) =>
        new(store.Blobs, new DatasetCatalog(store.Blobs), options, time, NullLogger<DatasetPreparation>.Instance);

    private Task<FeedbackReceipt> PutAsync(string text, string label, string? key = null) => feedback.PutAsync("tickets", [new FeedbackRow(text, label)], key, Ct);

    private async Task DropAsync(string name, string content) =>
        await store.Blobs.PutAsync(Containers.Labeled, $"tickets/{name}", Encoding.UTF8.GetBytes(content), Ct);

    private static string Csv(int rows) =>
        "text,label\n" + string.Concat(Enumerable.Range(0, rows).Select(i => string.Create(CultureInfo.InvariantCulture, $"filler {i},{(i % 2 == 0 ? "praise" : "complaint")}\n")));

    // The labels that a run would train on, of each text; with so many rows beside those of the test.
    private async Task<IReadOnlyDictionary<string, string>> LabelsAsync(int filler)
    {
        if (filler > 0)
        {
            await DropAsync("filler.csv", Csv(filler));
        }
        var catalog = new DatasetCatalog(store.Blobs);
        PreparedDataset prepared = await PreparationOf(Options).RunAsync("tickets", Ct);
        Assert.True(prepared.Version is not null, prepared.Refusal);
        DatasetRows rows = await catalog.ReadRowsAsync(await catalog.GetVersionAsync("tickets", prepared.Version.Value, Ct), Ct);
        return rows.Train.Concat(rows.HeldOut).ToDictionary(row => Ulmfit.Data.TextDigest.Normalize(row.Text), row => row.Label, StringComparer.Ordinal);
    }

    private async Task<IReadOnlyList<(string Text, string Label)>> RowsOfDropsAsync()
    {
        var rows = new List<(string, string)>();
        foreach (string drop in await store.NamesAsync(Containers.Labeled, "tickets/feedback-"))
        {
            Assert.True(ResourceNames.IsDrop(drop["tickets/".Length..]), drop);
            foreach (string line in (await store.Blobs.GetTextAsync(Containers.Labeled, drop, Ct))!.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                JsonElement row = JsonSerializer.Deserialize<JsonElement>(line);
                rows.Add((row.GetProperty("text").GetString()!, row.GetProperty("label").GetString()!));
            }
        }
        return rows;
    }
}
