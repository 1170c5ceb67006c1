using System.Text.Json;
using EmbeddedHost.Durable;
using Microsoft.DurableTask;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>
/// What orchestrations of this version and of earlier ones did, as it was recorded, replayed over the present code. How to record, and
/// how to make a change that breaks what is in flight: docs/reliability.md.
/// </summary>
public sealed class GoldenHistoryTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Histories");

    private static readonly string PresentVersion = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "host.json")))
        .RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("defaultVersion").GetString()!;

    private static readonly string[] Names = [.. Directory.GetFiles(Folder, "*.json", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Folder, file)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Files => [.. Names];

    [Theory]
    [MemberData(nameof(Files))]
    public void Replay_OfAHistoryOnRecord_BreaksNothing(string file) => Assert.Null(new AppOrchestrators().FindBreak(Read(file)));

    [Fact]
    public void Histories_OfThePresentVersion_ShowEveryOrchestrationInEveryState()
    {
        List<(string State, RecordedHistory History)> histories = [.. Names
            .Select(file => (Path.GetFileName(file).Split('.')[0], Read(file)))
            .Where(recorded => recorded.Item2.Version == PresentVersion)];
        RecordedHistory Of(string state, string name) => histories.First(recorded => recorded.State == state && recorded.History.Name == name).History;

        Assert.All(new AppOrchestrators().OrchestratorNames, name =>
        {
            Assert.Contains(histories, recorded => recorded.History.Name == name && recorded.History.Status == "Running");
            Assert.Contains(histories, recorded => recorded.History.Name == name && recorded.History.Status == "Completed");
        });
        Assert.True(Of("settling", "Retrain").WaitsForATimer);
        Assert.Equal("Running", Of("training", "Retrain").Status);
        Assert.Equal(["TrainEpoch"], Of("training", "TrainDirection").OpenActivities);
        Assert.Equal("Failed", Of("failed", "TrainDirection").Status);
        Assert.Equal((0, "Completed"), (Of("completed", "Retrain").FailedActivities, Of("completed", "Retrain").Status));
        Assert.InRange(Of("retried", "Retrain").FailedActivities, 1, 4);
        Assert.Equal(["PretrainSlice"], Of("pretraining", "Pretrain").OpenActivities);
        Assert.True(Of("pretraining-failed", "Pretrain").FailedActivities > 0);
        Assert.Contains("EndRun", Of("canceled", "Retrain").ToText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Retrain", "PrepareDataset")]
    [InlineData("TrainDirection", "ObserveDrops")]
    [InlineData("Pretrain", "PublishPretrained")]
    public void Replay_OrchestratorThatBeginsSomethingElseFirst_IsFoundInEveryHistoryOfIt(string name, string activity)
    {
        var changed = new AppOrchestrators();
        changed.Replace(name, async (context, present) =>
        {
            await context.CallActivityAsync(activity);
            return await present(context);
        });

        Assert.All(Names.Select(Read).Where(history => history.Name == name), history =>
            Assert.Contains($"and now begins activity {activity.ToUpperInvariant()}", changed.FindBreak(history), StringComparison.Ordinal));
    }

    [Fact]
    public void Replay_ResultThatIsNoLongerUnderstood_IsFoundWhereItIsHandedOn()
    {
        var changed = new AppOrchestrators();
        changed.Replace("TrainDirection", async (context, _) =>
        {
            // As after a member of the result has got another name.
            JsonElement input = context.GetInput<JsonElement>();
            for (int step = 0; step < 100; step++)
            {
                JsonElement result = await context.CallActivityAsync<JsonElement>("TrainEpoch", input);
                input = JsonSerializer.SerializeToElement(new
                {
                    Run = input.GetProperty("Run"), Direction = input.GetProperty("Direction"), From = result.GetProperty("Next"),
                    Checkpoint = result.TryGetProperty("CheckpointDigest", out JsonElement digest) ? digest.GetString() : null,
                });
            }
            return null;
        });
        RecordedHistory training = Read(Names.First(file => file.Contains("training.train-", StringComparison.Ordinal)));

        Assert.Contains("of what it hands to activity TRAINEPOCH, $.Checkpoint was a text and is nothing", changed.FindBreak(training), StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_ChangeForANewerVersionOnly_BreaksNothing()
    {
        var versioned = new AppOrchestrators();
        foreach (string name in versioned.OrchestratorNames.ToArray())
        {
            versioned.Replace(name, async (context, present) =>
            {
                if (context.CompareVersionTo("1000.0") >= 0)
                {
                    await context.CallActivityAsync("ANewStep");
                }
                return await present(context);
            });
        }

        Assert.All(Names, file => Assert.Null(versioned.FindBreak(Read(file))));
    }

    private static RecordedHistory Read(string file) => RecordedHistory.Parse(File.ReadAllText(Path.Combine(Folder, file)));
}
