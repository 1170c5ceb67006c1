using System.Diagnostics;
using System.Text;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests.Documents;

/// <summary>
/// Does what documents say, in one folder and against one host. Every command runs as it stands; only what would train for long is shortened: settings that a
/// block puts are taken by the host and then followed by brief ones, training on this machine gets a file of brief ones, and pretraining has seconds in place of an hour.
/// </summary>
internal sealed class DocumentShell : IDisposable
{
    /// <summary>From the language model that ships: one epoch of it, and one of the head.</summary>
    private const string BriefOnHost = """{"directions": "forward", "strategy": "last", "languageModel": {"epochs": 1}, "classifier": {"epochs": 1}}""";

    private const string BriefHere = """
        {"pretrained": "none", "strategy": "full", "languageModel": {"fineTune": true, "epochs": 1, "bptt": 20}, "classifier": {"epochs": 2, "batch": 16}}
        """;

    // The command line is the one that was built with these tests. That a run is no better than the champion is no fault of the document.
    private const string Prelude = """
        set -euo pipefail
        ulmfit() {
          local command="$1"; shift
          case "$command" in
            train | lr-find) set -- --settings .brief.json "$@" ;;
            pretrain) set -- "${@/#60/0.05}" ;;
          esac
          command dotnet "$ULMFIT_CLI" "$command" "$@" || [[ "$command $?" =~ ^(watch|drop)\ 3$ ]]
        }
        dotnet() { if [ "${1-} ${2-} ${3-}" = "run --project src/Ulmfit.Cli" ]; then shift 6; ulmfit "$@"; else command dotnet "$@"; fi; }
        curl() {
          command curl "$@"
          local argument
          for argument; do
            case "$argument" in
              http*/settings) command curl -fsS -o "$(mktemp)" -X PUT -d "$ULMFIT_BRIEF" "$argument" ;;
            esac
          done
        }

        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ulmfit-documents-");
    private readonly RunningHost host;

    public DocumentShell(RunningHost host)
    {
        this.host = host;
        Write(".brief.json", BriefHere);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The folder in which everything runs.</summary>
    public string Folder => folder.FullName;

    /// <summary>Lays a file there.</summary>
    public void Write(string name, string content) => File.WriteAllText(Path.Combine(Folder, name), content);

    /// <summary>Runs commands one after another; the first that fails is a failure.</summary>
    /// <param name="title">Where they stand.</param>
    /// <param name="commands">The commands.</param>
    public async Task RunAsync(string title, string commands)
    {
        string address = host.Address.ToString().TrimEnd('/');
        string script = new StringBuilder(Prelude).Append(commands)
            .Replace("http://localhost:7071", address)
            .Replace("https://tickets-api.azurewebsites.net", address)
            .ToString();
        var start = new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ULMFIT_HOST"] = address;
        start.Environment["ULMFIT_CLI"] = Path.Combine(AppContext.BaseDirectory, "Ulmfit.Cli.dll");
        start.Environment["ULMFIT_BRIEF"] = BriefOnHost;
        var watch = Stopwatch.StartNew();
        using Process bash = Process.Start(start)!;
        Task<string> output = bash.StandardOutput.ReadToEndAsync(Ct), error = bash.StandardError.ReadToEndAsync(Ct);
        await bash.WaitForExitAsync(Ct);
        Assert.True(bash.ExitCode == 0, $"{title}:\n{await output}\n{await error}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{watch.Elapsed.TotalSeconds,6:0.0} s  {title}");
    }

    public void Dispose() => folder.Delete(recursive: true);
}
