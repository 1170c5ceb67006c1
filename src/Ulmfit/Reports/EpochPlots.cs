using System.Globalization;
using Ulmfit.Training;

namespace Ulmfit.Reports;

/// <summary>The charts of the epochs of one network: step by step, the stages as bands, and epoch by epoch.</summary>
internal static class EpochPlots
{
    /// <summary>Training loss step by step, and the held-out loss where an epoch ends.</summary>
    public static SvgPlot Loss(IReadOnlyList<EpochMetrics> epochs)
    {
        List<PlotPoint> training = Curve(epochs, point => point.Loss, (epoch, point) => $"{Place(epoch, point)}: training loss {point.Loss:F4}");
        PlotPoint[] heldOut = [.. AtEnds(epochs).Where(end => end.Epoch.HeldOutLoss is not null).Select(end => new PlotPoint(
            end.Step, end.Epoch.HeldOutLoss!.Value, Text($"{end.Epoch.Stage}, after epoch {end.Epoch.Epoch}: held-out loss {end.Epoch.HeldOutLoss:F4}")))];
        return ByStep(epochs) with
        {
            Description = Text($"Training loss by step, from {training.FirstOrDefault()?.Y:F2} to {training.LastOrDefault()?.Y:F2}")
                + (heldOut.Length == 0 ? "." : Text($"; held-out loss after each epoch, from {heldOut[0].Y:F2} to {heldOut[^1].Y:F2}.")),
            YLabel = "loss, nats",
            Series = [new PlotSeries("training, with dropout", PlotStyle.Line, training), new PlotSeries("held-out", PlotStyle.Diamonds, heldOut)],
        };
    }

    /// <summary>The learning rate of the highest trained group, step by step.</summary>
    public static SvgPlot LearningRate(IReadOnlyList<EpochMetrics> epochs)
    {
        List<PlotPoint> points = Curve(epochs, point => point.LearningRate, (epoch, point) => $"{Place(epoch, point)}: learning rate {point.LearningRate:0.#####e0}");
        return ByStep(epochs) with
        {
            Description = $"Learning rate by step; at most {ReportHtml.Rate(points.Select(point => point.Y).DefaultIfEmpty(0).Max())}.",
            YLabel = "learning rate",
            FromZero = true,
            Series = [new PlotSeries("learning rate", PlotStyle.Line, points)],
        };
    }

    /// <summary>Perplexity epoch by epoch.</summary>
    public static SvgPlot Perplexity(IReadOnlyList<EpochMetrics> epochs) =>
        ByEpoch(epochs, "perplexity", epoch => epoch.Perplexity, value => $"{value:F1}", [], fromZero: false);

    /// <summary>Accuracy on held-out rows epoch by epoch, beside that on training rows.</summary>
    public static SvgPlot Accuracy(IReadOnlyList<EpochMetrics> epochs) => ByEpoch(
        epochs, "accuracy", epoch => epoch.Accuracy, value => $"{value:P1}",
        [new PlotSeries("training, with dropout", PlotStyle.Diamonds, Points(epochs, epoch => epoch.TrainAccuracy, "training accuracy", value => $"{value:P1}"))], fromZero: true);

    private static SvgPlot ByStep(IReadOnlyList<EpochMetrics> epochs)
    {
        var bands = new List<PlotBand>();
        double step = 0;
        foreach (EpochMetrics epoch in epochs)
        {
            if (bands.Count > 0 && bands[^1].Name == epoch.Stage)
            {
                bands[^1] = bands[^1] with { To = step + epoch.Steps };
            }
            else
            {
                bands.Add(new PlotBand(epoch.Stage, step, step + epoch.Steps));
            }

            step += epoch.Steps;
        }

        return new SvgPlot { Description = "", XLabel = "step", YLabel = "", Series = [], Bands = bands, WholeX = true };
    }

    private static SvgPlot ByEpoch(
        IReadOnlyList<EpochMetrics> epochs, string name, Func<EpochMetrics, double?> value, Func<double, FormattableString> format, IReadOnlyList<PlotSeries> others, bool fromZero)
    {
        List<PlotPoint> points = Points(epochs, value, "held-out " + name, format);
        return new SvgPlot
        {
            Description = points.Count == 0 ? "" : $"Held-out {name} after each epoch, from {Text(format(points[0].Y))} to {Text(format(points[^1].Y))}.",
            XLabel = "epoch",
            YLabel = name,
            FromZero = fromZero,
            WholeX = true,
            Series = points.Count == 0 ? [] : [new PlotSeries("held-out", PlotStyle.Circles, points), .. others],
        };
    }

    private static List<PlotPoint> Points(IReadOnlyList<EpochMetrics> epochs, Func<EpochMetrics, double?> value, string name, Func<double, FormattableString> format) =>
    [
        .. epochs.Select((epoch, i) => (Epoch: epoch, Number: i + 1, Value: value(epoch)))
            .Where(point => point.Value is not null)
            .Select(point => new PlotPoint(point.Number, point.Value!.Value, $"{point.Epoch.Stage}, after epoch {point.Epoch.Epoch.ToString(CultureInfo.InvariantCulture)}: {name} {Text(format(point.Value.Value))}")),
    ];

    private static List<PlotPoint> Curve(IReadOnlyList<EpochMetrics> epochs, Func<CurvePoint, double> value, Func<EpochMetrics, CurvePoint, FormattableString> tooltip) =>
        [.. AtEnds(epochs).SelectMany(end => end.Epoch.Curve.Select(point => new PlotPoint(end.Step - end.Epoch.Steps + point.Step, value(point), Text(tooltip(end.Epoch, point)))))];

    private static IEnumerable<(EpochMetrics Epoch, int Step)> AtEnds(IReadOnlyList<EpochMetrics> epochs)
    {
        int step = 0;
        foreach (EpochMetrics epoch in epochs)
        {
            step += epoch.Steps;
            yield return (epoch, step);
        }
    }

    private static string Place(EpochMetrics epoch, CurvePoint point) =>
        string.Create(CultureInfo.InvariantCulture, $"{epoch.Stage}, epoch {epoch.Epoch}, step {point.Step} of {epoch.Steps}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
