namespace Ulmfit.Cli.Terminal;

/// <summary>The course of a loss, in bounded memory however long it gets: when it is full, neighbours become their mean.</summary>
internal sealed class LossTrace
{
    private const int Capacity = 256;
    private const string Blocks = "▁▂▃▄▅▆▇█";
    private const string Letters = "_.-=*#";

    private readonly List<double> points = [];
    private int stride = 1;
    private double sum;
    private int count;

    /// <summary>Adds a loss; one that is not finite has no place in a picture and is left out.</summary>
    public void Add(double loss)
    {
        if (!double.IsFinite(loss))
        {
            return;
        }

        sum += loss;
        if (++count < stride)
        {
            return;
        }

        points.Add(sum / count);
        (sum, count) = (0, 0);
        if (points.Count == Capacity)
        {
            double[] halved = [.. points.Chunk(2).Select(pair => pair.Average())];
            points.Clear();
            points.AddRange(halved);
            stride *= 2;
        }
    }

    /// <summary>A line of blocks, oldest first, the least loss at the bottom; empty before the second loss.</summary>
    /// <param name="width">The most characters.</param>
    /// <param name="unicode">Whether the terminal shows block characters.</param>
    public string ToText(int width, bool unicode)
    {
        if (points.Count < 2 || width < 2)
        {
            return "";
        }

        string levels = unicode ? Blocks : Letters;
        int columns = Math.Min(width, points.Count);
        double[] means = [.. Enumerable.Range(0, columns).Select(column =>
        {
            int from = column * points.Count / columns, to = (column + 1) * points.Count / columns;
            return points[from..to].Average();
        })];
        double least = means.Min(), span = means.Max() - least;
        return string.Concat(means.Select(mean => levels[span > 0 ? (int)Math.Round((mean - least) / span * (levels.Length - 1)) : levels.Length / 2]));
    }
}
