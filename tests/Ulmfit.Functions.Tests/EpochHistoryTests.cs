using Ulmfit.Functions.Http;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Functions.Tests;

public sealed class EpochHistoryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(501)]
    [InlineData(1999)]
    [InlineData(20000)]
    public void Shortened_AnyNumberOfEpochs_IsAtMostSoManyWithTheEndsOfEveryStage(int count)
    {
        EpochRecord[] all = [.. Enumerable.Range(0, count).Select(i => new EpochRecord((Direction)(i % 2), i * 3 / Math.Max(count, 1), "s", i, count, i, null, null, null, 0.1, 1))];

        IReadOnlyList<EpochRecord> some = EpochHistory.Shortened(all);

        Assert.Equal(Math.Min(count, EpochHistory.Most), some.Count);
        Assert.Equal(some.OrderBy(epoch => epoch.Epoch), some);
        foreach (IGrouping<(Direction, int), EpochRecord> stage in all.GroupBy(epoch => (epoch.Direction, epoch.StageIndex)))
        {
            Assert.Contains(stage.First(), some);
            Assert.Contains(stage.Last(), some);
        }
        int widest = some.Zip(some.Skip(1), (a, b) => b.Epoch - a.Epoch).DefaultIfEmpty(1).Max();
        Assert.True(widest <= (2 * count / EpochHistory.Most) + 2, $"{widest} epochs in a row are left out.");
    }
}
