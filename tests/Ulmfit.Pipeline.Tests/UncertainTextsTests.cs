using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Pipeline.Uncertain;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests;

public sealed class UncertainTextsTests : IDisposable
{
    private static readonly string[] Labels = ["complaint", "praise", "question"];
    private static readonly UncertainOptions On = new() { LogTexts = true, TextsPerDay = 5, RetentionDays = 3 };

    private readonly TemporaryStore store = new();
    private readonly ShiftedClock time = new();
    private readonly LogCollector<UncertainTexts> log = new();
    private readonly DatasetCatalog catalog;

    public UncertainTextsTests() => catalog = new DatasetCatalog(store.Blobs);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task Observe_NotSwitchedOn_KeepsAndWritesNothing()
    {
        UncertainTexts texts = Open(new UncertainOptions());
        Assert.False(new UncertainOptions().LogTexts);

        Serve(texts, ("a secret", 0));
        await texts.WriteAsync(Ct);

        Assert.Empty((await texts.ListAsync("tickets", 10, null, Ct)).Texts);
        Assert.Empty(await store.NamesAsync(Containers.State));
    }

    [Fact]
    public async Task ListAsync_ServedTexts_AreTheMostUncertainFirstEachOnce()
    {
        UncertainTexts texts = Open(On);

        Serve(texts, ("sure", 0.9), ("b", 0.2), ("a", 0.05), (" b ", 0.2), ("c", 0.4), ("half", 0.51));

        UncertainPage page = await texts.ListAsync("tickets", 10, null, Ct);
        Assert.Equal(["a", "b", "c"], page.Texts.Select(text => text.Text.Trim()));
        Assert.Null(page.Next);
        UncertainText first = page.Texts[0];
        Assert.Equal(0.05, first.Margin, 6);
        Assert.Equal(["complaint", "praise", "question"], first.Predictions.Select(label => label.Label));
        Assert.Equal(7, first.Version);
        Assert.InRange(first.Entropy, 0.69, Math.Log(3));
    }

    [Fact]
    public async Task Observe_MoreThanADayMayHave_KeepsTheMostUncertain()
    {
        UncertainTexts texts = Open(On);
        int[] order = [.. Enumerable.Range(0, 50)];
        new Random(1).Shuffle(order);

        Serve(texts, [.. order.Select(i => ($"text {i:D2}", i / 100.0))]);

        Assert.Equal(["text 00", "text 01", "text 02", "text 03", "text 04"], (await texts.ListAsync("tickets", 10, null, Ct)).Texts.Select(text => text.Text));
    }

    [Fact]
    public async Task Observe_FromManyThreads_KeepsTheMostUncertain()
    {
        UncertainTexts texts = Open(On);

        Parallel.For(0, 2000, i => Serve(texts, ($"text {i}", (i * 7919 % 2000) / 4001.0)));

        IReadOnlyList<UncertainText> kept = (await texts.ListAsync("tickets", 10, null, Ct)).Texts;
        Assert.Equal(Enumerable.Range(0, 5).Select(i => Math.Round(i / 4001.0, 5)), kept.Select(text => Math.Round(text.Margin, 5)));
    }

    [Fact]
    public async Task ListAsync_SeveralProcesses_AddUp()
    {
        UncertainTexts one = Open(On), other = Open(On), reader = Open(On);
        Serve(one, ("a", 0.1), ("both", 0.2));
        Serve(other, ("b", 0.15), ("both", 0.2));
        await one.WriteAsync(Ct);
        await other.WriteAsync(Ct);

        Assert.Equal(["a", "b", "both"], (await reader.ListAsync("tickets", 10, null, Ct)).Texts.Select(text => text.Text));
        Assert.Empty((await reader.ListAsync("others", 10, null, Ct)).Texts);
    }

    [Fact]
    public async Task ListAsync_PageByPage_GivesEveryTextOnce()
    {
        UncertainTexts texts = Open(On with { TextsPerDay = 100 });
        Serve(texts, [.. Enumerable.Range(0, 23).Select(i => ($"text {i}", i % 4 / 10.0))]);
        UncertainText[] all = [.. (await texts.ListAsync("tickets", 100, null, Ct)).Texts];

        var paged = new List<UncertainText>();
        string? next = null;
        do
        {
            UncertainPage page = await texts.ListAsync("tickets", 5, next, Ct);
            Assert.InRange(page.Texts.Count, 1, 5);
            paged.AddRange(page.Texts);
            next = page.Next;
        }
        while (next is not null);

        Assert.Equal(23, all.Length);
        Assert.Equal(all.Select(text => text.Text), paged.Select(text => text.Text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("0000000000000000-zz")]
    [InlineData("zzzzzzzzzzzzzzzz-0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task ListAsync_MarkThatIsNone_IsRefused(string mark) =>
        await Assert.ThrowsAsync<FormatException>(() => Open(On).ListAsync("tickets", 5, mark, Ct));

    [Fact]
    public async Task ListAsync_TextsThatAreLabelledMeanwhile_DropOut()
    {
        UncertainTexts texts = Open(On);
        Serve(texts, ("in a drop", 0.1), ("said", 0.2), ("gathered", 0.3), ("open", 0.4));
        var options = new PipelineOptions();
        var feedback = new FeedbackStore(store.Blobs, new DropStore(store.Blobs, options), catalog, options, time, NullLogger<FeedbackStore>.Instance);
        string rows = string.Concat(Enumerable.Range(0, 80).Select(i => string.Create(CultureInfo.InvariantCulture, $"text {i},{Labels[i % 2]}\n")));
        await store.Blobs.PutAsync(Containers.Labeled, "tickets/a.csv", Encoding.UTF8.GetBytes($"text,label\n in  a drop,praise\n{rows}"), Ct);
        Assert.Equal(4, (await texts.ListAsync("tickets", 10, null, Ct)).Texts.Count);

        PreparedDataset prepared = await new DatasetPreparation(store.Blobs, catalog, options, time, NullLogger<DatasetPreparation>.Instance).RunAsync("tickets", Ct);
        Assert.NotNull(prepared.Version);
        Assert.Equal(["said", "gathered", "open"], (await texts.ListAsync("tickets", 10, null, Ct)).Texts.Select(text => text.Text));
        await feedback.PutAsync("tickets", [new FeedbackRow("gathered", "praise")], null, Ct);
        await feedback.GatherAsync("tickets", Ct);
        await feedback.PutAsync("tickets", [new FeedbackRow("said", "praise")], null, Ct);

        Assert.Equal("open", Assert.Single((await texts.ListAsync("tickets", 10, null, Ct)).Texts).Text);
    }

    [Fact]
    public async Task ListAsync_AnsweredAnewByALaterVersion_TellsTheLaterAnswer()
    {
        UncertainTexts before = Open(On), after = Open(On);
        Serve(before, ("a", 0.1), ("b", 0.2));
        await before.WriteAsync(Ct);

        after.Observe("tickets", 8, ["a"], [Probabilities(0.4)], Labels);

        Assert.Equal([("b", 7), ("a", 8)], (await after.ListAsync("tickets", 10, null, Ct)).Texts.Select(text => (text.Text, text.Version)));
    }

    [Fact]
    public async Task WriteAsync_AStoreThatFails_LosesNothingAndIsToldOnce()
    {
        var cut = new DyingStore(store.Blobs, _ => isCut);
        var texts = new UncertainTexts(cut, catalog, On, time, log);
        isCut = true;
        Serve(texts, ("a", 0.1));

        await texts.WriteAsync(Ct);
        await texts.WriteAsync(Ct);
        Assert.Empty(await store.NamesAsync(Containers.State));
        isCut = false;
        await texts.WriteAsync(Ct);

        Assert.Single(log.Entries, entry => entry.Level == LogLevel.Warning);
        Assert.Equal("a", Assert.Single((await Open(On).ListAsync("tickets", 10, null, Ct)).Texts).Text);
    }

    [Fact]
    public async Task WriteAsync_NothingNew_WritesNothing()
    {
        UncertainTexts texts = Open(On);
        Serve(texts, ("a", 0.1));
        await texts.WriteAsync(Ct);
        string name = Assert.Single(await store.NamesAsync(Containers.State));
        ETag before = (await store.Blobs.GetInfoAsync(Containers.State, name, Ct))!.ETag;

        await texts.WriteAsync(Ct);

        Assert.Equal(before, (await store.Blobs.GetInfoAsync(Containers.State, name, Ct))!.ETag);
    }

    [Fact]
    public async Task PurgeAsync_DaysPastTheirTime_AreDeletedEvenWhereLoggingIsOffByNow()
    {
        UncertainTexts texts = Open(On);
        Serve(texts, ("old", 0.1));
        await texts.WriteAsync(Ct);
        time.Advance(TimeSpan.FromDays(2));
        Serve(texts, ("new", 0.1));
        await texts.WriteAsync(Ct);
        UncertainTexts off = Open(On with { LogTexts = false });

        await off.PurgeAsync(Ct);
        Assert.Equal(2, (await store.NamesAsync(Containers.State)).Count);
        time.Advance(TimeSpan.FromDays(2));
        Assert.Equal("new", Assert.Single((await off.ListAsync("tickets", 10, null, Ct)).Texts).Text);
        await off.PurgeAsync(Ct);

        Assert.Single(await store.NamesAsync(Containers.State));
        time.Advance(TimeSpan.FromDays(4));
        await off.PurgeAsync(Ct);
        Assert.Empty(await store.NamesAsync(Containers.State));
    }

    [Fact]
    public async Task PurgeAsync_ADayThatIsOver_IsPutTogether()
    {
        UncertainTexts[] processes = [Open(On), Open(On), Open(On)];
        for (int i = 0; i < processes.Length; i++)
        {
            Serve(processes[i], ($"text {i}", 0.1 * i), ("of all", 0.4));
            await processes[i].WriteAsync(Ct);
        }
        await processes[0].PurgeAsync(Ct);
        Assert.Equal(3, (await store.NamesAsync(Containers.State)).Count);

        time.Advance(TimeSpan.FromDays(1));
        await processes[0].PurgeAsync(Ct);
        await processes[0].PurgeAsync(Ct);

        Assert.Single(await store.NamesAsync(Containers.State));
        Assert.Equal(["text 0", "text 1", "text 2", "of all"], (await Open(On).ListAsync("tickets", 10, null, Ct)).Texts.Select(text => text.Text));
    }

    [Fact]
    public async Task ListAsync_ADamagedDay_IsToldAndLeftOut()
    {
        UncertainTexts one = Open(On), other = Open(On);
        Serve(one, ("a", 0.1));
        await one.WriteAsync(Ct);
        store.FlipBit(Containers.State, Assert.Single(await store.NamesAsync(Containers.State)), 30);
        Serve(other, ("b", 0.1));

        Assert.Equal("b", Assert.Single((await other.ListAsync("tickets", 10, null, Ct)).Texts).Text);
        Assert.Single(log.Entries, entry => entry.Message.Contains("damaged", StringComparison.Ordinal));
    }

    private bool isCut;

    private static void Serve(UncertainTexts texts, params (string Text, double Margin)[] served) =>
        texts.Observe("tickets", 7, [.. served.Select(s => s.Text)], [.. served.Select(s => Probabilities(s.Margin))], Labels);

    // The first label ahead of the second by a margin, and a hundredth for the third.
    private static float[] Probabilities(double margin) => [(float)((0.99 + margin) / 2), (float)((0.99 - margin) / 2), 0.01f];

    private UncertainTexts Open(UncertainOptions options) => new(store.Blobs, catalog, options, time, log);
}
