using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>What a model is asked, as its users and operators see it.</summary>
public sealed class DriftTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Classify_OnlyOneOfTwoClassesInUnknownWords_IsCountedRaisesOneAlarmAndOutlivesAStop()
    {
        string[] complaints = [.. TinyData.Rows(100, 9).Where(row => row.Label == "complaint").Select(row => "zyx wvu tsr qpo nml kji hgf " + row.Text)];
        string[] settings = ["--Drift:MinimumTexts", "60", "--Drift:WriteSeconds", "0.2"];
        await using (HostProcess host = await HostProcess.StartAsync(folder.Path, settings))
        {
            await host.PutOkAsync("api/datasets/tickets/settings", TinySettings.Forward);
            await host.PutOkAsync("api/datasets/tickets/drops/a.csv", TinyData.Csv(300));
            await host.WaitForRunAsync("tickets-1");
            JsonElement untouched = await host.GetJsonAsync("api/models/tickets/drift");
            Assert.Equal((1, 0), (untouched.GetProperty("version").GetInt32(), untouched.GetProperty("days").GetArrayLength()));
            Assert.Equal(["complaint", "praise"], untouched.GetProperty("reference").GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("label").GetString()));
            Assert.Equal(JsonValueKind.Null, (await host.GetJsonAsync("api/models/tickets")).GetProperty("drift").ValueKind);

            // Texts that are counted at once, and an alarm as soon as there are enough of them.
            await host.ClassifyAsync("tickets", complaints);
            JsonElement day = Assert.Single((await host.GetJsonAsync("api/models/tickets/drift")).GetProperty("days").EnumerateArray());
            Assert.Equal((1, 50), (day.GetProperty("requests").GetInt32(), day.GetProperty("texts").GetInt32()));
            Assert.Equal(0, day.GetProperty("alarms").GetArrayLength());
            await host.ClassifyAsync("tickets", complaints[..10]);
            day = (await host.GetJsonAsync("api/models/tickets")).GetProperty("drift");
            Assert.Equal(["populationStability", "unknownWords"], day.GetProperty("alarms").EnumerateArray().Select(alarm => alarm.GetString()));
            Assert.True(day.GetProperty("populationStability").GetDouble() > day.GetProperty("byChance").GetDouble(), day.GetRawText());
            Assert.InRange(day.GetProperty("unknownRate").GetDouble(), 0.3, 0.6);
            await Wait.UntilAsync(() => Task.FromResult(host.Output.Any(IsAlarm)), () => $"the alarm is told; the host wrote:\n{string.Join('\n', host.Output)}");

            await host.ClassifyAsync("tickets", complaints[..5]);
            await host.StopAsync();
            Assert.Single(host.Output, IsAlarm);
        }

        await using HostProcess restarted = await HostProcess.StartAsync(folder.Path, settings);
        await restarted.ClassifyAsync("tickets", complaints[..1]);
        JsonElement[] days = [.. (await restarted.GetJsonAsync("api/models/tickets/drift?version=1&days=2")).GetProperty("days").EnumerateArray()];
        Assert.Equal((4, 66), (days.Sum(day => day.GetProperty("requests").GetInt32()), days.Sum(day => day.GetProperty("texts").GetInt32())));
        Assert.Equal(66, days.Sum(day => day.GetProperty("classes").EnumerateArray().Sum(c => c.GetProperty("count").GetInt32())));
    }

    private static bool IsAlarm(string line) => line.Contains("Model tickets version 1 is asked on", StringComparison.Ordinal);
}
