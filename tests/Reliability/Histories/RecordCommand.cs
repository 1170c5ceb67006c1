using System.CommandLine;
using EmbeddedHost.Durable;

namespace Ulmfit.Reliability.Histories;

/// <summary><c>record-histories</c>: histories of the present orchestrations in every state, to be kept and replayed over later code.</summary>
internal static class RecordCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var output = new Option<DirectoryInfo>("--out") { Description = "Folder of the recorded histories; those of a version go to a folder in it", DefaultValueFactory = _ => new DirectoryInfo(Path.Combine("tests", "Ulmfit.Functions.Tests", "Histories")) };
        var only = new Option<string?>("--only") { Description = "Record this state alone" };
        var command = new Command("record-histories", "Record what orchestrations of this version do, for later versions to be held against") { output, only };
        command.SetAction((parsed, ct) => RecordAsync(parsed.GetValue(output)!.FullName, parsed.GetValue(only), ct));
        return command;
    }

    private static async Task<int> RecordAsync(string output, string? only, CancellationToken ct)
    {
        try
        {
            foreach (RecordingScenario scenario in RecordingScenario.All.Where(scenario => only is null || scenario.Name == only))
            {
                foreach (RecordedHistory history in await RecordAsync(scenario, ct))
                {
                    string file = Path.Combine(output, history.Version.Length == 0 ? "unversioned" : history.Version, $"{scenario.Name}.{history.InstanceId}.json");
                    Directory.CreateDirectory(Path.GetDirectoryName(file)!);

                    // Runs of the code that made a history may be in flight for ever: it is kept, whatever has changed since.
                    await using var stream = new FileStream(file, FileMode.CreateNew);
                    await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(history.ToText()), ct);
                    Console.WriteLine($"{file}: {history.Name}, {history.Status}, {history.Turns} turns, {history.FailedActivities} failed activities");
                }
            }
            return 0;
        }
        catch (Exception e) when (e is CheckFailedException or IOException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static async Task<IReadOnlyList<RecordedHistory>> RecordAsync(RecordingScenario scenario, CancellationToken ct)
    {
        string data = Directory.CreateTempSubdirectory("ulmfit-histories-").FullName;
        try
        {
            var settings = new Dictionary<string, string> { ["Drops:SettleSeconds"] = scenario.SettleSeconds, ["Training:Threads"] = "2" };
            await using (HostUnderTest host = await HostUnderTest.StartAsync(data, settings, ct))
            {
                await scenario.BringAboutAsync(host, data, ct);
            }

            // Messages of failures name files; where they lay is nobody's business.
            return [.. HubFolder.ReadAll(data).Select(history => RecordedHistory.Parse(history.ToText().Replace(data, "/data", StringComparison.Ordinal)))];
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
