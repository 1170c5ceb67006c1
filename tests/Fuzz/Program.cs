using System.Globalization;
using Fuzz;
using Fuzz.Targets;

const string Usage = """
    Fuzz: tries to break whatever reads what strangers send.

      --count N      inputs in all, shared out among the targets (default 1000000, without --seconds)
      --seconds S    ends after so long
      --seed N       the seed of every input (default 1): the same seed and count try the same inputs
      --target A,B   only these targets (default: all readers; http is the function app, a process of its own)
      --threads N    (default: half the processors)
      --failures DIR where inputs that show a defect are kept (default fuzz-failures)
      --input N      tries input N of the one target alone, and keeps it as a file
      --replay FILE  tries a kept input on the one target alone, and shows what it throws
      --list         names the targets

    Exit codes: 0 no defect, 1 defects, 2 wrong usage.
    """;

Dictionary<string, string> given = [];
for (int i = 0; i < args.Length; i++)
{
    string name = args[i];
    bool known = name is "--count" or "--seconds" or "--seed" or "--target" or "--threads" or "--failures" or "--input" or "--replay";
    if (name is "--list" or "--help")
    {
        given[name] = "";
    }
    else if (!known || ++i == args.Length)
    {
        return Refuse(known ? $"{name} needs a value." : $"'{name}' is not known.");
    }
    else
    {
        given[name] = args[i];
    }
}

if (given.ContainsKey("--help"))
{
    Console.WriteLine(Usage);
    return 0;
}

IReadOnlyList<FuzzTarget> readers = AllTargets.Readers;
if (given.ContainsKey("--list"))
{
    Console.WriteLine(string.Join('\n', [.. readers.Select(reader => reader.Name), HttpTarget.Name]));
    return 0;
}

FuzzOptions options;
string[] names;
try
{
    var defaults = new FuzzOptions();
    TimeSpan? limit = given.TryGetValue("--seconds", out string? seconds) ? TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) : null;
    options = defaults with
    {
        Seed = given.TryGetValue("--seed", out string? seed) ? ulong.Parse(seed, CultureInfo.InvariantCulture) : defaults.Seed,
        Count = given.TryGetValue("--count", out string? count) ? long.Parse(count, NumberStyles.None, CultureInfo.InvariantCulture) : limit is null ? 1_000_000 : null,
        Limit = limit,
        Threads = given.TryGetValue("--threads", out string? threads) ? int.Parse(threads, NumberStyles.None, CultureInfo.InvariantCulture) : defaults.Threads,
        Failures = given.GetValueOrDefault("--failures", defaults.Failures),
        Progress = Console.Error.WriteLine,
    };
    names = given.TryGetValue("--target", out string? wanted) ? wanted.Split(',') : [.. readers.Select(reader => reader.Name)];
}
catch (Exception e) when (e is FormatException or OverflowException)
{
    return Refuse(e.Message);
}

if (names.FirstOrDefault(name => name != HttpTarget.Name && readers.All(reader => reader.Name != name)) is { } unknown)
{
    return Refuse($"There is no target '{unknown}'.");
}

bool alone = given.ContainsKey("--input") || given.ContainsKey("--replay");
if (options.Threads < 1 || (alone && names.Length != 1))
{
    return Refuse(alone ? "--input and --replay need one --target." : "--threads must be at least 1.");
}

await using HttpTarget? http = names.Contains(HttpTarget.Name) ? await HttpTarget.StartAsync() : null;
List<FuzzTarget> targets = [.. readers.Where(reader => names.Contains(reader.Name))];
if (http is not null)
{
    targets.Add(http.Target);
}

if (alone)
{
    FuzzTarget target = targets[0];
    byte[] input;
    if (given.TryGetValue("--replay", out string? file))
    {
        input = await File.ReadAllBytesAsync(file);
    }
    else
    {
        input = target.Make(new FuzzRandom(options.Seed, target.Name, long.Parse(given["--input"], CultureInfo.InvariantCulture)));
        Directory.CreateDirectory(options.Failures);
        await File.WriteAllBytesAsync(Path.Combine(options.Failures, $"{target.Name}-{options.Seed}-{given["--input"]}.bin"), input);
    }

    Console.WriteLine(FuzzRunner.Try(target, input) ? "accepted" : "refused");
    return 0;
}

FuzzReport report = new FuzzRunner(targets, options).Run();
Console.WriteLine(report);
string? after = http is null ? null : await http.FinishAsync();
if (after is not null)
{
    Console.WriteLine(after);
}

return report.Failed == 0 && report.Failures.Count == 0 && (http is null || http.IsWell) ? 0 : 1;

static int Refuse(string why)
{
    Console.Error.WriteLine($"{why}\n\n{Usage}");
    return 2;
}
