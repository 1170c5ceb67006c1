using System.Text;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests;

public sealed class DropStoreTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly DropStore drops;

    public DropStoreTests() => drops = new DropStore(store.Blobs, new PipelineOptions { Limits = new Limits { DropBytes = 1000 } });

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task PutAsync_SameNameAgain_DependsOnTheContent()
    {
        Assert.Equal(DropOutcome.Stored, await PutAsync("text,label\na,b\n"));
        Assert.Equal(DropOutcome.Unchanged, await PutAsync("text,label\na,b\n"));
        Assert.Equal(DropOutcome.Conflict, await PutAsync("text,label\na,c\n"));

        Assert.Equal("text,label\na,b\n", await store.Blobs.GetTextAsync(Containers.Labeled, "tickets/a.csv", Ct));
    }

    [Fact]
    public async Task PutAsync_ManyAtOnceWithDifferentContent_OneIsStored()
    {
        DropOutcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => PutAsync($"text,label\n{i},b\n"), Ct)));

        Assert.Single(outcomes, outcome => outcome == DropOutcome.Stored);
        Assert.Equal(11, outcomes.Count(outcome => outcome == DropOutcome.Conflict));
    }

    [Fact]
    public async Task PutAsync_MoreThanTheLimit_StoresNothing()
    {
        await Assert.ThrowsAsync<DropTooLargeException>(() => PutAsync(new string('x', 1001)));

        Assert.Empty(await store.NamesAsync(Containers.Labeled));
        Assert.Equal(DropOutcome.Stored, await PutAsync(new string('x', 1000)));
    }

    [Fact]
    public async Task PutAsync_NameThatLeavesTheFolder_IsRefused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => drops.PutAsync("tickets", "../../a.csv", Stream.Null, Ct));

    private Task<DropOutcome> PutAsync(string content) => drops.PutAsync("tickets", "a.csv", new MemoryStream(Encoding.UTF8.GetBytes(content)), Ct);
}
