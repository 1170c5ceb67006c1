using System.Text.RegularExpressions;
using Ulmfit.Cli.Tests;

namespace EndToEnd.Tests.Documents;

/// <summary>
/// The commands <c>az</c> and <c>azd</c> for a shell, where there is no Azure: they note what they are called with and answer as Azure does. A deployment's values are
/// the outputs of <c>infra/main.bicep</c>, and a file that is put into the container <c>labeled</c> is a drop to the host.
/// </summary>
internal sealed partial class AzureTools
{
    /// <summary>The directory of the deployer.</summary>
    public const string Tenant = "7b9e2c3e-5a34-4b9e-9a5c-0d6a3f1c2b11";

    /// <summary>The app registration that is made.</summary>
    public const string Application = "3f0c6b0a-1d52-4c8f-8f8c-5a2f4d0e9c77";

    private const char EndOfArgument = '\u001f';
    private const char EndOfCall = '\u001e';

    private readonly string calls;

    /// <param name="folder">The shell's folder.</param>
    /// <param name="address">Of the host.</param>
    public AzureTools(string folder, string address)
    {
        calls = Path.Combine(folder, ".calls");
        string tools = Directory.CreateDirectory(FolderIn(folder)).FullName;
        File.WriteAllText(Path.Combine(folder, ".values"), string.Concat(Outputs().Append("AZURE_SUBSCRIPTION_ID").Select(name =>
            $"{name}=\"{(name == "API_URL" ? address : name.ToLowerInvariant().Replace('_', '-'))}\"\n")));
        string script = $$"""
            #!/usr/bin/env bash
            set -euo pipefail
            cd "{{folder}}"
            { printf '%s\x1f' "${0##*/}" "$@"; printf '\x1e'; } >> .calls
            case "${0##*/} $*" in
              "azd env get-values") cat .values ;;
              "az functionapp keys list "*) echo 'a-key==' ;;
              "az ad app create "*) echo {{Application}} ;;
              "az account show "*) echo {{Tenant}} ;;
              "az storage blob upload "*"--container-name labeled"*)
                while [ $# -gt 0 ]; do
                  case "$1" in --name) name="$2" ;; --file) file="$2" ;; esac
                  shift
                done
                # The document's two rows, and more, as it says.
                { cat "$file"; echo; tail -n +2 train.csv; } | curl -fsS -X PUT --data-binary @- "{{address}}/api/datasets/${name%%/*}/drops/${name#*/}" ;;
            esac
            """;
        foreach (string name in (string[])["az", "azd"])
        {
            string path = Path.Combine(tools, name);
            File.WriteAllText(path, script + "\n");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    /// <summary>Each call, with its arguments.</summary>
    public IReadOnlyList<string[]> Calls => File.Exists(calls)
        ? [.. File.ReadAllText(calls).Split(EndOfCall, StringSplitOptions.RemoveEmptyEntries).Select(call => call[..^1].Split(EndOfArgument))]
        : [];

    /// <summary>Where they lie.</summary>
    public static string FolderIn(string folder) => Path.Combine(folder, ".tools");

    private static IEnumerable<string> Outputs() => Output().Matches(File.ReadAllText(Path.Combine(Repository.Root, "infra", "main.bicep"))).Select(match => match.Groups[1].Value);

    [GeneratedRegex("^output ([A-Z_]+) ", RegexOptions.Multiline)]
    private static partial Regex Output();
}
