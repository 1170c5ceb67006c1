using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HostDriver;

namespace ServingBenchmark;

/// <summary>From the start of the host's process to its first answer, with the model's files in the file system's cache.</summary>
internal sealed class ColdStartMeasurement(ServingOptions options, Action<string> tell)
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(90);

    /// <summary>Measures a model.</summary>
    /// <param name="data">The data folder that it is published in.</param>
    /// <param name="published">The model.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<ColdStartMeasure> RunAsync(string data, PublishedModel published, CancellationToken ct)
    {
        const int Tokens = 16;
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(new { inputs = new TextsOfLength(published.Vocabulary).Make(Tokens, 1)[0] });
        var listens = new List<double>();
        var answers = new List<double>();
        for (int start = 0; start < options.Starts; start++)
        {
            long began = Stopwatch.GetTimestamp();
            await using AppProcess app = AppProcess.Start(data, [], new Dictionary<string, string>(), options.HostCores);
            Uri address = await app.ListensAsync(StartWithin, ct);
            listens.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            using var connection = new KeepAliveConnection(address);
            int status = connection.Exchange(KeepAliveConnection.Post(address, $"api/models/{published.Model.Name}/classify", json), out ReadOnlySpan<byte> answer);
            answers.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (status != 200)
            {
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"The host answered {status}: {System.Text.Encoding.UTF8.GetString(answer)}"));
            }
            tell(string.Create(CultureInfo.InvariantCulture, $"{published.Model}, start {start + 1}: listens after {listens[^1]:0} ms, answers after {answers[^1]:0} ms"));
            await app.StopAsync(ct);
        }
        return new ColdStartMeasure(published.Model, published.Onnx.Length / 1e6, Percentiles.Median(listens), Percentiles.Median(answers), answers.Max());
    }
}
