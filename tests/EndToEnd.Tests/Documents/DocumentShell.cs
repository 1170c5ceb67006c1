using System.Diagnostics;
using System.Text;
using System.Text.Json;
using EndToEnd.Tests.Support;
using Ulmfit.Cli.Tests;
using Ulmfit.Functions.Tests.Support;

namespace EndToEnd.Tests.Documents;

/// <summary>
/// Does what documents say, in one folder and against one host, as one does in a terminal: what a block assigns, later ones know. Every command runs as it
/// stands; only what would take long is shortened, in the <see cref="Prelude"/>: settings that a block puts are taken by the host and then followed by brief
/// ones, training on this machine gets brief ones, and numbers and sizes are small. Azure's tools are <see cref="AzureTools"/>.
/// </summary>
internal sealed class DocumentShell : IDisposable
{
    /// <summary>The mark of a block that runs with all other tests.</summary>
    public const string Mark = "bash run";

    /// <summary>The mark of one that takes long, or needs what few machines have.</summary>
    public const string LongMark = "bash run-long";

    /// <summary>From the language model that ships: one epoch of it, and one of the head.</summary>
    private const string BriefOnHost = """{"directions": "forward", "strategy": "last", "languageModel": {"epochs": 1}, "classifier": {"epochs": 1}}""";

    private const string BriefHere = """
        {"pretrained": "none", "strategy": "full", "languageModel": {"fineTune": true, "epochs": 1, "bptt": 20}, "classifier": {"epochs": 1, "batch": 16}}
        """;

    // The command line and the host are those that were built with these tests. That a run is no better than the champion is no fault of the document.
    private const string Prelude = """
        set -euo pipefail

        # The arguments, with small numbers and sizes in place of large ones, as the array "short". Projects are those of the repository.
        shorten() {
          short=()
          local option="" argument
          for argument; do
            case "$option $argument" in
              "--seeds "*) argument=1 ;;
              "--pretrained en-small") [ ! -d en ] || argument=en ;;
              "--labels "*,*) argument=20,all ;;
              "--labels "*) argument=20 ;;
              "--size "* | "--models en-small" | "--cold-start base") argument=tiny ;;
              "--max-minutes "* | "--minutes "*) argument=0.05 ;;
              "--count "*) argument=2000 ;;
              "--seconds "* | "--no-run-after "*) argument=1 ;;
              "--runs "* | "--starts "*) argument=1 ;;
              "--overhead "*) argument=20 ;;
              "--clients "*) argument=1,2 ;;
              "--job "*) argument=dry ;;
              *" src/"* | *" tests/"*) argument="$ULMFIT_REPOSITORY/$argument" ;;
            esac
            short+=("$argument")
            option="$argument"
          done
        }

        # Adds an option where it is not given.
        unless_given() { [[ " ${short[*]} " == *" $1 "* ]] || short+=("$@"); }

        # The settings of the document, if any, followed by brief ones.
        brief() {
          local given=("${short[@]}") settings=.brief.json i
          short=()
          for ((i = 0; i < ${#given[@]}; i++)); do
            if [ "${given[i]}" = --settings ]; then
              jq -s '.[0] * .[1]' "${given[i + 1]}" .brief.json > .followed.json
              settings=.followed.json
              i=$((i + 1))
            else
              short+=("${given[i]}")
            fi
          done
          short+=(--settings "$settings")
        }

        ulmfit() {
          local command="$1"
          shift
          shorten "$@"
          case "$command ${1-}" in
            "compare --list") ;;
            "train "* | "lr-find "* | "compare "* | "lowshot "*) brief ;;
            "bench "*) unless_given --size tiny; [[ " $* " == *" --minutes "* ]] || unless_given --steps 1 ;;
          esac
          command dotnet "$ULMFIT_CLI" "$command" "${short[@]}" || [[ "$command $?" =~ ^(watch|drop)\ 3$ ]]
        }

        # The host, until it listens or the demonstration has ended; then it is told to stop.
        start() {
          [[ " $* " == *" --data "* ]] || set -- --data "$(mktemp -d)" "$@"
          [[ " $* " != *" --demo "* ]] || set -- --exit-after-demo "$@"
          command dotnet "$ULMFIT_APP" --urls http://127.0.0.1:0 "$@" > .started.log 2>&1 &
          local app=$!
          if [[ " $* " != *" --demo "* ]]; then
            while ! grep -q "Now listening on: " .started.log; do kill -0 $app || { cat .started.log >&2; return 1; }; sleep 0.1; done
            kill -TERM $app
          fi
          wait $app || { cat .started.log >&2; return 1; }
        }

        dotnet() {
          case "$* " in
            "run --project src/Ulmfit.Cli -c Release -- "*) shift 6; ulmfit "$@"; return ;;
            "run --project src/Ulmfit.Functions -c Release "*) shift 5; [ "${1-}" != -- ] || shift; start "$@"; return ;;
          esac
          shorten "$@"
          case "$* " in
            "test ") short+=(--list-tests) ;;
            *"tests/KillMatrix "*) unless_given --sample 2; unless_given --instants 1 ;;
            *" load --help "*) ;;
            *" load "*) unless_given --requests 500; unless_given --minutes 1; unless_given --clients 4; unless_given --promotions 1; unless_given --threads 1 ;;
            *"tests/Benchmarks/Serving "*)
              unless_given --models tiny; unless_given --cold-start tiny; unless_given --tokens 8
              unless_given --overhead 20; unless_given --starts 1; unless_given --runs 1; unless_given --seconds 0.5 ;;
          esac
          (
            unset ULMFIT_HOST
            [ -z "${ULMFIT_FAULT_SCHEDULES-}" ] || export ULMFIT_FAULT_SCHEDULES=20
            case "$1" in run) ;; *) cd "$ULMFIT_REPOSITORY" ;; esac
            command dotnet "${short[@]}"
          )
        }

        # Where there are several, packages of the system are for the system's.
        python3() {
          local python=python3
          command python3 -c 'import numpy' 2> .python.log || [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
          shorten "$@"
          command "$python" "${short[@]}"
        }

        tests/Benchmarks/performance.sh() { "$ULMFIT_REPOSITORY/tests/Benchmarks/performance.sh" --try "${@/#reviews/$PWD/reviews}"; }

        mount() { command mount "$@"; trap "umount '${!#}'" EXIT; }

        curl() {
          command curl -f "$@"
          local argument
          for argument; do
            case "$argument" in
              http*/settings) command curl -fsS -o "$(mktemp)" -X PUT -d "$ULMFIT_BRIEF" "$argument" ;;
            esac
          done
        }

        # What a block assigns is there for the next one.
        [ ! -f .assigned ] || . ./.assigned
        set -a

        """;

    private const string Postlude = "\nset +a\nexport -p > .assigned\n";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ulmfit-documents-");
    private readonly RunningHost? host;

    /// <param name="host">The host that documents speak of; null for none.</param>
    public DocumentShell(RunningHost? host)
    {
        this.host = host;
        Write(".brief.json", BriefHere);
        DocumentFiles.Lay(Folder);
        Azure = new AzureTools(Folder, Address);
        if (host is not null)
        {
            Directory.CreateSymbolicLink(Path.Combine(Folder, ".data"), host.Data);
        }
    }

    /// <summary>The folder in which everything runs.</summary>
    public string Folder => folder.FullName;

    /// <summary>What was asked of Azure.</summary>
    public AzureTools Azure { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Address => host?.Address.ToString().TrimEnd('/') ?? "";

    /// <summary>Lays a file there.</summary>
    public void Write(string name, string content) => File.WriteAllText(Path.Combine(Folder, name), content);

    /// <summary>Runs the blocks of a document with the <see cref="Mark"/>, and holds a block of JSON with a schema, and what the commands before it print, against the schema.</summary>
    /// <param name="path">The document's path.</param>
    /// <param name="before">Is told of each block before it runs; null for nobody.</param>
    public async Task RunDocumentAsync(string path, Func<CodeBlock, Task>? before = null)
    {
        string last = "";
        foreach (CodeBlock block in new MarkdownDocument(path).Blocks())
        {
            string at = $"{path}({block.Line})";
            if (block.Info == Mark)
            {
                await (before?.Invoke(block) ?? Task.CompletedTask);
                last = await RunAsync(at, block.Content);
            }
            else if (block.Info.Split(' ') is ["json", not "settings"] and [_, string name])
            {
                JsonElement document = await host!.WaitForAsync("api/openapi.json", _ => true), schema = document.GetProperty("components").GetProperty("schemas").GetProperty(name);
                Assert.Equal([], new JsonSchema(document).Faults(schema, JsonSerializer.Deserialize<JsonElement>(block.Content)).Select(fault => $"{at}: {fault}"));
                Assert.Equal([], new JsonSchema(document).Faults(schema, JsonSerializer.Deserialize<JsonElement>(last)).Select(fault => $"before {at}: {fault}"));
            }
        }
    }

    /// <summary>Runs commands one after another; the first that fails is a failure.</summary>
    /// <param name="title">Where they stand.</param>
    /// <param name="commands">The commands.</param>
    /// <returns>What they print.</returns>
    public async Task<string> RunAsync(string title, string commands)
    {
        (int code, string output, string error) = await TryAsync(title, commands);
        Assert.True(code == 0, $"{title}:\n{output}\n{error}");
        return output;
    }

    /// <summary>The same, and a failure is told.</summary>
    /// <param name="title">Where they stand.</param>
    /// <param name="commands">The commands.</param>
    public async Task<(int Code, string Output, string Error)> TryAsync(string title, string commands)
    {
        string script = new StringBuilder(Prelude).Append(commands).Append(Postlude)
            .Replace("http://localhost:7071", Address)
            .Replace("https://tickets-api.azurewebsites.net", Address)
            .ToString();
        Write(".script.sh", script);
        var start = new ProcessStartInfo("bash", [Path.Combine(Folder, ".script.sh")]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{AzureTools.FolderIn(Folder)}{Path.PathSeparator}{start.Environment["PATH"]}";
        start.Environment["ULMFIT_HOST"] = Address;
        start.Environment["ULMFIT_CLI"] = Path.Combine(AppContext.BaseDirectory, "Ulmfit.Cli.dll");
        start.Environment["ULMFIT_APP"] = Path.Combine(AppContext.BaseDirectory, "Ulmfit.Functions.dll");
        start.Environment["ULMFIT_REPOSITORY"] = Repository.Root.TrimEnd('/');
        start.Environment["ULMFIT_BRIEF"] = BriefOnHost;
        start.Environment.Remove(LongBlocksTests.Variable);
        var watch = Stopwatch.StartNew();
        using Process bash = Process.Start(start)!;
        Task<string> output = bash.StandardOutput.ReadToEndAsync(Ct), error = bash.StandardError.ReadToEndAsync(Ct);
        await bash.WaitForExitAsync(Ct);
        TestContext.Current.TestOutputHelper?.WriteLine($"{watch.Elapsed.TotalSeconds,6:0.0} s  {title}");
        return (bash.ExitCode, await output, await error);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
