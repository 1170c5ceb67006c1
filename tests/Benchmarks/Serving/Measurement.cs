using System.Globalization;
using System.Runtime.InteropServices;
using Ulmfit.Reliability;

namespace ServingBenchmark;

/// <summary>Starts the real host over published models, each in a data folder of its own, and measures it from outside.</summary>
internal sealed class Measurement(ServingOptions options, Action<string> tell)
{
    private static readonly Dictionary<string, string> Settings = new() { ["Drops:SettleSeconds"] = "0.3" };

    /// <summary>Measures all that the options name.</summary>
    /// <param name="folder">An empty folder.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<ServingReport> RunAsync(string folder, CancellationToken ct)
    {
        if (options.ClientCores is { } cores)
        {
            ProcessorAffinity.BindProcess(cores);
        }
        // What is a matter of milliseconds first: minutes of load heat a machine up.
        var overheads = new List<OverheadMeasure>();
        foreach (BenchmarkModel model in options.Overheads)
        {
            (string data, PublishedModel published) = await PublishAsync(folder, model, ct);
            await using (HostUnderTest host = await HostUnderTest.StartAsync(data, Settings, ct, options.HostCores))
            {
                overheads.AddRange(new OverheadMeasurement(options, tell).Run(host.Address, published, ct));
            }
            Directory.Delete(data, recursive: true);
        }
        var coldStarts = new List<ColdStartMeasure>();
        foreach (BenchmarkModel model in options.ColdStarts)
        {
            (string data, PublishedModel published) = await PublishAsync(folder, model, ct);
            coldStarts.Add(await new ColdStartMeasurement(options, tell).RunAsync(data, published, ct));
            Directory.Delete(data, recursive: true);
        }
        var load = new List<LoadMeasure>();
        foreach (BenchmarkModel model in options.Models)
        {
            (string data, PublishedModel published) = await PublishAsync(folder, model, ct);
            await using (HostUnderTest host = await HostUnderTest.StartAsync(data, Settings, ct, options.HostCores))
            {
                load.AddRange(await new LoadMeasurement(options, tell).RunAsync(host, published, ct));
            }
            Directory.Delete(data, recursive: true);
        }
        return new ServingReport
        {
            Machine = Describe(),
            HostCores = options.HostCores,
            ClientCores = options.ClientCores,
            Runs = options.Runs,
            Seconds = options.Seconds,
            Load = load,
            Overheads = overheads,
            ColdStarts = coldStarts,
        };
    }

    private async Task<(string Data, PublishedModel Published)> PublishAsync(string folder, BenchmarkModel model, CancellationToken ct)
    {
        string data = Path.Combine(folder, model.Name);
        Directory.CreateDirectory(data);
        PublishedModel published = await new ModelPublisher(data).PublishAsync(model, ct);
        tell(string.Create(CultureInfo.InvariantCulture, $"{model} is published: {published.Onnx.Length / 1e6:0.0} MB."));
        return (data, published);
    }

    private static MachineDescription Describe() =>
        new(ProcessorName(), Environment.ProcessorCount, RuntimeInformation.FrameworkDescription, BareComputation.Version, RuntimeInformation.OSDescription);

    private static string ProcessorName()
    {
        const string Named = "model name";
        const string Information = "/proc/cpuinfo";
        string? line = File.Exists(Information) ? File.ReadLines(Information).FirstOrDefault(line => line.StartsWith(Named, StringComparison.Ordinal)) : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
