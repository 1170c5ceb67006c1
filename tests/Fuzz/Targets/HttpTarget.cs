using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Fuzz.Http;
using HostDriver;
using Ulmfit.Model;
using Ulmfit.Onnx;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Storage;
using Ulmfit.Text;

namespace Fuzz.Targets;

/// <summary>
/// The function app over HTTP, with one small model that answers. Every request that is framed as HTTP is to get an answer, none of 5xx,
/// none that tells of the inside (stack traces, folders), and whatever was sent, at the end the app lives, has published nothing, and has
/// written nothing outside its folder.
/// </summary>
internal sealed class HttpTarget : IAsyncDisposable
{
    /// <summary>The target's name.</summary>
    public const string Name = "http";

    private const string Model = "tickets";

    /// <summary>What the app may hold: some models, the largest bodies of the places that there are, the runtime.</summary>
    private const long MostMemory = 2L << 30;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(50);
    private static readonly TimeSpan PatienceWithBroken = TimeSpan.FromMilliseconds(150);

    private readonly string root;
    private readonly string data;
    private readonly AppProcess app;
    private readonly Uri address;
    private readonly IPEndPoint endpoint;
    private readonly ConcurrentBag<HttpWire> wires = [];

    private HttpTarget(string root, string data, AppProcess app, Uri address)
    {
        this.root = root;
        this.data = data;
        this.app = app;
        this.address = address;
        endpoint = IPEndPoint.Parse(address.Authority);
        Target = new FuzzTarget(Name, 100, RequestMaker.Make, Accepts, length => (64L << 20) + (256L * length));
    }

    /// <summary>The target.</summary>
    public FuzzTarget Target { get; }

    /// <summary>Whether all was well at the end.</summary>
    public bool IsWell { get; private set; }

    /// <summary>Publishes a small model and starts the app over it.</summary>
    public static async Task<HttpTarget> StartAsync()
    {
        string root = Directory.CreateTempSubdirectory("ulmfit-fuzz-").FullName;
        string data = Path.Combine(root, "data");
        Directory.CreateDirectory(data);
        await PublishAsync(new ModelRegistry(new FolderBlobStore(data), TimeProvider.System));

        // Drops settle for a day: what is tried here is the edge, and a model trained on what happens to be good rows would be no defect.
        string[] settings = ["--Drops:SettleSeconds", "86400", "--Uncertain:LogTexts", "--Uncertain:WriteSeconds", "0.5", "--Events:StreamSeconds", "0.5", "--Logging:LogLevel:Default", "Warning", "--Logging:LogLevel:Microsoft.Hosting.Lifetime", "Information"];
        AppProcess app = AppProcess.Start(data, settings, new Dictionary<string, string>());
        return new HttpTarget(root, data, app, await app.ListensAsync(TimeSpan.FromMinutes(3), CancellationToken.None));
    }

    /// <summary>Looks at what is left behind.</summary>
    /// <returns>What was found.</returns>
    public async Task<string> FinishAsync()
    {
        var faults = new List<string>();
        void Check(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }

        Check(!app.HasEnded, "the app has ended");
        if (!app.HasEnded)
        {
            using var http = new HttpClient { BaseAddress = address };
            JsonElement models = JsonSerializer.Deserialize<JsonElement>(await http.GetStringAsync(new Uri("api/models", UriKind.Relative))).GetProperty("models");
            Check(models.GetArrayLength() == 1 && models[0].GetProperty("versions").GetArrayLength() == 1, $"something was published: {models.GetRawText()}");
            Check((await http.GetAsync(new Uri("api/health/ready", UriKind.Relative))).IsSuccessStatusCode, "the app is not ready");
        }

        long memory = app.PeakBytes;
        Check(memory <= MostMemory, $"the app held {memory} bytes, more than {MostMemory}");
        Check(Directory.GetFileSystemEntries(root).SequenceEqual([data]), "something was written beside the folder of its state");
        string labeled = Path.Combine(data, Containers.Labeled);
        foreach (string file in Directory.Exists(labeled) ? Directory.GetFiles(labeled, "*", SearchOption.AllDirectories) : [])
        {
            string[] parts = Path.GetRelativePath(labeled, file).Split(Path.DirectorySeparatorChar);
            if (parts[0].StartsWith('.'))
            {
                // The store's own.
                continue;
            }

            Check(parts.Length == 2 && ResourceNames.IsDataset(parts[0]) && ResourceNames.IsDrop(parts[1]), $"there is a drop {file}");
        }

        string[] failed = [.. app.Output.Where(line => line.Contains("Unhandled", StringComparison.Ordinal) || line.Contains("crit:", StringComparison.Ordinal))];
        Check(failed.Length == 0, $"the log tells of {string.Join(" | ", failed.Take(5))}");
        IsWell = faults.Count == 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the app: peak memory {memory / 1048576.0:N0} MB, 1 version published before and after, {(IsWell ? "nothing amiss" : "AMISS: " + string.Join("; ", faults))}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HttpWire wire in wires)
        {
            wire.Dispose();
        }

        await app.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    private bool Accepts(byte[] input)
    {
        bool framed = input.Length > 0 && input[0] == 1;
        ReadOnlySpan<byte> request = input.AsSpan(Math.Min(1, input.Length));
        bool head = request.StartsWith("HEAD "u8);

        // Nothing else is sent where framing may be broken, or where an answer comes without the body that it tells of.
        bool apart = !framed || head;
        HttpWire wire = !apart && wires.TryTake(out HttpWire? kept) ? kept : new HttpWire(endpoint);
        HttpReply? reply = wire.Exchange(request, framed && !head ? Patience : PatienceWithBroken);
        if (reply is null && framed && !head)
        {
            // It may have hung up on a connection that was idle, or refused the one before.
            wire.Dispose();
            wire = new HttpWire(endpoint);
            reply = wire.Exchange(request, Patience);
        }

        if (wire.IsOpen && !apart)
        {
            wires.Add(wire);
        }
        else
        {
            wire.Dispose();
        }

        if (reply is null)
        {
            Promise.Holds(!framed || head, "every request gets an answer");
            Promise.Holds(!app.HasEnded, "the app lives");
            return false;
        }

        // 505 is for a version of HTTP that there is not.
        Promise.Holds(reply.Status is < 500 or 505, $"no request is answered with {reply.Status}: {reply.Body}");

        // Metrics, which are for whoever runs the host, count failures by their kind.
        bool isMetrics = reply.Status == 200 && reply.Head.Contains("text/plain; version=0.0.4", StringComparison.OrdinalIgnoreCase);
        Promise.Holds(
            !reply.Body.Contains("   at ", StringComparison.Ordinal) && (isMetrics || !reply.Body.Contains("Exception", StringComparison.Ordinal)), $"no answer tells of the inside: {reply.Body}");
        Promise.Holds(!reply.Body.Contains(data, StringComparison.Ordinal), $"no answer tells of folders: {reply.Body}");
        Promise.Holds(
            reply.Status < 400 || reply.Body.Length == 0 || reply.Head.Contains("application/problem+json", StringComparison.OrdinalIgnoreCase) || reply.Head.Contains("application/json", StringComparison.OrdinalIgnoreCase),
            $"what is refused is refused with a problem: {reply.Head}");
        return reply.Status < 400;
    }

    private static async Task PublishAsync(ModelRegistry registry)
    {
        string[] labels = ["bad", "good"];
        Vocabulary vocabulary = Vocabulary.Build([["good", "bad", "good", "bad"]]);
        var config = new ClassifierConfig(new AwdLstmConfig(vocabulary.Count, 4, 6, 1), 3, labels.Length);
        StateDict weights = AwdLstmNames.EncoderForClassifier(WeightInitialization.LanguageModel(config.Encoder, 1));
        foreach ((string name, Tensor tensor) in WeightInitialization.Head(config, 1))
        {
            weights.Add(name, tensor);
        }

        using var onnx = new MemoryStream();
        OnnxClassifierWriter.Write(onnx, new DirectionWeights(config, weights), null, new OnnxModelMetadata(labels, "fuzz", new Dictionary<string, string>()));
        var files = new Dictionary<string, byte[]>
        {
            [ModelFiles.Model] = onnx.ToArray(),
            [ModelFiles.Labels] = JsonSerializer.SerializeToUtf8Bytes(labels),
            [ModelFiles.Vocabulary] = vocabulary.ToJson(),
        };
        await registry.PublishAsync(
            new ModelCard
            {
                Model = Model,
                Version = await registry.ReserveVersionAsync(Model, $"{Model}-1", CancellationToken.None),
                CreatedAt = DateTimeOffset.UnixEpoch,
                Run = $"{Model}-1",
                DatasetVersion = 1,
                DatasetDigest = "none",
                Drops = [],
                TrainRows = 0,
                Settings = JsonSerializer.Deserialize<JsonElement>("{}"),
                Seed = 1,
                Pretrained = "none",
                Engine = "none",
                CodeVersion = "none",
                TokenizerVersion = Tokenizer.Version,
                Directions = ["forward"],
                WeightsDigest = "none",
                Files = files.ToDictionary(file => file.Key, file => Convert.ToHexStringLower(SHA256.HashData(file.Value))),
                Metrics = new Scores(0.5, 0.5, 0, []),
            },
            files,
            CancellationToken.None);
        await registry.PromoteAsync(Model, 1, null);
    }
}
