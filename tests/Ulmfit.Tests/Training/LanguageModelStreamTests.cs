using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class LanguageModelStreamTests
{
    private static readonly int[][] Documents = [.. Enumerable.Range(0, 60).Select(d => Enumerable.Range(0, 5 + (d % 17)).Select(t => (d * 100) + t).ToArray())];

    [Theory]
    [InlineData(1, 10)]
    [InlineData(4, 7)]
    [InlineData(9, 70)]
    public void Training_AllWindowsOfAnEpoch_ReadEachLaneInOrderWithTheNextTokenAsTarget(int batch, int bptt)
    {
        LanguageModelStream stream = LanguageModelStream.Training(Documents, batch, bptt, 0, new RandomKey(1, 0, 0, 0));
        var lanes = new List<int>[batch];
        var targets = new List<int>[batch];
        for (int lane = 0; lane < batch; lane++)
        {
            (lanes[lane], targets[lane]) = ([], []);
        }

        for (int step = 0; step < stream.Steps; step++)
        {
            LanguageModelBatch window = stream[step];
            Assert.Equal(stream.WindowLength(step), window.Time);
            for (int i = 0; i < window.Time * batch; i++)
            {
                lanes[i % batch].Add(window.Input.Span[i]);
                targets[i % batch].Add(window.Target.Span[i]);
            }
        }

        int total = Documents.Sum(document => document.Length);
        Assert.All(lanes, lane => Assert.Equal((total - 1) / batch, lane.Count));
        for (int lane = 0; lane < batch; lane++)
        {
            Assert.Equal(lanes[lane].Skip(1), targets[lane].SkipLast(1));
            if (lane + 1 < batch)
            {
                Assert.Equal(targets[lane][^1], lanes[lane + 1][0]);
            }
        }

        int[] joined = [.. lanes.SelectMany(lane => lane)];
        Assert.All(joined.Zip(joined.Skip(1)).Where(pair => pair.Second % 100 != 0), pair => Assert.Equal(pair.First + 1, pair.Second));
        Assert.Equal(joined.Length, joined.Distinct().Count());
    }

    [Fact]
    public void Training_AnotherEpoch_HasAnotherOrder()
    {
        int[] First(int epoch) => LanguageModelStream.Training(Documents, 1, 70, 0, new RandomKey(1, 0, epoch, 0))[0].Input.ToArray();

        Assert.NotEqual(First(0), First(1));
        Assert.Equal(First(1), First(1));
    }

    [Fact]
    public void StepsOf_TokensOfTheDocuments_IsTheNumberOfWindows()
    {
        var key = new RandomKey(5, 1, 2, 0);
        LanguageModelStream stream = LanguageModelStream.Training(Documents, 3, 11, 0, key);

        Assert.Equal(stream.Steps, LanguageModelStream.StepsOf(Documents.Sum(document => (long)document.Length), 3, 11, key));
    }

    // Merity et al. 2017, 5: N(70, 5) with probability 0.95, else N(35, 5).
    [Fact]
    public void Windows_ManyDraws_AreDistributedAsInThePaper()
    {
        IReadOnlyList<int> windows = BackpropagationThroughTime.Windows(4_000_000, 70, new RandomKey(1, 0, 0, 0));
        double[] full = [.. windows.Where(window => window > 52).Select(window => (double)window)];

        Assert.Equal(0.95, (double)full.Length / windows.Count, 0.005);
        Assert.Equal(69.5, full.Average(), 0.2); // truncation towards zero takes a half
        Assert.Equal(5, Math.Sqrt(full.Average(window => Math.Pow(window - full.Average(), 2))), 0.1);
        Assert.All(windows, window => Assert.InRange(window, 1, BackpropagationThroughTime.MaximumLength(70)));
        Assert.Equal(4_000_000, windows.Sum());
    }

    [Fact]
    public void ResetLanes_Probability_IsMet()
    {
        LanguageModelStream stream = LanguageModelStream.Training([.. Enumerable.Repeat(Enumerable.Range(0, 1000).ToArray(), 50)], 8, 10, 0.25, new RandomKey(1, 0, 0, 0));
        bool[] lanes = [.. Enumerable.Range(0, stream.Steps).SelectMany(step => stream[step].ResetLanes.ToArray())];

        Assert.Equal(0.25, (double)lanes.Count(reset => reset) / lanes.Length, 0.03);
    }
}
