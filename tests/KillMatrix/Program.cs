using System.CommandLine;
using KillMatrix.Driver;

Option<int> seed = new("--seed") { Description = "Chooses points, their order and the random instants", DefaultValueFactory = _ => 1 };
Option<int?> sample = new("--sample") { Description = "How many points within writes to kill at; all unless given" };
Option<int> instants = new("--instants") { Description = "How many kills at random instants", DefaultValueFactory = _ => new MatrixOptions().Instants };
Option<int> parallel = new("--parallel") { Description = "How many hosts work at a time", DefaultValueFactory = _ => new MatrixOptions().Parallel };
Option<int> chain = new("--kills-of-a-run") { Description = "How many kills one after another a run has to bear", DefaultValueFactory = _ => new MatrixOptions().KillsOfARun };
Option<string?> only = new("--only") { Description = "Only writes whose description contains this" };
Option<bool> keep = new("--keep") { Description = "Keep the data of runs in which something was found" };
var command = new RootCommand("Kills the host within its writes and at random instants, starts it again, and compares what comes of it with undisturbed runs.")
{
    seed, sample, instants, parallel, chain, only, keep,
};
command.SetAction(async (parsed, ct) =>
{
    var options = new MatrixOptions
    {
        Seed = parsed.GetValue(seed),
        Points = parsed.GetValue(sample),
        Instants = parsed.GetValue(instants),
        Parallel = Math.Max(1, parsed.GetValue(parallel)),
        KillsOfARun = Math.Max(1, parsed.GetValue(chain)),
        Only = parsed.GetValue(only),
        Keep = parsed.GetValue(keep),
    };
    MatrixResult result = await new Matrix(options, Console.WriteLine).RunAsync(ct);
    Console.WriteLine(result);
    return result.Findings.Count == 0 ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();
