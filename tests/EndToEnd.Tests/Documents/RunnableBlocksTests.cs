using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Support;
using Ulmfit.Cli.Tests;

namespace EndToEnd.Tests.Documents;

/// <summary>The blocks marked <c>bash run</c>, done as a newcomer would: document by document, on one host.</summary>
public sealed partial class RunnableBlocksTests(RunningHost host) : IClassFixture<RunningHost>
{
    private const string Usual = "http://localhost:7071";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Documents_RunInTheirOrder_DoWhatTheySay()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The blocks are for bash.");

        // The how-tos go on with what the tutorial has made.
        string[] order = ["docs/tutorial.md", "docs/how-to-imbalanced.md", "docs/how-to-rollback.md"];
        string[] marked = [.. MarkdownDocument.Paths.Where(path => new MarkdownDocument(path).Blocks().Any(block => block.Info == "bash run"))];
        Assert.Equal(order.Order(StringComparer.Ordinal), marked.Order(StringComparer.Ordinal));

        DirectoryInfo folder = Directory.CreateTempSubdirectory("ulmfit-documents-");
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(folder.FullName, "src"), Path.Combine(Repository.Root, "src"));
            foreach (string path in order)
            {
                await RunAsync(path, folder.FullName);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        JsonElement run = await host.Http.GetFromJsonAsync<JsonElement>("api/runs/tickets-1", Ct), drop = await host.Http.GetFromJsonAsync<JsonElement>("api/datasets/tickets/drops/more.csv", Ct);
        Assert.Equal("completed", run.GetProperty("status").GetString());
        Assert.Equal((1, 1, 3), (drop.GetProperty("accepted").GetInt32(), drop.GetProperty("rejected").GetInt32(), drop.GetProperty("errors")[0].GetProperty("line").GetInt32()));
        Assert.Equal(1, (await host.Http.GetFromJsonAsync<JsonElement>("api/models/tickets", Ct)).GetProperty("champion").GetInt32());
        AssertEveryFileIsDocumented();
    }

    // Its dotnet run of the command line is the one that was built with these tests.
    private async Task RunAsync(string path, string folder)
    {
        var script = new StringBuilder("""
            set -euo pipefail
            ulmfit() { command dotnet "$ULMFIT_CLI" "$@"; }
            dotnet() { if [ "${1-} ${2-} ${3-}" = "run --project src/Ulmfit.Cli" ]; then shift 6; ulmfit "$@"; else command dotnet "$@"; fi; }

            """);
        foreach (CodeBlock block in new MarkdownDocument(path).Blocks().Where(block => block.Info == "bash run"))
        {
            script.Append("echo; echo '--- ").Append(path).Append('(').Append(block.Line).Append(")'\n").Append(block.Content.Replace(Usual, host.Address.ToString().TrimEnd('/'), StringComparison.Ordinal));
        }

        var start = new ProcessStartInfo("bash", ["-c", script.ToString()]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ULMFIT_HOST"] = host.Address.ToString();
        start.Environment["ULMFIT_CLI"] = Path.Combine(AppContext.BaseDirectory, "Ulmfit.Cli.dll");
        using Process bash = Process.Start(start)!;
        Task<string> output = bash.StandardOutput.ReadToEndAsync(Ct), error = bash.StandardError.ReadToEndAsync(Ct);
        await bash.WaitForExitAsync(Ct);
        Assert.True(bash.ExitCode == 0, $"{await output}\n{await error}");
    }

    private void AssertEveryFileIsDocumented()
    {
        Regex[] documented = [.. DocumentTests.Rows("docs/storage.md").SelectMany(cells => cells[0].Split(", ")).Select(cell => PatternOf(cell.Trim('`')))];

        string[] unknown = [.. Directory.GetFiles(host.Data, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(host.Data, file).Replace('\\', '/'))
            .Where(file => !documented.Any(pattern => pattern.IsMatch(file)))];

        Assert.Empty(unknown);
    }

    private static Regex PatternOf(string path) => new(
        "^" + Placeholder().Replace(Regex.Escape(path).Replace("\\{", "{", StringComparison.Ordinal), match => match.Groups[1].Value switch
        {
            "rest" => ".+",
            "number" => "[0-9]{6}",
            "version" => "[0-9]+",
            "digest" => "[0-9a-f]{64}",
            _ => "[^/]+",
        }) + "$",
        RegexOptions.CultureInvariant);

    [GeneratedRegex("{([a-z]+)}")]
    private static partial Regex Placeholder();
}
