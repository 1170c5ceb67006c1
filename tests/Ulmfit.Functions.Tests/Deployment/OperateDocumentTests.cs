using System.Globalization;
using System.Text.RegularExpressions;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Deployment;

/// <summary>docs/operate.md lists every log event of the product, with its level, and whether an exception comes with it, and every instrument.</summary>
public sealed partial class OperateDocumentTests
{
    [Fact]
    public void Events_OfTheSources_AreListedWithTheirLevels()
    {
        IEnumerable<(int Number, string Level, bool HasException)> told = ((string[])["Ulmfit", "Ulmfit.Cpu", "Ulmfit.Torch", "Ulmfit.Onnx", "Ulmfit.Storage", "Ulmfit.Pipeline", "Ulmfit.Functions"])
            .SelectMany(project => Repository.Sources("src", project))
            .SelectMany(file => Message().Matches(File.ReadAllText(file)))
            .Select(match => (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), match.Groups[2].Value.ToLowerInvariant(), match.Groups[3].Value.Contains("Exception ", StringComparison.Ordinal)));
        IEnumerable<(int Number, string Level, bool HasException)> listed = Row().Matches(File.ReadAllText(Repository.File("docs", "operate.md")))
            .Select(match => (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), match.Groups[2].Value, match.Groups[3].Success));

        Assert.Equal(told.Order(), listed.Order());
    }

    [Fact]
    public void Instruments_OfTheSources_AreListedWithTheirKindsAndUnits()
    {
        IEnumerable<(string Name, string Kind, string Unit)> made = Repository.Sources("src", "Ulmfit")
            .SelectMany(file => Instrument().Matches(File.ReadAllText(file)))
            .Select(match => (match.Groups[2].Value, Kinds[match.Groups[1].Value], match.Groups[3].Value));
        IEnumerable<(string Name, string Kind, string Unit)> listed = InstrumentRow().Matches(File.ReadAllText(Repository.File("docs", "operate.md")))
            .Select(match => (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value));

        Assert.NotEmpty(made);
        Assert.Equal(made.Order(), listed.Order());
    }

    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["Counter"] = "counter", ["UpDownCounter"] = "up-down counter", ["Histogram"] = "histogram", ["Gauge"] = "gauge",
    };

    [GeneratedRegex(@"\.Create(\w+?)(?:<\w+>)?\(\s*""(ulmfit\.[a-z._]+)"", ""([^""]+)""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"^\| `(ulmfit\.[a-z._]+)` \| ([a-z-]+(?: counter)?), `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex InstrumentRow();

    // The attribute, then the method with its parameters.
    [GeneratedRegex(@"LoggerMessage\(\s*(\d+),\s*LogLevel\.(\w+).*?partial void \w+\(([^)]*)\)", RegexOptions.Singleline)]
    private static partial Regex Message();

    [GeneratedRegex(@"^\| (\d+) \| (\w+)(, exception)? \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
