using System.Text.RegularExpressions;
using Infra.Tests.Bicep;

namespace Infra.Tests;

/// <summary>
/// That the templates set what docs/settings.md says they set, and nothing that it does not list. That the document lists what the code
/// reads is held by the tests of the function app.
/// </summary>
public sealed partial class SettingTests
{
    private static readonly Setting[] Listed =
        [.. Row().Matches(Repository.Read("docs/settings.md")).Select(row => new Setting(row.Groups["name"].Value.Replace(":", "__", StringComparison.Ordinal), row.Groups["for"].Value.Split(", "), row.Groups["by"].Value == "infra"))];

    public static TheoryData<string> Apps => ["api", "trainer"];

    [Theory]
    [MemberData(nameof(Apps))]
    public void Settings_ThatTheDocumentSaysInfraSets_AreSet(string app)
    {
        string[] wanted = [.. Listed.Where(setting => setting.IsSetByInfra && setting.IsFor(app)).Select(setting => setting.Name)];
        Assert.Contains("AzureWebJobsStorage__blobServiceUri", wanted);
        Assert.Empty(wanted.Except(Of(app).Keys));
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void Settings_ThatATemplateSets_AreListedForItsApp(string app) =>
        Assert.Empty(Of(app).Keys.Except(Listed.Where(setting => setting.IsFor(app)).Select(setting => setting.Name)));

    [Theory]
    [MemberData(nameof(Apps))]
    public void Settings_ThatHostJsonNames_AreSet(string app)
    {
        string[] named = [.. HostReference().Matches(Repository.Read("host.json")).Select(name => name.Groups[1].Success ? name.Groups[1].Value : name.Groups[2].Value)];
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(Of(app).Keys));
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void Settings_OfAnApp_HoldNoSecret(string app) =>
        Assert.All(Of(app), setting => Assert.DoesNotMatch("(?i)key|secret|password|signature", setting.Value is Text text ? string.Concat(text.Segments) : ""));

    [Fact]
    public void Settings_OfTheTrainer_LetOneStepHaveTheGpu() =>
        Assert.Equal("1", (Of("trainer")["AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions"] as Text)?.Value);

    private static IReadOnlyDictionary<string, Expression> Of(string app) => Templates.Settings($"infra/app/{app}.bicep");

    // | `name` | default | for | set by | read by | meaning |
    [GeneratedRegex(@"^\| `(?<name>[^`]+)` \|[^|]*\| (?<for>[a-z, ]+) \| (?<by>infra|you) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("%([A-Za-z_]+)%|\"connectionStringName\": *\"([A-Za-z_]+)\"")]
    private static partial Regex HostReference();

    private sealed record Setting(string Name, string[] For, bool IsSetByInfra)
    {
        public bool IsFor(string app) => For.Contains("all") || For.Contains(app);
    }
}
