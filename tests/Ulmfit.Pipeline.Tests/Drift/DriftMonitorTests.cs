using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Ulmfit.Diagnostics;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Ulmfit.Text;

namespace Ulmfit.Pipeline.Tests.Drift;

public sealed class DriftMonitorTests : IDisposable
{
    private static readonly Vocabulary Words = Vocabulary.FromTokens([.. SpecialTokens.All, "good", "bad"]);

    private readonly TemporaryStore store = new();
    private readonly LogCollector<DriftMonitor> log = new();
    private readonly DayClock clock = new(new DateOnly(2026, 3, 10));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task ReadAsync_BeforeAnythingIsWritten_HasWhatThisProcessAnswered()
    {
        using DriftMonitor monitor = Monitor();
        ModelCard card = await CardAsync();

        Ask(monitor, card, good: 3, bad: 1);
        Ask(monitor, card, good: 0, bad: 2);

        DriftDay day = Assert.Single(await monitor.ReadAsync(card, 14, Ct));
        Assert.Equal((clock.Today, 2L, 6L), (day.Day, day.Requests, day.Texts));
        Assert.Equal([new("bad", 3), new("good", 3)], day.Classes);

        // Each text is xxbos, one word that is known and one that is not.
        Assert.Equal((18L, 12L, 6L, 0.5), (day.Tokens, day.Words, day.UnknownWords, day.UnknownRate));
        Assert.Empty(await store.NamesAsync(Containers.State));
    }

    [Fact]
    public async Task WriteAsync_SeveralProcessesAndRestarts_AddUpAndNoneCountsTwice()
    {
        ModelCard card = await CardAsync();
        using DriftMonitor first = Monitor(), second = Monitor();
        Ask(first, card, good: 1, bad: 0);
        Ask(second, card, good: 0, bad: 1);
        await first.WriteAsync(Ct);
        await second.WriteAsync(Ct);
        Ask(first, card, good: 5, bad: 0);
        await first.WriteAsync(Ct);
        await first.WriteAsync(Ct);

        using DriftMonitor restarted = Monitor();
        Ask(restarted, card, good: 0, bad: 2);

        Assert.Equal((7, 3), await CountsAsync(first, card));
        Assert.Equal((7, 3), await CountsAsync(second, card));
        Assert.Equal((9, 4), await CountsAsync(restarted, card));
        Assert.Equal(2, (await store.NamesAsync(Containers.State, "served/tickets/000001/2026-03-10/")).Count);
    }

    [Fact]
    public async Task Record_ByManyThreads_LosesNothing()
    {
        ModelCard card = await CardAsync();
        using DriftMonitor monitor = Monitor();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 500; i++)
            {
                Ask(monitor, card, good: 1, bad: 1);
            }
        })).Append(monitor.WriteAsync(Ct)));
        await monitor.WriteAsync(Ct);

        using DriftMonitor reader = Monitor();
        DriftDay day = Assert.Single(await reader.ReadAsync(card, 1, Ct));
        Assert.Equal((4000L, 8000L, 24000L), (day.Requests, day.Texts, day.Tokens));
        Assert.Equal([new("bad", 4000), new("good", 4000)], day.Classes);
    }

    [Fact]
    public async Task ReadAsync_SeveralDaysAndVersions_KeepsThemApart()
    {
        ModelCard one = await CardAsync(), two = one with { Version = 2 };
        using DriftMonitor monitor = Monitor();
        Ask(monitor, one, good: 1, bad: 0);
        clock.Advance(1);
        Ask(monitor, one, good: 2, bad: 0);
        Ask(monitor, two, good: 0, bad: 4);
        await monitor.WriteAsync(Ct);
        clock.Advance(5);
        await monitor.WriteAsync(Ct);
        await monitor.WriteAsync(Ct);

        IReadOnlyList<DriftDay> days = await monitor.ReadAsync(one, 14, Ct);

        Assert.Equal([(new DateOnly(2026, 3, 11), 2L), (new DateOnly(2026, 3, 10), 1L)], days.Select(day => (day.Day, day.Texts)));
        Assert.Equal(4, Assert.Single(await monitor.ReadAsync(two, 14, Ct)).Texts);
        Assert.Equal(new DateOnly(2026, 3, 11), Assert.Single(await monitor.ReadAsync(one, 6, Ct)).Day);
        Assert.Empty(await monitor.ReadAsync(one, 5, Ct));
    }

    [Fact]
    public async Task WriteAsync_ShiftedClasses_RaisesOneAlarmADayOfAllProcesses()
    {
        ModelCard card = await CardAsync(good: 90, bad: 10);
        using DriftMonitor first = Monitor(), second = Monitor();
        Ask(first, card, good: 20, bad: 79);
        await first.WriteAsync(Ct);
        Assert.DoesNotContain(log.Entries, entry => entry.Level == LogLevel.Warning);

        // The hundredth text comes to another host: together they have enough.
        Ask(second, card, good: 0, bad: 1);
        await second.WriteAsync(Ct);
        Ask(first, card, good: 0, bad: 50);
        await first.WriteAsync(Ct);
        using (DriftMonitor restarted = Monitor())
        {
            Ask(restarted, card, good: 0, bad: 50);
            await restarted.WriteAsync(Ct);
        }

        string warning = Assert.Single(log.Entries, entry => entry.Level == LogLevel.Warning).Message;
        Assert.StartsWith("Model tickets version 1 is asked on 2026-03-10 about something else than it was trained for: of 100 texts", warning, StringComparison.Ordinal);
        Assert.EndsWith("Most shifted: bad, good.", warning, StringComparison.Ordinal);
        Assert.Contains(DriftAlarm.PopulationStability, Assert.Single(await first.ReadAsync(card, 1, Ct)).Alarms);

        clock.Advance(1);
        Ask(first, card, good: 0, bad: 100);
        await first.WriteAsync(Ct);
        Assert.Equal(2, log.Entries.Count(entry => entry.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task WriteAsync_TodaysCounts_AreMeasured()
    {
        ModelCard card = (await CardAsync(good: 90, bad: 10)) with { Model = "measured" };
        var measured = new ConcurrentQueue<(string Instrument, double Value)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == UlmfitMeter.Name)
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();
        using DriftMonitor monitor = Monitor();
        Ask(monitor, card, good: 0, bad: 200);

        await monitor.WriteAsync(Ct);
        await monitor.WriteAsync(Ct);

        DriftDay day = Assert.Single(await monitor.ReadAsync(card, 1, Ct));
        Assert.Equal([("ulmfit.drift.population_stability", day.PopulationStability!.Value), ("ulmfit.drift.unknown_words", 0.5), ("ulmfit.drift.alarms", 1)], measured);

        // Other tests measure beside this one; the model's name tells them apart.
        void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.ToArray().Any(tag => Equals(tag.Value, "measured")))
            {
                measured.Enqueue((instrument.Name, value));
            }
        }
    }

    [Fact]
    public async Task WriteAsync_StoreThatFails_KeepsCountingAndWritesWhenItAnswers()
    {
        ModelCard card = await CardAsync();
        var faulty = new FaultyStore(store.Blobs);
        using DriftMonitor monitor = Monitor(faulty);
        Ask(monitor, card, good: 1, bad: 0);
        await monitor.WriteAsync(Ct);
        Ask(monitor, card, good: 1, bad: 0);
        await monitor.WriteAsync(Ct);
        Assert.Equal(2, faulty.Faults);
        Assert.Equal(2, log.Entries.Count(entry => entry.Message.StartsWith("What models are asked cannot be written down", StringComparison.Ordinal)));

        await monitor.WriteAsync(Ct);

        using DriftMonitor reader = Monitor();
        Assert.Equal((2, 2), await CountsAsync(reader, card));
    }

    // One blob a start and day: those of days that are over become one, and what a late process adds is not lost.
    [Fact]
    public async Task WriteAsync_DaysThatAreOver_AreFoldedAndInTheEndDeleted()
    {
        ModelCard card = await CardAsync();
        for (int start = 0; start < 5; start++)
        {
            using DriftMonitor monitor = Monitor();
            Ask(monitor, card, good: 1, bad: start);
            await monitor.WriteAsync(Ct);
        }
        clock.Advance(2);
        using DriftMonitor today = Monitor();
        Ask(today, card, good: 1, bad: 0);

        await today.WriteAsync(Ct);

        Assert.Equal(["served/tickets/000001/2026-03-10/sum.json"], await store.NamesAsync(Containers.State, "served/tickets/000001/2026-03-10/"));
        Assert.Equal([(1L, 1L), (5L, 15L)], (await today.ReadAsync(card, 14, Ct)).Select(day => (day.Requests, day.Texts)));

        string late = "served/tickets/000001/2026-03-10/late.json";
        await store.Blobs.PutAsync(Containers.State, late, (await store.Blobs.OpenReadAsync(Containers.State, (await store.NamesAsync(Containers.State, "served/tickets/000001/2026-03-12/"))[0], Ct))!, Ct);
        Assert.Equal(6, (await today.ReadAsync(card, 14, Ct))[1].Requests);
        using (DriftMonitor other = Monitor())
        {
            Ask(other, card, good: 1, bad: 0);
            await other.WriteAsync(Ct);
        }
        Assert.Equal(6, (await today.ReadAsync(card, 14, Ct))[1].Requests);

        clock.Advance(30);
        Ask(today, card, good: 1, bad: 0);
        await today.WriteAsync(Ct);
        Assert.Equal(["2026-04-11"], (await store.NamesAsync(Containers.State, "served/")).Select(name => name.Split('/')[3]));
    }

    // Two hosts fold the same day at once, and a third reads: whoever wins, nothing is lost or counted twice.
    [Fact]
    public async Task WriteAsync_FoldedByManyAtOnce_CountsEachOnce()
    {
        ModelCard card = await CardAsync();
        for (int start = 0; start < 6; start++)
        {
            using DriftMonitor monitor = Monitor();
            Ask(monitor, card, good: 1, bad: 0);
            await monitor.WriteAsync(Ct);
        }
        clock.Advance(2);
        DriftMonitor[] hosts = [.. Enumerable.Range(0, 6).Select(_ => Monitor())];
        using DriftMonitor reader = Monitor();
        Array.ForEach(hosts, host => Ask(host, card, good: 1, bad: 0));

        Task[] folding = [.. hosts.Select(host => Task.Run(() => host.WriteAsync(Ct)))];
        do
        {
            Assert.Equal(6, (await reader.ReadAsync(card, 14, Ct)).Single(day => day.Day == new DateOnly(2026, 3, 10)).Requests);
        }
        while (!Task.WhenAll(folding).IsCompleted);
        await Task.WhenAll(folding);

        Assert.Equal([6L, 6L], (await reader.ReadAsync(card, 14, Ct)).Select(day => day.Requests));
        Array.ForEach(hosts, host => host.Dispose());
    }

    [Fact]
    public async Task ReadAsync_DamagedCounts_LeavesThemOutAndSaysSo()
    {
        ModelCard card = await CardAsync();
        using (DriftMonitor monitor = Monitor())
        {
            Ask(monitor, card, good: 1, bad: 0);
            await monitor.WriteAsync(Ct);
        }
        string name = Assert.Single(await store.NamesAsync(Containers.State, "served/"));
        using DriftMonitor reader = Monitor();
        Ask(reader, card, good: 2, bad: 0);
        store.FlipBit(Containers.State, name, 40);

        Assert.Equal((2, 1), await CountsAsync(reader, card));

        Assert.Contains(log.Entries, entry => entry.Message == "Counts of what a model was asked are damaged and left out.");
        Assert.Empty(await store.NamesAsync(Containers.State, "served/"));
    }

    private DriftMonitor Monitor(IBlobStore? blobs = null) =>
        new(blobs ?? store.Blobs, new DriftOptions { MinimumTexts = 100, KeepDays = 20 }, clock, log);

    private async Task<ModelCard> CardAsync(int good = 50, int bad = 50)
    {
        ModelCard card = await TinyModels.PublishAsync(new ModelRegistry(store.Blobs, clock), "tickets", 1, "tickets-1", Ct);
        await store.Blobs.DeleteAsync(Containers.State, "versions/tickets/000001.json", Ct);
        return card with { Reference = new DriftReference(DriftSource.HeldOut, [new("bad", bad), new("good", good)], 0.4, 0.5) };
    }

    private static void Ask(DriftMonitor monitor, ModelCard card, int good, int bad)
    {
        var tally = new TokenTally();
        for (int text = 0; text < good + bad; text++)
        {
            tally.Add(Words.Encode(["xxbos", text < good ? "good" : "bad", "unheard"]));
        }
        monitor.Record(card, TinyModels.Labels, [.. Enumerable.Repeat(new[] { 0.1f, 0.9f }, good), .. Enumerable.Repeat(new[] { 0.6f, 0.4f }, bad)], tally);
    }

    private static async Task<(int Texts, int Requests)> CountsAsync(DriftMonitor monitor, ModelCard card)
    {
        DriftDay day = Assert.Single(await monitor.ReadAsync(card, 14, Ct));
        return ((int)day.Texts, (int)day.Requests);
    }
}
