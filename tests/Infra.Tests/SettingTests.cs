using Infra.Tests.Bicep;

namespace Infra.Tests;

/// <summary>That code, templates and documents agree on the settings.</summary>
public sealed class SettingTests
{
    // Settings for people at a terminal: a deployment has none of them.
    private static readonly string[] Local = ["demo", "exit-after-demo", "data", "storage", "Host__LeaseSeconds", "Classify__Anonymous"];

    [Fact]
    public void Settings_OfTheCode_AreFound()
    {
        Assert.Contains("Drops__SettleSeconds", CodeSettings.Read);
        Assert.Contains("Training__Engine", CodeSettings.Read);
        Assert.Contains("Limits__DropBytes", CodeSettings.Read);
        Assert.True(CodeSettings.Read.Count > 20, string.Join(' ', CodeSettings.Read));
    }

    [Fact]
    public void Settings_ThatTemplatesSet_AreReadByTheCodeOrThePlatform()
    {
        string[] known = [.. CodeSettings.Read, .. CodeSettings.Platform, .. CodeSettings.NamedByHost, "TASKHUB_NAME", "DURABLE_TASK_SCHEDULER_CONNECTION_STRING"];
        Assert.Empty(Templates.Api.Keys.Concat(Templates.Trainer.Keys).Except(known));
        Assert.Empty(Templates.Api.Keys.Concat(Templates.Trainer.Keys).Intersect(Local));
    }

    [Fact]
    public void Settings_WithoutWhichAnAppCannotStart_AreSetForBoth()
    {
        string[] needed = ["AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId", "AZURE_CLIENT_ID", .. CodeSettings.NamedByHost];
        Assert.Empty(needed.Except(Templates.Api.Keys));
        Assert.Empty(needed.Except(Templates.Trainer.Keys));
    }

    [Fact]
    public void Settings_OfEachApp_AreItsOwn()
    {
        // The queue of drops is the api's, steps and their engine are the trainer's.
        Assert.Contains("AzureWebJobsStorage__queueServiceUri", Templates.Api.Keys);
        Assert.DoesNotContain("AzureWebJobsStorage__queueServiceUri", Templates.Trainer.Keys);
        Assert.DoesNotContain("Training__Engine", Templates.Api.Keys);
        Assert.Equal("1", (Templates.Trainer["AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions"] as Text)?.Value);
    }

    [Fact]
    public void Settings_ThatTheDocumentSaysInfraSets_AreSet()
    {
        // | `name` | default | for | set by | read by | meaning |
        string[][] rows = [.. Repository.Read("docs/settings.md").Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1])];
        string[] Of(string app) => [.. rows.Where(row => row is [_, _, _, "infra", ..] && (row[2] == "all" || row[2].Split(", ").Contains(app))).Select(row => row[0].Trim('`').Replace(":", "__", StringComparison.Ordinal))];
        Assert.NotEmpty(Of("api"));
        Assert.Empty(Of("api").Except(Templates.Api.Keys));
        Assert.NotEmpty(Of("trainer"));
        Assert.Empty(Of("trainer").Except(Templates.Trainer.Keys));
    }

    [Fact]
    public void Settings_OfTheCode_AreDocumented()
    {
        string documents = Repository.Read("docs/settings.md");
        Assert.All(CodeSettings.Read.Concat(Templates.Api.Keys).Concat(Templates.Trainer.Keys).Distinct(), name =>
        {
            // The app's own are written with colons, what others read as they ask for it.
            Assert.True(
                documents.Contains($"`{name}`", StringComparison.Ordinal) || documents.Contains($"`{name.Replace("__", ":", StringComparison.Ordinal)}`", StringComparison.Ordinal),
                $"{name} is not in docs/settings.md.");
        });
    }
}
