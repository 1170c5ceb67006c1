using System.CommandLine;

namespace Ulmfit.Reliability.Load;

/// <summary><c>load</c>: classification under load while a training goes on and champions change.</summary>
internal static class LoadCommand
{
    /// <summary>The command. It exits with 1 where a promise is not kept.</summary>
    public static Command Create()
    {
        var defaults = new LoadOptions();
        var clients = new Option<int>("--clients") { Description = "Clients that ask at once, each over one connection", DefaultValueFactory = _ => defaults.Clients };
        var requests = new Option<int>("--requests") { Description = "Requests at least", DefaultValueFactory = _ => defaults.Requests };
        var minutes = new Option<double>("--minutes") { Description = "Minutes at least; memory is compared where they are more than three", DefaultValueFactory = _ => defaults.Duration.TotalMinutes };
        var promotions = new Option<int>("--promotions") { Description = "How often the champion is changed meanwhile", DefaultValueFactory = _ => defaults.Promotions };
        var threads = new Option<int?>("--threads") { Description = "Threads that train; one a processor unless given" };
        var command = new Command("load", "Parallel classification while a training goes on and the champion changes: no wrong answer, no failure, no growth") { clients, requests, minutes, promotions, threads };
        command.SetAction((parsed, ct) => RunAsync(
            new LoadOptions
            {
                Clients = parsed.GetValue(clients),
                Requests = parsed.GetValue(requests),
                Duration = TimeSpan.FromMinutes(parsed.GetValue(minutes)),
                Promotions = parsed.GetValue(promotions),
                Threads = parsed.GetValue(threads),
            },
            ct));
        return command;
    }

    private static async Task<int> RunAsync(LoadOptions options, CancellationToken ct)
    {
        string data = Directory.CreateTempSubdirectory("ulmfit-load-").FullName;
        try
        {
            LoadReport report = await new LoadTest(options, Console.WriteLine).RunAsync(data, ct);
            foreach (string line in report.Lines())
            {
                Console.WriteLine(line);
            }
            IReadOnlyList<string> violations = report.Violations(options);
            Console.WriteLine(violations.Count == 0 ? "All promises were kept." : $"NOT KEPT: {string.Join("; ", violations)}.");
            return violations.Count == 0 ? 0 : 1;
        }
        catch (CheckFailedException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
