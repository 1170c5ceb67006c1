using System.Globalization;
using System.Text.RegularExpressions;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Deployment;

/// <summary>docs/operate.md lists every log event of the product.</summary>
public sealed partial class OperateDocumentTests
{
    [Fact]
    public void Events_OfTheSources_AreListedWithTheirLevels()
    {
        // Two places may tell the same event.
        IEnumerable<(int Number, string Level)> told = ((string[])["Ulmfit", "Ulmfit.Cpu", "Ulmfit.Torch", "Ulmfit.Onnx", "Ulmfit.Storage", "Ulmfit.Pipeline", "Ulmfit.Functions"])
            .SelectMany(project => Repository.Sources("src", project))
            .SelectMany(file => Message().Matches(File.ReadAllText(file)))
            .Select(match => (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), match.Groups[2].Value.ToLowerInvariant()))
            .Distinct();
        IEnumerable<(int Number, string Level)> listed = Row().Matches(File.ReadAllText(Repository.File("docs", "operate.md")))
            .Select(match => (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), match.Groups[2].Value));

        Assert.Equal(told.Order(), listed.Order());
    }

    [GeneratedRegex(@"LoggerMessage\(\s*(\d+),\s*LogLevel\.(\w+)")]
    private static partial Regex Message();

    [GeneratedRegex(@"^\| (\d+) \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
