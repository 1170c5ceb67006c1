using System.Diagnostics;
using System.Text.RegularExpressions;
using Infra.Tests.Bicep;

namespace Infra.Tests;

/// <summary>The hooks of azd, as scripts for sh and PowerShell.</summary>
public sealed partial class HookTests
{
    // What azd puts into the environment of a hook by itself.
    private static readonly string[] GivenByAzd = ["AZURE_SUBSCRIPTION_ID", "SERVICE_TRAINER_IMAGE_NAME"];

    public static TheoryData<string> Scripts => [.. Repository.Files("infra/hooks", "*.sh").Select(path => Path.ChangeExtension(path, null))];

    [Fact]
    public void AzureYaml_EachHook_IsThereForBothKindsOfSystem()
    {
        string yaml = Repository.Read("azure.yaml");
        string[] posix = [.. Run().Matches(yaml).Where(run => run.Groups["system"].Value == "posix").Select(run => run.Groups["path"].Value)];
        string[] windows = [.. Run().Matches(yaml).Where(run => run.Groups["system"].Value == "windows").Select(run => run.Groups["path"].Value)];
        Assert.NotEmpty(posix);
        Assert.Equal(RunLine().Count(yaml), posix.Length + windows.Length);
        Assert.All(posix.Concat(windows), path => Assert.True(Repository.Has(path), $"{path} is not there."));
        Assert.Equal(posix.Select(path => Path.ChangeExtension(path, ".ps1")), windows);
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_OfEitherKind_UsesTheSameEnvironment(string script)
    {
        string shell = Repository.Read(script + ".sh"), power = Repository.Read(script + ".ps1");
        Assert.Equal(PowerVariable().Matches(power).Select(name => name.Groups[1].Value).Distinct().Order(), ShellVariable().Matches(shell).Select(name => name.Groups[1].Value).Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_EachVariable_IsAnOutputOrGivenByAzdOrAChoiceInTheGuide(string script)
    {
        string guide = Repository.Read("docs/deploy.md");
        foreach (Match variable in ShellVariable().Matches(Repository.Read(script + ".sh")))
        {
            string name = variable.Groups[1].Value;
            bool isOptional = variable.Value.Contains(":-", StringComparison.Ordinal);
            Assert.True(
                Templates.Main.Find(DeclarationKind.Output, name) is not null || GivenByAzd.Contains(name) || (isOptional && guide.Contains(name, StringComparison.Ordinal)),
                $"{script}.sh uses {name}, which nothing sets.");
        }
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_ItsCallsOfTools_AreTheSameInBothKinds(string script)
    {
        string[] Calls(string path) => [.. Tool().Matches(Repository.Read(path)).Select(call => call.Value).Distinct().Order()];
        Assert.Equal(Calls(script + ".sh"), Calls(script + ".ps1"));
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_ForSh_CanBeReadByIt(string script)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no /bin/sh here.");
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-n", Path.Combine(Repository.Root, script + ".sh")]) { RedirectStandardError = true })!;
        string complaint = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        Assert.True(shell.ExitCode == 0, complaint);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Path.Combine(Repository.Root, script + ".sh")).HasFlag(UnixFileMode.UserExecute), $"{script}.sh is not executable.");
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_KeyOfAFunction_IsNoArgumentOfAProcess(string script)
    {
        string[] lines = [.. Repository.Read(script + ".sh").Split('\n'), .. Repository.Read(script + ".ps1").Split('\n')];
        Assert.All(lines.Where(line => line.Contains("$key", StringComparison.Ordinal)), line => Assert.DoesNotMatch(@"^\s*(az|curl|Invoke-\w+)\b|--\w+[^\n]*\$key", line));
    }

    [Fact]
    public void ScaleTrainer_VersionOfTheApi_IsTheOneThatAzdDeploysWith()
    {
        // With an older one azd would read the app without the override and send it back with the rule alone.
        string version = Version().Match(Repository.Read("azure.yaml")).Groups[1].Value;
        Assert.Contains($"?api-version={version}", Repository.Read("infra/hooks/scale-trainer.sh"), StringComparison.Ordinal);
    }

    [Fact]
    public void Postdeploy_EventSubscriptions_AreThoseOfTheBlobTriggers()
    {
        string[] triggers = [.. Repository.Files("src/Ulmfit.Functions", "*.cs").Select(Repository.Read).SelectMany(source => BlobTrigger().Matches(source))
            .Select(trigger => $"{trigger.Groups["container"].Value} {trigger.Groups["function"].Value}").Order()];
        Assert.NotEmpty(triggers);
        Assert.Equal(triggers, ShellSubscription().Matches(Repository.Read("infra/hooks/postdeploy.sh")).Select(one => $"{one.Groups[1].Value} {one.Groups[2].Value}").Order());
        Assert.Equal(triggers, PowerSubscription().Matches(Repository.Read("infra/hooks/postdeploy.ps1")).Select(one => $"{one.Groups[1].Value} {one.Groups[2].Value}").Order());
    }

    [Fact]
    public void Postdeploy_PretrainedModel_IsTheOneThatTrainingStartsFrom()
    {
        string name = PretrainedName().Match(Repository.Read("src/Ulmfit/Training/PretrainedLibrary.cs")).Groups[1].Value;
        foreach (string script in (string[])["infra/hooks/postdeploy.sh", "infra/hooks/postdeploy.ps1"])
        {
            Assert.Contains($"src/Ulmfit/Pretrained/{name}", Repository.Read(script), StringComparison.Ordinal);
            Assert.All(Repository.Files($"src/Ulmfit/Pretrained/{name}").Select(path => Path.GetFileName(path)).Where(file => file != "README.md"),
                file => Assert.Contains(file, Repository.Read(script), StringComparison.Ordinal));
        }
    }

    [GeneratedRegex(@"(?<system>posix|windows):\s+shell: (?:sh|pwsh)\s+run: (?<path>\S+)")]
    private static partial Regex Run();

    [GeneratedRegex(@"^\s+apiVersion: (\S+)", RegexOptions.Multiline)]
    private static partial Regex Version();

    [GeneratedRegex(@"^\s+run:", RegexOptions.Multiline)]
    private static partial Regex RunLine();

    [GeneratedRegex(@"\$\{?([A-Z][A-Z0-9_]+)(?::-)?")]
    private static partial Regex ShellVariable();

    [GeneratedRegex(@"\$\{?env:([A-Z][A-Z0-9_]+)")]
    private static partial Regex PowerVariable();

    // An az command as far as its first option, the options and properties of dotnet and az.
    [GeneratedRegex(@"\baz (?:rest --method \w+|[a-z]+(?: [a-z]+)*)|(?<= |')-p:\w+=\w+|--[a-z][a-z-]+|api-version=[\w-]+")]
    private static partial Regex Tool();

    [GeneratedRegex(@"\[Function\(""(?<function>\w+)""\)\][^;{]*?BlobTrigger\(""(?<container>[a-z-]+)/")]
    private static partial Regex BlobTrigger();

    [GeneratedRegex(@"^subscribe ([a-z-]+) (\w+)$", RegexOptions.Multiline)]
    private static partial Regex ShellSubscription();

    [GeneratedRegex(@"^Register-Trigger '([a-z-]+)' '(\w+)'\r?$", RegexOptions.Multiline)]
    private static partial Regex PowerSubscription();

    [GeneratedRegex("const string English = \"([^\"]+)\"")]
    private static partial Regex PretrainedName();
}
