using Ulmfit.Pipeline.Uncertain;

namespace Ulmfit.Pipeline.Tests;

public sealed class UncertainReservoirTests
{
    [Fact]
    public void NoteWritten_TextsThatCameWhileOthersWereWritten_AreCountedOnceTheyAreWrittenThemselves()
    {
        var reservoir = new UncertainReservoir(capacity: 10);
        Add(reservoir, "a");
        Add(reservoir, "b");
        UncertainReservoir.Mark first = reservoir.Read().Mark;
        Add(reservoir, "b");
        Add(reservoir, "c");

        Assert.Equal(2, reservoir.NoteWritten(first));
        Assert.True(reservoir.IsDirty);
        Assert.Equal(1, reservoir.NoteWritten(reservoir.Read().Mark));
        Assert.False(reservoir.IsDirty);
        Assert.Equal(0, reservoir.NoteWritten(first));
        Assert.False(reservoir.IsDirty);
    }

    private static void Add(UncertainReservoir reservoir, string text) =>
        reservoir.Add(new UncertainText(text, Margin: 0.1, Entropy: 0.6, [], Version: 1, DateTimeOffset.UnixEpoch));
}
