using System.Globalization;
using System.Xml.Linq;
using Ulmfit.Metrics;
using Ulmfit.Reports;

namespace Ulmfit.Tests.Reports;

public sealed class LearningCurvePlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static readonly LearningCurve[] Curves =
    [
        new("supervised", [(20, SampleStatistics.Of(0.4, 0.5)), (200, SampleStatistics.Of(0.2, 0.21)), (2000, SampleStatistics.Of(0.1, 0.1))]),
        new("semi-supervised", [(20, SampleStatistics.Of(0.3)), (200, SampleStatistics.Of(0.15)), (2000, SampleStatistics.Of(0.09))]),
        new("<scratch>", [(20, SampleStatistics.Of(0.6, 0.7)), (2000, SampleStatistics.Of(0.2, 0.3))]),
    ];

    [Fact]
    public void ToSvg_Curves_IsAFileOfItsOwnThatNamesThem()
    {
        XElement plot = XElement.Parse(LearningCurvePlot.ToSvg(Curves));

        Assert.Equal(Svg + "svg", plot.Name);
        Assert.Contains("--page", plot.Element(Svg + "style")!.Value, StringComparison.Ordinal);
        Assert.Superset(new HashSet<string>(["supervised", "semi-supervised", "<scratch>", "labels", "test error, %", "20", "200", "2,000"]), plot.Elements(Svg + "text").Select(text => text.Value).ToHashSet());
        Assert.Equal(8, plot.Descendants(Svg + "title").Count());
        Assert.Contains(plot.Descendants(Svg + "title"), title => title.Value == "supervised, 20 labels: 45.00 % ± 7.07, 2 seeds");
        Assert.Contains("<scratch>: test error 65.0 % with 20 labels, 25.0 % with 2000.", plot.Attribute("aria-label")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void ToSvg_FourCurves_AreToldApartByFormAndNamedWithinThePicture()
    {
        XElement plot = XElement.Parse(LearningCurvePlot.ToSvg([.. Curves, new LearningCurve("self-training", [(20, SampleStatistics.Of(0.25)), (2000, SampleStatistics.Of(0.08))])]));

        string[] classes = [.. plot.Elements(Svg + "path").Select(path => (string)path.Attribute("class")!).Where(name => name.StartsWith("line-", StringComparison.Ordinal))];
        Assert.Equal(4, classes.Distinct().Count());
        XElement[] names = [.. plot.Elements(Svg + "text").Where(text => Number(text, "y") < 20)];
        Assert.Equal(4, names.Length);
        Assert.All(names, name => Assert.InRange(Number(name, "x") + MarkupText.WidthOf(name.Value, SvgPlot.FontSize), 0, SvgPlot.Width));
        Assert.All(names.Zip(names.Skip(1)), pair => Assert.True(Number(pair.First, "x") + MarkupText.WidthOf(pair.First.Value, SvgPlot.FontSize) < Number(pair.Second, "x") - 22));
    }

    [Fact]
    public void ToSvg_EqualRatiosOfLabels_AreEquallyFar()
    {
        XElement plot = XElement.Parse(LearningCurvePlot.ToSvg(Curves));
        double[] at = [.. plot.Elements(Svg + "line").Where(line => (string?)line.Attribute("class") == "axis" && line.Attribute("x1")!.Value == line.Attribute("x2")!.Value).Select(line => Number(line, "x1"))];

        Assert.Equal(3, at.Length);
        Assert.Equal(at[1] - at[0], at[2] - at[1], 0.2);
        Assert.True(at[2] <= SvgPlot.Width);
    }

    [Fact]
    public void ToSvg_SeveralSeeds_ABarReachesFromTheLeastErrorToTheGreatest()
    {
        XElement[] bars = [.. XElement.Parse(LearningCurvePlot.ToSvg(Curves)).Elements(Svg + "line").Where(line => ((string?)line.Attribute("class"))!.EndsWith("range", StringComparison.Ordinal))];

        // One measurement has no range.
        Assert.Equal(5, bars.Length);
        Assert.True(Number(bars[0], "y1") - Number(bars[0], "y2") > 9 * (Number(bars[1], "y1") - Number(bars[1], "y2")));
        Assert.Equal(0, Number(bars[2], "y1") - Number(bars[2], "y2"));
        Assert.All(bars, bar => Assert.InRange(Number(bar, "y2"), 0, SvgPlot.Height));
    }

    [Fact]
    public void ToSvg_NumbersOfLabelsThatStandClose_ArePrintedWhereThereIsRoom()
    {
        LearningCurve close = new("supervised", [.. Enumerable.Range(1000, 40).Select(labels => (labels, SampleStatistics.Of(0.1)))]);
        XElement plot = XElement.Parse(LearningCurvePlot.ToSvg([close]));
        string[] ticks = [.. plot.Elements(Svg + "text").Select(text => text.Value).Where(text => text.StartsWith("1,0", StringComparison.Ordinal))];

        Assert.InRange(ticks.Length, 4, 20);
        Assert.Equal("1,000", ticks[0]);
    }

    [Fact]
    public void ToSvg_NoPointsOrTooManyCurves_IsEmptyOrRefused()
    {
        Assert.Equal("", LearningCurvePlot.ToSvg([new LearningCurve("none", [])]));
        Assert.Throws<ArgumentException>(() => LearningCurvePlot.ToSvg([.. Curves, .. Curves[..2]]));
    }

    private static double Number(XElement element, string attribute) => double.Parse(element.Attribute(attribute)!.Value, CultureInfo.InvariantCulture);
}
