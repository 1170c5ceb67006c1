using System.Text;
using System.Text.Json;
using Fuzz.Mutation;
using Ulmfit.Model;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Reports;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Fuzz.Targets;

/// <summary>JSON that people and other programs write: settings, orders, vocabularies, cards, reports, and the sealed documents of the store.</summary>
internal static class DocumentTargets
{
    private const long Buffers = 2L << 20;
    private const long PerByte = 2048;

    private static readonly byte[] Settings = Encoding.UTF8.GetBytes(TrainingSettings.Default.ToJson());

    private static readonly byte[][] SomeSettings =
    [
        Settings,
        .. Soup.Bytes(
            "{}",
            """{"seed": 7, "directions": "forward", "strategy": "partial", "freezeTo": -2, "schedule": "one-cycle", "heldOutFraction": 0.2, "classifier": {"epochs": 3, "labelWeights": {"a": 2}, "classWeights": "none", "earlyStopping": {"patience": 2, "metric": "macro-f1"}}}""",
            """{"method": "features", "features": {"reduction": "pca", "components": 5, "l2": 0.1}, "languageModel": {"fineTune": true, "epochs": 2, "bptt": 20, "dropMultiplier": 0}}""",
            """{"method": "lstm", "textColumn": "a", "labelColumn": "b", "sliceMinutes": 1.5, "sliceSteps": 3, "report": {"hardestExamples": 0}, "from": "champion", "pretrained": "none"}"""),
    ];

    private static readonly byte[] Pretraining = Encoding.UTF8.GetBytes(new PretrainingSettings().ToJson());

    private static readonly byte[][] Orders =
    [
        .. Soup.Bytes(
            """{"corpus": "unlabeled/wiki/part1.txt.gz"}""",
            """{"corpus": ["unlabeled/wiki/a.txt", "unlabeled/b/"], "valid": "unlabeled/c/d.txt", "directions": "forward", "start": "none", "source": "s", "license": "l", "sliceSteps": 5, "sliceMinutes": 2, "size": "tiny", "epochs": 1, "seed": 3}"""),
        Pretraining,
    ];

    private static readonly byte[][] Vocabularies =
    [
        Vocabulary.Build([["good", "bad", "good", "bad", "é", "é", "😀", "😀"]]).ToJson(),
        JsonSerializer.SerializeToUtf8Bytes(SpecialTokens.All),
        .. Soup.Bytes("[]", "null", "[null]", "{}", "[\"xxunk\", 3]"),
    ];

    private static readonly byte[] Card = PretrainedCard
        .Of("en", Vocabulary.Build([["a", "a"]]), new AwdLstmConfig(16, 2, 3, 2), new TextCard("a.txt", "d", 1, 2, 0.1), new TextCard("b.txt", "e", 1, 2, 0)).ToJson();

    private static readonly byte[] Report = new TrainingReport
    {
        Name = "tickets",
        StartedAt = DateTimeOffset.UnixEpoch,
        Start = new ReportStart(StartKind.Pretrained, "en", "abc"),
        Data = new ReportData("d", 10, 2, 0, 5, [new ClassRows("a", 5, 1), new ClassRows("b", 5, 1)]),
        Settings = JsonSerializer.Deserialize<JsonElement>(Settings),
        Engine = "cpu",
    }.ToJson();

    private static readonly byte[] Champion = SealedJson.Write(new ChampionPointer("tickets", 2, [new Promotion(2, DateTimeOffset.UnixEpoch, "tickets-3"), new Promotion(1, DateTimeOffset.UnixEpoch, null)]));

    private static readonly byte[] Manifest = SealedJson.Write(new RunManifest
    {
        Dataset = "tickets", Number = 3, Status = RunStatus.Running, Trigger = RunTrigger.Drops, CreatedAt = DateTimeOffset.UnixEpoch, UpdatedAt = DateTimeOffset.UnixEpoch,
        Settings = JsonSerializer.Deserialize<JsonElement>(Settings),
    });

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        Json("settings", 60, SomeSettings, bytes => ReadSettings(() =>
        {
            TrainingSettings settings = TrainingSettings.Parse(Encoding.UTF8.GetString(bytes));
            Promise.Holds(TrainingSettings.Parse(settings.ToJson()).ToJson() == settings.ToJson(), "settings read what they write");
        })),
        Json("pretrain-settings", 20, [Pretraining], bytes => ReadSettings(() => PretrainingSettings.Parse(Encoding.UTF8.GetString(bytes)))),
        Json("pretrain-order", 40, Orders, bytes => ReadSettings(() => PretrainingOrder.Parse(Encoding.UTF8.GetString(bytes)).GetSettings(null))),
        Json("vocabulary", 50, Vocabularies, bytes => Read<InvalidDataException>(() =>
        {
            Vocabulary vocabulary = Vocabulary.Load(new MemoryStream(bytes));
            Promise.Holds(Vocabulary.Load(new MemoryStream(vocabulary.ToJson())).Digest == vocabulary.Digest, "a vocabulary reads what it writes");
        })),
        Json("card", 20, [Card], bytes => Read<InvalidDataException>(() => PretrainedCard.Parse(bytes).ToMarkdown())),
        Json("report", 20, [Report], bytes => Read<InvalidDataException>(() => ReportHtml.Of(TrainingReport.Parse(bytes))), perByte: 16 << 10),
        new("sealed", 30, MakeSealed, bytes => Read<CorruptBlobException>(() =>
        {
            if (bytes.Length > 0 && (bytes[0] & 1) == 0)
            {
                SealedJson.Read<ChampionPointer>(bytes.AsSpan(1), "a/b");
            }
            else if (bytes.Length > 0)
            {
                SealedJson.Read<RunManifest>(bytes.AsSpan(1), "a/b");
            }
        }), length => Buffers + (PerByte * length)),
    ];

    private static FuzzTarget Json(string name, int share, byte[][] samples, Func<byte[], bool> accepts, long perByte = PerByte) => new(
        name, share, random => random.OneIn(30) ? random.Bytes(300) : JsonMutator.Mutate(random, random.Of<byte[]>(samples), samples), accepts, length => Buffers + (perByte * length));

    /// <summary>A document that is changed and sealed again as a rule, so that its checksum does not protect the reader.</summary>
    private static byte[] MakeSealed(FuzzRandom random)
    {
        bool champion = random.OneIn(2);
        byte[] sample = champion ? Champion : Manifest;
        byte choice = (byte)(champion ? 0 : 1);
        if (random.OneIn(3))
        {
            return [choice, .. ByteMutator.Mutate(random, sample, [], [])];
        }

        byte[] changed = JsonMutator.Mutate(random, sample, []);
        int end = Encoding.UTF8.GetString(changed).LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal);
        return end < 0 ? [choice, .. changed] : [choice, .. Resealed(Encoding.UTF8.GetString(changed)[..end])];
    }

    private static byte[] Resealed(string body)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        return [.. bytes, .. SealedJson.Seal(bytes)];
    }

    private static bool ReadSettings(Action read) => Read<TrainingSettingsException>(read);

    private static bool Read<TRefusal>(Action read)
        where TRefusal : Exception
    {
        try
        {
            read();
            return true;
        }
        catch (TRefusal)
        {
            return false;
        }
    }
}
