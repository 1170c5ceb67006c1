using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Infra.Tests;

/// <summary>
/// The hooks, run: in a copy of their folder, with a program in place of the Azure CLI that keeps what it is asked. Those for PowerShell
/// run where it is installed.
/// </summary>
public sealed class HookRunTests : IDisposable
{
    private const string Key = "Zm9yLXRlc3RzLW9ubHk";

    private const string AzureCli = """
        #!/bin/sh
        number=$(($(cat "$AZ_LOG/count" 2>/dev/null || echo 0) + 1))
        echo "$number" > "$AZ_LOG/count"
        printf '%s\n' "$*" > "$AZ_LOG/$number.call"
        for argument in "$@"; do
          case "$argument" in @*) cp "${argument#@}" "$AZ_LOG/$number.body" ;; esac
        done
        case "$*" in $AZ_FAILS) exit 1 ;; esac
        case "$*" in
          *"keys list"*) echo "$AZ_KEY" ;;
          *"--method get"*) echo Succeeded ;;
          *"blob show"*) echo "$AZ_DIGEST" ;;
        esac
        """;

    private readonly string root = Directory.CreateTempSubdirectory("hooks").FullName;
    private readonly Dictionary<string, string> environment;

    public HookRunTests()
    {
        foreach (string folder in (string[])["bin", "log", "tmp", "infra/hooks", "src/Ulmfit/Pretrained/en-small"])
        {
            Directory.CreateDirectory(In(folder));
        }
        foreach (string script in Repository.Files("infra/hooks"))
        {
            File.Copy(Path.Combine(Repository.Root, script), In(script));
        }
        foreach (string file in (string[])["vocabulary.json", "card.json", "backward.safetensors", "forward.safetensors"])
        {
            File.WriteAllText(In($"src/Ulmfit/Pretrained/en-small/{file}"), "content");
        }
        File.WriteAllText(In("bin/az"), AzureCli + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(In("bin/az"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = In("bin") + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH"),
            ["TMPDIR"] = In("tmp"),
            ["AZ_LOG"] = In("log"),
            ["AZ_KEY"] = Key,
            ["AZ_FAILS"] = "",
            ["AZ_DIGEST"] = "",
            ["AZURE_SUBSCRIPTION_ID"] = "subscription",
            ["AZURE_RESOURCE_GROUP"] = "group",
            ["API_NAME"] = "func-api",
            ["API_URL"] = "https://func-api.example.net",
            ["STORAGE_ACCOUNT_NAME"] = "account",
            ["STORAGE_BLOB_ENDPOINT"] = "https://account.blob.core.windows.net/",
            ["EVENT_TOPIC_NAME"] = "topic",
            ["DEAD_LETTER_CONTAINER"] = "dead-letters",
            ["TRAINER_NAME"] = "trainer",
            ["TRAINER_IDENTITY_ID"] = "/identities/trainer",
            ["SCHEDULER_ENDPOINT"] = "https://scheduler.example.net",
            ["TASKHUB_NAME"] = "hub",
            ["TRAINER_SCALING"] = "",
            ["PRETRAINED_DIRECTORY"] = "",
            ["SERVICE_TRAINER_IMAGE_NAME"] = "",
        };
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void Postdeploy_FirstTime_SubscribesUploadsAndScales(string shell)
    {
        (int exitCode, string output) = Run(shell, "postdeploy");
        Assert.True(exitCode == 0, output);

        JsonElement subscription = Assert.Single(Calls(), call => call.Line.Contains("--method put", StringComparison.Ordinal)).Body!.Value.GetProperty("properties");
        Assert.Equal(
            $"https://func-api.example.net/runtime/webhooks/blobs?functionName=Host.Functions.DropArrived&code={Key}",
            subscription.GetProperty("destination").GetProperty("properties").GetProperty("endpointUrl").GetString());
        Assert.Equal("/blobServices/default/containers/labeled/", subscription.GetProperty("filter").GetProperty("subjectBeginsWith").GetString());
        Assert.Equal("Microsoft.Storage.BlobCreated", Assert.Single(subscription.GetProperty("filter").GetProperty("includedEventTypes").EnumerateArray()).GetString());
        JsonElement deadLetters = subscription.GetProperty("deadLetterWithResourceIdentity").GetProperty("deadLetterDestination").GetProperty("properties");
        Assert.Equal("/subscriptions/subscription/resourceGroups/group/providers/Microsoft.Storage/storageAccounts/account", deadLetters.GetProperty("resourceId").GetString());
        Assert.Equal("dead-letters", deadLetters.GetProperty("blobContainerName").GetString());

        // What makes the model known comes last.
        Assert.Equal(
            ["en-small/vocabulary.json", "en-small/card.json", "en-small/backward.safetensors", "en-small/forward.safetensors"],
            Calls().Where(call => call.Line.StartsWith("storage blob upload ", StringComparison.Ordinal)).Select(call => call.Line.Split("--name ")[1].Split(' ')[0]));

        JsonElement scale = Scale();
        Assert.True(scale.GetProperty("allowScalingRuleOverride").GetBoolean());
        JsonElement rule = Assert.Single(scale.GetProperty("rules").EnumerateArray()).GetProperty("custom");
        Assert.Equal("/identities/trainer", rule.GetProperty("identity").GetString());
        Assert.Equal(
            """{"endpoint":"https://scheduler.example.net","maxConcurrentWorkItemsCount":"1","taskhubName":"hub","workItemType":"Activity"}""",
            JsonSerializer.Serialize(rule.GetProperty("metadata").EnumerateObject().OrderBy(one => one.Name, StringComparer.Ordinal).ToDictionary(one => one.Name, one => one.Value)));
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void Postdeploy_KeyOfTheApi_IsInNoArgumentAndNoFileThatIsLeft(string shell)
    {
        (int exitCode, string output) = Run(shell, "postdeploy");
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain(Key, output, StringComparison.Ordinal);
        Assert.All(Calls(), call => Assert.DoesNotContain(Key, call.Line, StringComparison.Ordinal));
        Assert.DoesNotContain(Directory.EnumerateFiles(In("tmp"), "*", SearchOption.AllDirectories), file => File.ReadAllText(file).Contains(Key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void Postdeploy_ModelIsThereAlready_UploadsNothing(string shell)
    {
        environment["AZ_DIGEST"] = Convert.ToHexStringLower(SHA256.HashData("content"u8));
        (int exitCode, string output) = Run(shell, "postdeploy");
        Assert.True(exitCode == 0, output);
        Assert.Equal(4, Calls().Count(call => call.Line.StartsWith("storage blob show ", StringComparison.Ordinal)));
        Assert.DoesNotContain(Calls(), call => call.Line.StartsWith("storage blob upload ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void Postdeploy_NotSignedIn_EndsWithWhatToDo(string shell)
    {
        environment["AZ_FAILS"] = "account show*";
        (int exitCode, string output) = Run(shell, "postdeploy");
        Assert.Equal(1, exitCode);
        Assert.Contains("az login", output, StringComparison.Ordinal);
        Assert.Single(Calls());
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void ScaleTrainer_LeftToThePlatform_TakesTheRuleAway(string shell)
    {
        environment["TRAINER_SCALING"] = "platform";
        (int exitCode, string output) = Run(shell, "scale-trainer");
        Assert.True(exitCode == 0, output);
        Assert.False(Scale().GetProperty("allowScalingRuleOverride").GetBoolean());
        Assert.Empty(Scale().GetProperty("rules").EnumerateArray());
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void ScaleTrainer_Refused_EndsWithTheWayOut(string shell)
    {
        environment["AZ_FAILS"] = "*--method patch*";
        (int exitCode, string output) = Run(shell, "scale-trainer");
        Assert.Equal(1, exitCode);
        Assert.Contains("TRAINER_MIN_REPLICAS 1", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void Postprovision_SettingsAreMissing_AreWrittenForTheStorage(string shell)
    {
        (int exitCode, string output) = Run(shell, "postprovision");
        Assert.True(exitCode == 0, output);
        using var settings = JsonDocument.Parse(File.ReadAllText(In("local.settings.json")));
        Assert.Equal("https://account.blob.core.windows.net/", settings.RootElement.GetProperty("Values").GetProperty("storage").GetString());
        Assert.Empty(Calls());
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("pwsh")]
    public void Postprovision_SettingsAreThere_StayAndTheRuleIsSetAgain(string shell)
    {
        File.WriteAllText(In("local.settings.json"), "mine");
        environment["SERVICE_TRAINER_IMAGE_NAME"] = "registry/trainer:1";
        (int exitCode, string output) = Run(shell, "postprovision");
        Assert.True(exitCode == 0, output);
        Assert.Equal("mine", File.ReadAllText(In("local.settings.json")));
        Assert.True(Scale().GetProperty("allowScalingRuleOverride").GetBoolean());
    }

    private string In(string path) => Path.Combine(root, path);

    private (int ExitCode, string Output) Run(string shell, string hook)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "What stands in for the Azure CLI is a script for sh.");
        string? program = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(folder => Path.Combine(folder, shell)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, $"There is no {shell} here.");
        string script = In($"infra/hooks/{hook}.{(shell == "sh" ? "sh" : "ps1")}");
        string[] arguments = shell == "sh" ? [script] : ["-NoProfile", "-NonInteractive", "-File", script];
        var start = new ProcessStartInfo(program!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = In("tmp") };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private IEnumerable<(string Line, JsonElement? Body)> Calls()
    {
        for (int number = 1; File.Exists(In($"log/{number}.call")); number++)
        {
            JsonElement? body = null;
            if (File.Exists(In($"log/{number}.body")))
            {
                using var document = JsonDocument.Parse(File.ReadAllText(In($"log/{number}.body")));
                body = document.RootElement.Clone();
            }
            yield return (File.ReadAllText(In($"log/{number}.call")).TrimEnd('\n'), body);
        }
    }

    private JsonElement Scale() => Assert.Single(Calls(), call => call.Line.Contains("--method patch", StringComparison.Ordinal)).Body!.Value
        .GetProperty("properties").GetProperty("template").GetProperty("scale");
}
