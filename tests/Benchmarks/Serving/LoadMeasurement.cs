using System.Globalization;
using Ulmfit.Reliability;

namespace ServingBenchmark;

/// <summary>Requests a second and their times, by tokens and clients.</summary>
internal sealed class LoadMeasurement(ServingOptions options, Action<string> tell)
{
    private const int HostWarmUpClients = 4;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.3);

    /// <summary>Measures a model.</summary>
    /// <param name="host">The host that answers.</param>
    /// <param name="published">The model.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<IReadOnlyList<LoadMeasure>> RunAsync(HostUnderTest host, PublishedModel published, CancellationToken ct)
    {
        var measures = new List<LoadMeasure>();
        var texts = new TextsOfLength(published.Vocabulary);
        foreach (int tokens in options.Tokens.Take(2))
        {
            // The host's code is compiled again where it turns out to be run often.
            new LoadGenerator(host.Address, published.Model.Name, texts.Make(tokens, options.Texts)).Run(
                HostWarmUpClients, new LoadPlan(TimeSpan.FromSeconds(options.HostWarmUpSeconds / 2), Runs: 0, TimeSpan.Zero, AtLeast: 0, TimeSpan.Zero), ct);
        }
        foreach (bool training in options.Training)
        {
            await using BackgroundTraining? beside = training ? await BackgroundTraining.StartAsync(host, ct) : null;
            foreach (int tokens in options.Tokens)
            {
                var generator = new LoadGenerator(host.Address, published.Model.Name, texts.Make(tokens, options.Texts));
                foreach (int clients in options.Clients)
                {
                    LoadMeasure measure = Measure(generator, published.Model, training, tokens, clients, ct);
                    if (beside is not null && !await beside.GoesOnAsync(ct))
                    {
                        measure = measure with { Problem = "the training beside it has ended" };
                    }
                    measures.Add(measure);
                    tell(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{published.Model}{(training ? ", training beside" : "")}, {tokens} tokens, {clients} clients: {measure.RequestsPerSecond:0.0}/s, p50 {measure.P50:0.00} ms, p99 {measure.P99:0.00} ms{(measure.Problem is null ? "" : $": {measure.Problem}")}"));
                }
            }
        }
        return measures;
    }

    private LoadMeasure Measure(LoadGenerator generator, BenchmarkModel model, bool training, int tokens, int clients, CancellationToken ct)
    {
        LoadResult load = generator.Run(
            clients, new LoadPlan(WarmUp, options.Runs, TimeSpan.FromSeconds(options.Seconds), options.AtLeast, TimeSpan.FromSeconds(options.NoRunAfterSeconds)), ct);
        return new LoadMeasure
        {
            Model = model,
            Training = training,
            Tokens = tokens,
            Clients = clients,
            Runs = load.Runs.Count,
            RequestsPerSecond = Percentiles.Median(load.Runs.Select(run => run.RequestsPerSecond)),
            P50 = Percentiles.Median(load.Runs.Select(run => Percentiles.Of(run.Milliseconds, 0.5))),
            P95 = Percentiles.Median(load.Runs.Select(run => Percentiles.Of(run.Milliseconds, 0.95))),
            P99 = Percentiles.Median(load.Runs.Select(run => Percentiles.Of(run.Milliseconds, 0.99))),
            Requests = load.Runs.Sum(run => run.Milliseconds.Count),
            Refused = load.Runs.Sum(run => run.Refused),
            Different = load.Different,
            Problem = load.Problem,
        };
    }
}
