using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ulmfit.Onnx;
using Ulmfit.Reliability;

namespace ServingBenchmark;

/// <summary>The command line.</summary>
internal static class ServingCommand
{
    private const string None = "none";
    private const string All = "all";
    private const int CoresOfTheHost = 2;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The command. It exits with 1 where what was measured is worth nothing.</summary>
    public static RootCommand Create()
    {
        var defaults = new ServingOptions();
        Option<NetworkSize[]> sizes = List("--models", "Networks under load: en-small, base, tiny, none", Size, [NetworkSize.EnSmall, NetworkSize.Base]);
        Option<bool[]> backward = List("--directions", "both, forward", text => text switch { "both" => true, "forward" => false, _ => throw new FormatException() }, [true, false]);
        Option<OnnxPrecision[]> precisions = List("--precision", "int8, float32", text => text switch { "int8" => OnnxPrecision.Int8, "float32" => OnnxPrecision.Float32, _ => throw new FormatException() }, [OnnxPrecision.Int8, OnnxPrecision.Float32]);
        Option<int[]> tokens = List("--tokens", "Tokens of a text, as the product's tokenizer counts them", Count, [.. defaults.Tokens]);
        Option<int[]> clients = List("--clients", "Clients that ask at once, each over a connection that it keeps", Count, [.. defaults.Clients]);
        Option<bool[]> training = List("--training", "Whether a training goes on beside it: no, yes", text => text switch { "yes" => true, "no" => false, _ => throw new FormatException() }, [.. defaults.Training]);
        Option<int> runs = new("--runs") { Description = "How often each is measured, a slow model less often; the median counts", DefaultValueFactory = _ => defaults.Runs };
        Option<double> seconds = new("--seconds") { Description = "Seconds of a run", DefaultValueFactory = _ => defaults.Seconds };
        Option<double> noRunAfter = new("--no-run-after") { Description = "After how many seconds of runs no further one begins", DefaultValueFactory = _ => defaults.NoRunAfterSeconds };
        Option<int> overhead = new("--overhead") { Description = "Requests of each length to models of one direction that are held against the bare computation; 0 for none", DefaultValueFactory = _ => defaults.OverheadRequests };
        Option<NetworkSize[]> cold = List("--cold-start", "Networks whose cold start is measured: base, en-small, tiny, none", Size, [NetworkSize.Base]);
        Option<int> starts = new("--starts") { Description = "Starts of the host for each", DefaultValueFactory = _ => defaults.Starts };
        Option<string?> cores = new("--cores") { Description = "Processors of the host, as 0,1; all: every one, the clients' too. 0,1 unless given, where there are four or more" };
        Option<string?> clientCores = new("--client-cores") { Description = "Processors of the clients; those that the host has not unless given" };
        Option<FileInfo?> json = new("--json") { Description = "Where the figures go as JSON" };
        Option<FileInfo?> markdown = new("--markdown") { Description = "Where the tables go; the console unless given" };
        var command = new RootCommand("How fast the host answers over HTTP, in a process of its own: under load, beside a training, from a cold start, and against ONNX Runtime's call alone.")
        {
            sizes, backward, precisions, tokens, clients, training, runs, seconds, noRunAfter, overhead, cold, starts, cores, clientCores, json, markdown,
        };
        command.SetAction((parsed, ct) =>
        {
            (int[]? host, int[]? others) = Cores(parsed.GetValue(cores), parsed.GetValue(clientCores));
            var options = new ServingOptions
            {
                Models =
                [
                    .. from size in parsed.GetValue(sizes)! from both in parsed.GetValue(backward)! from precision in parsed.GetValue(precisions)! select new BenchmarkModel(size, both, precision),
                ],
                ColdStarts = [.. from size in parsed.GetValue(cold)! from precision in parsed.GetValue(precisions)! select new BenchmarkModel(size, Backward: true, precision)],
                Tokens = parsed.GetValue(tokens)!,
                Clients = parsed.GetValue(clients)!,
                Training = parsed.GetValue(training)!,
                Runs = Math.Max(1, parsed.GetValue(runs)),
                Seconds = parsed.GetValue(seconds),
                NoRunAfterSeconds = parsed.GetValue(noRunAfter),
                Overheads = parsed.GetValue(overhead) > 0 ? Overheads : [],
                OverheadRequests = parsed.GetValue(overhead),
                Starts = Math.Max(1, parsed.GetValue(starts)),
                HostCores = host,
                ClientCores = others,
            };
            return RunAsync(options, parsed.GetValue(json), parsed.GetValue(markdown), ct);
        });
        return command;
    }

    // What is added is the same for every network. Beside the short computation of a small one it can be told.
    private static IReadOnlyList<BenchmarkModel> Overheads { get; } =
        [.. Enum.GetValues<OnnxPrecision>().Select(precision => new BenchmarkModel(NetworkSize.Tiny, false, precision))];

    /// <summary>The figures as JSON.</summary>
    internal static string ToJson(ServingReport report) => JsonSerializer.Serialize(report, Json);

    private static async Task<int> RunAsync(ServingOptions options, FileInfo? json, FileInfo? markdown, CancellationToken ct)
    {
        string folder = Directory.CreateTempSubdirectory("ulmfit-serving-").FullName;
        try
        {
            ServingReport report = await new Measurement(options, Console.Error.WriteLine).RunAsync(folder, ct);
            if (json is not null)
            {
                await File.WriteAllTextAsync(json.FullName, ToJson(report) + "\n", ct);
            }
            string tables = MarkdownReport.Of(report);
            if (markdown is not null)
            {
                await File.WriteAllTextAsync(markdown.FullName, tables, ct);
            }
            else
            {
                Console.Write(tables);
            }
            return report.Problems.Count == 0 ? 0 : 1;
        }
        catch (Exception e) when (e is CheckFailedException or IOException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (int[]? Host, int[]? Clients) Cores(string? host, string? clients)
    {
        int[] every = [.. Enumerable.Range(0, Environment.ProcessorCount)];
        int[]? hosts = host switch
        {
            All => null,
            null => ProcessorAffinity.IsSupported && every.Length >= 2 * CoresOfTheHost ? every[..CoresOfTheHost] : null,
            _ => Numbers(host),
        };
        int[]? others = clients is not null ? Numbers(clients) : hosts is null ? null : [.. every.Except(hosts)];
        return (hosts, others is { Length: 0 } ? null : others);
    }

    private static int[] Numbers(string list) => [.. list.Split(',').Select(text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture))];

    private static NetworkSize Size(string text) =>
        Enum.GetValues<NetworkSize>().Select(size => (NetworkSize?)size).FirstOrDefault(size => BenchmarkModel.NameOf(size!.Value) == text) ?? throw new FormatException();

    private static int Count(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) is > 0 and int count ? count : throw new FormatException();

    // A list with commas; "none" is the empty one.
    private static Option<T[]> List<T>(string name, string description, Func<string, T> parse, T[] otherwise) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => Parse(result, parse),
    };

    private static T[] Parse<T>(ArgumentResult result, Func<string, T> parse)
    {
        string list = result.Tokens.Single().Value;
        try
        {
            return list == None ? [] : [.. list.Split(',').Select(parse)];
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            result.AddError($"'{list}' is no list of these, with commas between them.");
            return [];
        }
    }
}
