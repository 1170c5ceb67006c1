using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Support;
using Ulmfit.Cli.Tests;
using Ulmfit.Data;

namespace EndToEnd.Tests.Documents;

/// <summary>Blocks that other programs read, held against what the product has of what they name.</summary>
public sealed partial class ShownBlocksTests(RunningHost host) : IClassFixture<RunningHost>
{
    /// <summary>The languages of such blocks.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["csv", "kusto", "mermaid", "promql", "yaml"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Csv_IsTakenRowByRow()
    {
        Assert.All(Of("csv"), block =>
        {
            LabeledFile file = LabeledDataReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(block.Content)), "shown.csv");

            Assert.Empty(file.Rejected);
            Assert.Equal(block.Content.Trim().Split('\n').Length - 1, file.Rows.Count);
        });
    }

    [Fact]
    public void Mermaid_IsOfAKnownKindAndClosesWhatItOpens()
    {
        Assert.All(Of("mermaid"), block =>
        {
            Assert.Matches("^(flowchart (LR|RL|TB|TD|BT)|sequenceDiagram)\n", block.Content);
            Assert.All((string[])["[]", "()", "{}"], pair => Assert.Equal(block.Content.Count(c => c == pair[0]), block.Content.Count(c => c == pair[1])));
            string[] lines = [.. block.Content.Split('\n').Select(line => line.Trim())];
            Assert.Equal(lines.Count(line => Regex.IsMatch(line, "^(loop|alt|opt|par|subgraph) ", RegexOptions.None, TimeSpan.FromSeconds(1))), lines.Count(line => line == "end"));
        });
    }

    [Fact]
    public void Kusto_PropertiesAreThoseThatAreLogged()
    {
        string[] messages = [.. Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories).SelectMany(file => LogMessage().Matches(File.ReadAllText(file)).Select(match => match.Value))];
        string[] logged = [.. messages.SelectMany(message => Placeholder().Matches(message).Select(match => match.Groups[1].Value))];

        Assert.All(Of("kusto"), block =>
        {
            Assert.All(Property().Matches(block.Content), property => Assert.Contains(property.Groups[1].Value, (string[])["EventId", .. logged]));

            // A query for one event names what its message has.
            foreach (string query in block.Content.Split("\n\n").Where(query => Event().IsMatch(query)))
            {
                string id = Event().Match(query).Groups[1].Value;
                string[] named = [.. Property().Matches(query).Select(match => match.Groups[1].Value).Where(name => name != "EventId")];
                Assert.Contains(messages, message => message.StartsWith($"LoggerMessage({id},", StringComparison.Ordinal) && named.All(name => Placeholder().Matches(message).Any(match => match.Groups[1].Value == name)));
            }
        });
    }

    [Fact]
    public async Task Promql_MetricsAndLabelsAreThoseOfTheHost()
    {
        await host.SendAsync(HttpMethod.Put, "api/datasets/tickets/settings", Samples.Brief);
        await host.SendAsync(HttpMethod.Put, "api/datasets/tickets/drops/tickets.csv", Samples.Csv(100));
        await host.WaitForAsync("api/models/tickets", _ => true);
        await host.SendAsync(HttpMethod.Post, "api/models/tickets/classify", """{"inputs": "where is my parcel?"}""");
        string[] series = [.. (await host.Http.GetStringAsync(new Uri("metrics", UriKind.Relative), Ct)).Split('\n').Where(line => !line.StartsWith('#'))];

        Assert.All(Of("promql"), block =>
        {
            Assert.NotEmpty(Metric().Matches(block.Content));
            Assert.All(Metric().Matches(block.Content), metric =>
            {
                string[] labels = [.. Label().Matches(metric.Groups["labels"].Value).Select(match => match.Groups[1].Value)];
                Assert.True(
                    series.Any(line => line.StartsWith(metric.Groups["name"].Value + "{", StringComparison.Ordinal) && labels.All(label => line.Contains($"{label}=\"", StringComparison.Ordinal))),
                    string.Create(CultureInfo.InvariantCulture, $"{metric.Value} is none of the {series.Length} lines of /metrics."));
            });
            Assert.Equal(block.Content.Count(c => c == '('), block.Content.Count(c => c == ')'));
        });
    }

    [Fact]
    public async Task Yaml_IsWhatPrometheusReads()
    {
        Programs.SkipUnlessThere("bash", "python3");
        using var shell = new DocumentShell(host);
        Assert.SkipUnless((await shell.TryAsync("PyYAML", "python3 -c 'import yaml'")).Code == 0, "There is no PyYAML.");
        foreach (CodeBlock block in Of("yaml"))
        {
            shell.Write("shown.yml", block.Content.Replace("localhost:7071", host.Address.Authority, StringComparison.Ordinal));
            string paths = await shell.RunAsync("the scraper's settings", """
                python3 -c 'import yaml
                for job in yaml.safe_load(open("shown.yml"))["scrape_configs"]: print(*("http://" + target + job["metrics_path"] for one in job["static_configs"] for target in one["targets"]))'
                """);
            Assert.StartsWith("# ", await host.Http.GetStringAsync(new Uri(paths.Trim()), Ct), StringComparison.Ordinal);
        }
    }

    private static CodeBlock[] Of(string language)
    {
        CodeBlock[] blocks = [.. MarkdownDocument.Paths.SelectMany(path => new MarkdownDocument(path).Blocks()).Where(block => block.Info == language)];
        Assert.NotEmpty(blocks);
        return blocks;
    }

    [GeneratedRegex("""LoggerMessage\([0-9]+, LogLevel\.\w+,\s*"(?:[^"\\]|\\.)*"\)""")]
    private static partial Regex LogMessage();

    [GeneratedRegex("{([A-Za-z]+)(?::[^}]*)?}")]
    private static partial Regex Placeholder();

    [GeneratedRegex("""Properties\["([A-Za-z]+)"\]""")]
    private static partial Regex Property();

    [GeneratedRegex("""Properties\["EventId"\] == "([0-9]+)["]\s""")]
    private static partial Regex Event();

    [GeneratedRegex("(?<name>ulmfit_[a-z_]+)(?:{(?<labels>[^}]*)})?")]
    private static partial Regex Metric();

    [GeneratedRegex("([a-z_]+)=")]
    private static partial Regex Label();
}
