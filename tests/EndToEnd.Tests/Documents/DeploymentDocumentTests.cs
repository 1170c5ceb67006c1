using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests.Documents;

/// <summary>The way to Azure, done without Azure: its tools note what they are asked, and the function app is a host of this machine.</summary>
public sealed class DeploymentDocumentTests(RunningHost host) : IClassFixture<RunningHost>
{
    public const string Document = "docs/deploy.md";

    /// <summary>The block that takes a deployment's values into the shell.</summary>
    public static string Variables { get; } = new MarkdownDocument(Document).Blocks().Single(block => block.Content.Contains("azd env get-values", StringComparison.Ordinal)).Content;

    [Fact]
    public async Task Document_RunWithoutAzure_AsksAzureForWhatItSaysAndTheAppForAnAnswer()
    {
        Programs.SkipUnlessThere("bash", "curl", "git", "jq");
        await host.SendAsync(HttpMethod.Put, "api/datasets/tickets/settings", Samples.Brief);
        using var shell = new DocumentShell(host);

        await shell.RunDocumentAsync(Document, async block =>
        {
            if (block.Content.Contains("/classify\" -H", StringComparison.Ordinal))
            {
                await host.WaitForAsync("api/models/tickets", _ => true);
            }
        });

        IReadOnlyList<string[]> calls = shell.Azure.Calls;
        Assert.All(calls, call => Assert.DoesNotContain(call, argument => argument.Length == 0 || argument.Contains('$', StringComparison.Ordinal)));
        Assert.Equal(["azd auth login", "azd env new", "azd env set", "azd up", "azd env get-values", "azd down"], Kinds(calls, "azd"));
        Assert.Equal(
            [
                "az login", "az account set", "az provider register", "az functionapp list-flexconsumption-locations", "az provider show",
                "az containerapp env workload-profile list-supported", "az functionapp keys list", "az storage blob upload", "az ad app create", "az account show", "az rest",
                "az apim create", "az apim nv create", "az apim api create", "az apim api operation create",
            ],
            Kinds(calls, "az"));
        Assert.Equal(9, calls.Count(call => call is ["az", "provider", "register", "--namespace", ['M', 'i', 'c', 'r', 'o', 's', 'o', 'f', 't', '.', ..]]));
        Assert.Contains("a-key==", calls.Single(call => call is ["az", "apim", "nv", ..]));
        AssertSignIn(JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(shell.Folder, "auth.json"), TestContext.Current.CancellationToken)).RootElement.GetProperty("properties"));
    }

    private static void AssertSignIn(JsonElement properties)
    {
        JsonElement directory = properties.GetProperty("identityProviders").GetProperty("azureActiveDirectory");
        Assert.Equal(AzureTools.Application, directory.GetProperty("registration").GetProperty("clientId").GetString());
        Assert.Equal($"https://login.microsoftonline.com/{AzureTools.Tenant}/v2.0", directory.GetProperty("registration").GetProperty("openIdIssuer").GetString());
        Assert.Equal([$"api://{AzureTools.Application}", AzureTools.Application], directory.GetProperty("validation").GetProperty("allowedAudiences").EnumerateArray().Select(audience => audience.GetString()));
    }

    // The words up to the first option or value.
    private static IEnumerable<string> Kinds(IReadOnlyList<string[]> calls, string tool) => calls.Where(call => call[0] == tool)
        .Select(call => string.Join(' ', call.TakeWhile((argument, i) => !argument.StartsWith('-') && !(tool == "azd" && i == 3))))
        .Distinct();
}
