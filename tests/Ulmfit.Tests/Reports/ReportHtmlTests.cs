using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Ulmfit.Reports;
using Ulmfit.Training;

namespace Ulmfit.Tests.Reports;

public sealed class ReportHtmlTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(77)]
    public void Of_AnyNumberOfClasses_IsWellFormedAndWhole(int classes)
    {
        TrainingReport report = SampleReport.Of(SampleReport.Names(classes));

        XElement page = Parse(report);

        Assert.Equal(["scores-1", "scores-2", "training-forward", "training-backward", "facts"], page.Descendants("section").Select(section => section.Attribute("id")!.Value));
        Assert.Equal(page.Descendants("nav").Descendants("a").Select(link => link.Attribute("href")!.Value), page.Descendants("section").Select(section => "#" + section.Attribute("id")!.Value));
        Assert.Equal(2, Svgs(page, "matrix").Count);
        Assert.Equal(2 * classes, page.Descendants("table").Where(table => table.Attribute("class")!.Value == "classes").Sum(table => table.Element("tbody")!.Elements("tr").Count()));
        Assert.Equal(40, page.Descendants("blockquote").Count());
        Assert.Equal(classes > 2 ? 2 : 0, page.Descendants("table").Count(table => table.Attribute("class")!.Value == "pairs"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(33)]
    [InlineData(77)]
    public void Of_ConfusionMatrix_HasTheCountsInTheirPlacesAndLabelsThatDoNotOverlap(int classes)
    {
        TrainingReport report = SampleReport.Of(SampleReport.Names(classes));
        XElement svg = Svgs(Parse(report), "matrix")[0];
        IReadOnlyList<IReadOnlyList<int>> counts = report.Scores[0].Metrics.ConfusionMatrix;

        (double X, double Y, int Count)[] cells = [.. svg.Elements("g").Select(cell => (Number(cell.Element("rect")!, "x"), Number(cell.Element("rect")!, "y"), int.Parse(cell.Element("text")!.Value, CultureInfo.InvariantCulture)))];
        double[] columns = [.. cells.Select(cell => cell.X).Distinct().Order()], rows = [.. cells.Select(cell => cell.Y).Distinct().Order()];
        Assert.Equal((classes, classes), (columns.Length, rows.Length));
        Assert.All(cells, cell => Assert.Equal(counts[Array.IndexOf(rows, cell.Y)][Array.IndexOf(columns, cell.X)], cell.Count));
        Assert.Equal(counts.Sum(row => row.Sum()), cells.Sum(cell => cell.Count));
        AssertTextsInsideAndApart(svg);
    }

    [Fact]
    public void Of_Charts_HaveAPathPointForEachPointAndTextsInsideThatDoNotOverlap()
    {
        TrainingReport report = SampleReport.Of(SampleReport.Names(6));
        List<XElement> charts = Svgs(Parse(report), "plot");

        EpochMetrics[] classifier = [.. report.Directions[0].Epochs.Where(epoch => epoch.Kind == StageKind.Classifier)];
        XElement loss = charts.First(chart => chart.Attribute("aria-label")!.Value.StartsWith("Training loss", StringComparison.Ordinal) && chart.ToString().Contains(">head<", StringComparison.Ordinal));
        string[] paths = [.. loss.Elements("path").Where(path => path.Attribute("class")!.Value.StartsWith("line-", StringComparison.Ordinal)).Select(path => path.Attribute("d")!.Value)];
        Assert.Equal(classifier.Sum(epoch => epoch.Curve.Count), Regex.Count(paths[0], "[ML]"));
        Assert.Equal(classifier.Length, Regex.Count(paths[1], "[ML]"));
        Assert.Equal(["head", "last-2", "last-3", "last-4", "all"], loss.Elements("text").Select(text => text.Value).Where(text => classifier.Any(epoch => epoch.Stage == text)));
        Assert.Equal(14, charts.Count);
        Assert.All(charts, AssertTextsInsideAndApart);
        Assert.All(charts.SelectMany(chart => chart.Descendants("circle")), circle =>
        {
            Assert.InRange(Number(circle, "cx"), 0, 480);
            Assert.InRange(Number(circle, "cy"), 0, 400);
        });
    }

    [Fact]
    public void Of_HostileTextsAndLabels_AreTextAndNothingElse()
    {
        TrainingReport hostile = SampleReport.Of(SampleReport.HostileLabels, text: "<img src=x onerror=alert(1)></blockquote><script>alert(2)</script> \u0002 \ud800 \u202e &amp; \"'");
        hostile = hostile with { Outcome = new ReportOutcome("<b>", "</p><script>", 3) };
        TrainingReport tame = SampleReport.Of([.. SampleReport.HostileLabels.Select((_, i) => $"label {i}")]) with { Outcome = new ReportOutcome("b", "p", 3) };

        XElement page = Parse(hostile);

        Assert.Equal(Parse(tame).Descendants().Select(element => element.Name.LocalName).Distinct().Order(), page.Descendants().Select(element => element.Name.LocalName).Distinct().Order());
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "script" or "img" or "b" or "link" or "iframe");
        Assert.DoesNotContain(page.Descendants().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase) || attribute.Name.LocalName is "src" or "style");
        Assert.All(page.Descendants("a"), link => Assert.StartsWith("#", link.Attribute("href")!.Value, StringComparison.Ordinal));
        Assert.Contains(page.Descendants("blockquote"), quote => quote.Value.StartsWith("<img src=x onerror=alert(1)></blockquote><script>alert(2)</script> ␂ \ufffd \u202e &amp; \"'", StringComparison.Ordinal));
        string[] heads = [.. page.Descendants("table").First(table => table.Attribute("class")!.Value == "classes").Descendants("th").Select(head => head.Value)];
        Assert.Contains("<script>alert(1)</script>", heads);
        Assert.Contains("bell␇del␡c1\ufffdnull␀", heads);
        Assert.All(page.Descendants("tbody").Descendants("th").Where(head => head.Value.Contains('\u202e', StringComparison.Ordinal)), head => Assert.NotNull(head.Element("bdi")));
        Assert.All(Svgs(page, "matrix"), svg =>
        {
            Assert.DoesNotContain('\u202e', svg.Value);
            AssertTextsInsideAndApart(svg);
        });
    }

    [Fact]
    public void Of_Page_NeedsNothingElseAndForbidsItselfEverythingElse()
    {
        string html = Encoding.UTF8.GetString(ReportHtml.Of(SampleReport.Of(SampleReport.Names(6))));
        XElement page = Parse(html);

        Assert.DoesNotContain("http:", html, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", html, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", html, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", html, StringComparison.Ordinal);
        string policy = page.Descendants("meta").Single(meta => meta.Attribute("http-equiv") is not null).Attribute("content")!.Value;
        Assert.Equal(ReportHtml.ContentSecurityPolicy, policy);
        string style = html[(html.IndexOf("<style>", StringComparison.Ordinal) + 7)..html.IndexOf("</style>", StringComparison.Ordinal)];
        Assert.Contains($"style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'", policy, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', html);
    }

    [Fact]
    public void Of_Page_IsAccessible()
    {
        XElement page = Parse(SampleReport.Of(SampleReport.Names(6)));

        Assert.Equal("en", page.Attribute("lang")!.Value);
        Assert.Single(page.Descendants("h1"));
        Assert.All(page.Descendants("svg"), svg => Assert.True(svg.Attribute("aria-hidden") is not null || svg.Attribute("aria-label")!.Value.Length > 20));
        Assert.All(page.Descendants("th"), head => Assert.Contains(head.Attribute("scope")!.Value, (string[])["col", "row"]));
        Assert.All(page.Descendants("table").Where(table => table.Element("thead") is not null), table => Assert.NotEmpty(table.Element("caption")!.Value));
        Assert.DoesNotContain(page.Descendants("th"), head => head.Value.Length == 0);
        int[] levels = [.. page.Descendants().Select(element => element.Name.LocalName).Where(name => name is ['h', >= '1' and <= '6']).Select(name => name[1] - '0')];
        Assert.All(levels.Zip(levels.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 1, "a level of headings is left out"));
        Assert.Equal(page.Descendants().Attributes("id").Count(), page.Descendants().Attributes("id").Select(id => id.Value).Distinct().Count());
    }

    [Fact]
    public void Of_ReportOfNothingButItsName_IsAPage()
    {
        XElement page = Parse(new TrainingReport { Name = "bare" });

        Assert.Contains("nothing was measured", page.Value, StringComparison.Ordinal);
        Assert.Empty(page.Descendants("svg"));
    }

    [Fact]
    public void Of_NoHardestExamples_HasNoTextOfTheData()
    {
        TrainingReport report = SampleReport.Of(SampleReport.Names(6), hardest: 0, text: "confidential");

        Assert.Empty(Parse(report).Descendants("blockquote"));
        Assert.DoesNotContain("confidential", Encoding.UTF8.GetString(report.ToJson()), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_EpochsOfLossesThatAreEqualOrMissing_IsDrawn()
    {
        var flat = new EpochMetrics("all", StageKind.Classifier, 1, 1, 0, null, null, 1, null, 0, 1, 0) { Curve = [new CurvePoint(1, 0, 0)] };
        DirectionReport direction = DirectionReport.Of(Direction.Forward, StagePlan.Of(TrainingSettings.Default with { Strategy = Strategy.Full }, 3, false, 10, 10), [flat]);

        XElement page = Parse(new TrainingReport { Name = "flat", Directions = [direction] });

        Assert.All(Svgs(page, "plot"), AssertTextsInsideAndApart);
        Assert.DoesNotContain("NaN", page.ToString(), StringComparison.Ordinal);
    }

    private static XElement Parse(TrainingReport report) => Parse(Encoding.UTF8.GetString(ReportHtml.Of(report)));

    private static XElement Parse(string html)
    {
        using var reader = XmlReader.Create(new StringReader(html), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
        return XDocument.Load(reader).Root!;
    }

    private static List<XElement> Svgs(XElement page, string style) => [.. page.Descendants("svg").Where(svg => svg.Attribute("class")?.Value.Split(' ').Contains(style) == true)];

    private static double Number(XElement element, string attribute) => double.Parse(element.Attribute(attribute)!.Value, CultureInfo.InvariantCulture);

    /// <summary>By the estimate of widths that the drawing itself goes by: boxes of texts lie in the picture, and no two of them meet.</summary>
    private static void AssertTextsInsideAndApart(XElement svg)
    {
        double[] view = [.. svg.Attribute("viewBox")!.Value.Split(' ').Select(part => double.Parse(part, CultureInfo.InvariantCulture))];
        (string Text, double Left, double Top, double Right, double Bottom)[] boxes = [.. svg.Descendants("text").Select(BoxOf)];
        Assert.NotEmpty(boxes);
        Assert.All(boxes, box => Assert.True(box.Left >= -1 && box.Top >= -1 && box.Right <= view[2] + 1 && box.Bottom <= view[3] + 1, $"'{box.Text}' at {box} leaves {svg.Attribute("viewBox")}"));
        for (int i = 0; i < boxes.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                (string Text, double Left, double Top, double Right, double Bottom) a = boxes[i], b = boxes[j];
                bool apart = a.Right <= b.Left + 0.5 || b.Right <= a.Left + 0.5 || a.Bottom <= b.Top + 0.5 || b.Bottom <= a.Top + 0.5;
                Assert.True(apart, $"{a} meets {b}");
            }
        }
    }

    private static (string Text, double Left, double Top, double Right, double Bottom) BoxOf(XElement text)
    {
        double size = text.Attribute("font-size") is null ? SvgPlot.FontSize : Number(text, "font-size"), x = Number(text, "x"), y = Number(text, "y");
        string shown = string.Concat(text.Nodes().OfType<XText>().Select(node => node.Value));
        double width = MarkupText.WidthOf(shown, size), ascent = size * 0.75, descent = size * 0.2;
        double before = text.Attribute("text-anchor")?.Value switch { "middle" => width / 2, "end" => width, _ => 0 };
        if (text.Attribute("transform") is not XAttribute turned)
        {
            return (shown, x - before, y - ascent, x - before + width, y + descent);
        }

        // Every turned text is turned by a quarter to the left around its own place.
        Assert.StartsWith("rotate(-90 ", turned.Value, StringComparison.Ordinal);
        return (shown, x - ascent, y + before - width, x + descent, y + before);
    }
}
