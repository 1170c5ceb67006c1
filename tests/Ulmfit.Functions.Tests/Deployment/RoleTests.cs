using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Deployment;

/// <summary>Two deployments of one code base: which function is in which is settled when it is built (eng/Roles.props).</summary>
public sealed class RoleTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string[] AllFunctions =>
    [
        .. typeof(AppServices).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<FunctionAttribute>()?.Name)
            .OfType<string>()
            .Order(StringComparer.Ordinal),
    ];

    [Fact]
    public async Task Functions_OfTheTwoDeployments_AreEachInOneOfThem()
    {
        BuildRole api = await BuildRole.OfAsync("api", Ct);
        BuildRole trainer = await BuildRole.OfAsync("trainer", Ct);

        Assert.Equal(AllFunctions, api.Functions.Concat(trainer.Functions).Select(function => function.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["PretrainSlice", "TrainEpoch"], trainer.Functions.Select(function => function.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Functions_OfTheTrainer_AreActivities()
    {
        // Scaled to no replica at all, it could wake nothing and run no orchestration.
        BuildRole trainer = await BuildRole.OfAsync("trainer", Ct);

        Assert.All(trainer.Functions, function => Assert.Equal(nameof(ActivityTriggerAttribute), function.Trigger));
    }

    [Theory]
    [InlineData("all")]
    [InlineData("api")]
    [InlineData("trainer")]
    public async Task Sources_OfARole_Compile(string role)
    {
        IReadOnlyList<string> errors = (await BuildRole.OfAsync(role, Ct)).Compilation.Errors();

        Assert.True(errors.Count == 0, string.Join('\n', errors));
    }

    [Fact]
    public async Task Functions_WithoutARole_AreAllOfThem() =>
        Assert.Equal(AllFunctions, (await BuildRole.OfAsync("all", Ct)).Functions.Select(function => function.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void HostJson_FiltersWork_SoThatNoAppIsGivenWhatItDoesNotHave()
    {
        using JsonDocument host = JsonDocument.Parse(File.ReadAllText(Repository.File("host.json")));
        JsonElement storage = host.RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("storageProvider");

        Assert.Equal("azureManaged", storage.GetProperty("type").GetString());
        Assert.True(storage.GetProperty("workItemFilteringEnabled").GetBoolean());
    }
}
