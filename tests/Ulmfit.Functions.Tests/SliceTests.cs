using System.Text.Json;
using System.Text.Json.Nodes;
using EmbeddedHost.Durable;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>Epochs cut into several activities, through the host: the weights are those of uncut ones.</summary>
public sealed class SliceTests(SharedHost shared) : IClassFixture<SharedHost>
{
    [Fact]
    public async Task Run_CutByStepsOrByTime_GivesTheSameWeights()
    {
        string whole = await TrainAsync("whole", TinySettings.Forward);

        Assert.Equal(whole, await TrainAsync("by-steps", With("sliceSteps", 3)));
        Assert.Equal(whole, await TrainAsync("by-the-clock", With("sliceMinutes", 0.0005)));
        Assert.InRange(Turns("whole"), 5, 9);
        Assert.All(new[] { "by-steps", "by-the-clock" }, cut => Assert.True(Turns(cut) > Turns("whole") + 5, $"{cut}: {Turns(cut)} turns"));
    }

    private static string With(string name, double value)
    {
        JsonNode settings = JsonNode.Parse(TinySettings.Forward)!;
        settings[name] = name == "sliceSteps" ? (int)value : value;
        return settings.ToJsonString();
    }

    private async Task<string> TrainAsync(string dataset, string settings)
    {
        await shared.Host.PutOkAsync($"api/datasets/{dataset}/settings", settings);
        await shared.Host.PutOkAsync($"api/datasets/{dataset}/drops/a.csv", TinyData.Csv(120));
        JsonElement run = await shared.Host.WaitForRunAsync($"{dataset}-1");
        Assert.True(run.GetProperty("status").GetString() == "completed", run.GetRawText());
        Assert.Equal(5, run.GetProperty("history").GetArrayLength());
        return run.GetProperty("weightsDigest").GetString()!;
    }

    private string Log(string dataset) => Directory.GetFiles(Path.Combine(shared.Data, "durable"), $"train-{dataset}-1-forward.log", SearchOption.AllDirectories).Single();

    private int Turns(string dataset) => RecordedHistory.FromLog(Log(dataset)).Turns;
}
