using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary><c>docs/http.md</c>: it has every route once, and its examples run.</summary>
public sealed partial class HttpDocumentTests : IDisposable
{
    private const string Host = "http://localhost:7071";

    private static readonly string Text = File.ReadAllText(Repository.File("docs", "http.md"));

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Routes_AreAllDescribedOnce()
    {
        string[] headings = [.. Heading().Matches(Text).Select(match => match.Groups[1].Value)];

        // One is the host's own.
        IEnumerable<string> functions = HttpFunction.All.SelectMany(function => function.Methods.Select(method => $"{method} {function.Path}"));
        Assert.Equal(functions.Append("GET /metrics").Order(StringComparer.Ordinal), headings.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Examples_InTheirOrder_RunAgainstAHost()
    {
        Assert.SkipUnless(IsThere("bash", "curl", "node"), "The examples need bash, curl and node.");
        string data = Directory.CreateDirectory(Path.Combine(folder.Path, ".data")).FullName;
        await using HostProcess host = await HostProcess.StartAsync(data);
        JsonElement document = await host.GetJsonAsync("api/openapi.json");
        var schema = new JsonSchema(document);
        string address = host.Http.BaseAddress!.ToString().TrimEnd('/');
        string last = "";
        var ran = new Dictionary<string, int>();
        foreach (Match block in Block().Matches(Text))
        {
            string language = block.Groups["language"].Value;
            string code = block.Groups["code"].Value;
            ran[language] = ran.GetValueOrDefault(language) + 1;
            string where = $"the {language} at line {Text[..block.Index].Count(c => c == '\n') + 1}";
            if (language == "json")
            {
                // What the example before it prints, in form.
                JsonElement form = document.GetProperty("components").GetProperty("schemas").GetProperty(block.Groups["schema"].Value);
                Assert.True(schema.Faults(form, JsonSerializer.Deserialize<JsonElement>(code)) is [], $"{where} does not fit its schema.");
                Assert.True(schema.Faults(form, JsonSerializer.Deserialize<JsonElement>(last)) is [], $"{where} is not what is answered: {last}");
                continue;
            }
            last = await RunAsync(language, code.Replace(Host, address, StringComparison.Ordinal), where);
            if (code.Contains("PUT http://localhost:7071/api/datasets/tickets/settings", StringComparison.Ordinal))
            {
                Assert.Contains("\"pretrained\":\"none\"", last, StringComparison.Ordinal);
            }
        }
        Assert.All((string[])["bash", "javascript", "csharp", "json"], language => Assert.True(ran.GetValueOrDefault(language) >= 3, $"Of {language} there are few examples: the blocks were not found."));
    }

    private async Task<string> RunAsync(string language, string code, string where)
    {
        string file;
        ProcessStartInfo start;
        switch (language)
        {
            case "bash":
                file = Path.Combine(folder.Path, "example.sh");
                await File.WriteAllTextAsync(file, "set -euo pipefail\n" + code, Ct);
                start = new ProcessStartInfo("bash", [file]);
                break;
            case "javascript":
                file = Path.Combine(folder.Path, "example.mjs");
                await File.WriteAllTextAsync(file, code, Ct);
                start = new ProcessStartInfo("node", [file]);
                break;
            case "csharp":
                file = Path.Combine(folder.Path, "example.dll");
                CSharpCompilation compilation = SourceCompilation.OfText(code);
                Assert.True(compilation.Errors() is [], $"{where} does not compile: {string.Join('\n', compilation.Errors())}");
                await using (FileStream program = File.Create(file))
                {
                    Assert.True(compilation.Emit(program, cancellationToken: Ct).Success);
                }
                start = new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", Path.Combine(AppContext.BaseDirectory, "Ulmfit.Functions.Tests.runtimeconfig.json"), file]);
                break;
            default:
                throw new InvalidOperationException($"{where}: nobody runs that.");
        }
        start.WorkingDirectory = folder.Path;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        var output = new StringBuilder();
        Task<string> errors = process.StandardError.ReadToEndAsync(Ct);
        output.Append(await process.StandardOutput.ReadToEndAsync(Ct));
        await process.WaitForExitAsync(Ct);
        Assert.True(process.ExitCode == 0, $"{where} ended with {process.ExitCode}: {await errors}\n{output}");
        return output.ToString();
    }

    private static bool IsThere(params string[] programs) => programs.All(program =>
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, program)) || File.Exists(Path.Combine(path, program + ".exe"))));

    [GeneratedRegex("^### `([A-Z]+ /[^`]*)`$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^```(?<language>[a-z]+)(?: (?<schema>[A-Za-z]+))?\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
