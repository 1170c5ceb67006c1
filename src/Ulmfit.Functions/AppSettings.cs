using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Pipeline.Uncertain;

namespace Ulmfit.Functions;

/// <summary>The app's own settings, from the command line, the environment or <c>local.settings.json</c>.</summary>
internal sealed record AppSettings
{
    /// <summary><c>folder</c>, or an Azure Storage connection string or blob service address: <c>--storage</c>.</summary>
    public required string Storage { get; init; }

    /// <summary>The folder of all state: <c>--data</c>.</summary>
    public required string Data { get; init; }

    /// <summary>Whether to drop the bundled sample where there is no model of it yet: <c>--demo</c>.</summary>
    public bool Demo { get; init; }

    /// <summary>Whether to end once the demonstration has: <c>--exit-after-demo</c>.</summary>
    public bool ExitAfterDemo { get; init; }

    /// <summary>Threads that train; null for one a processor.</summary>
    public int? Threads { get; init; }

    /// <summary>
    /// How long the one of several embedded hosts on a storage account that works may be silent before another takes over: <c>Host:LeaseSeconds</c>.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The pipeline's settings.</summary>
    public required PipelineOptions Pipeline { get; init; }

    /// <summary>Whether uncertain texts are written down.</summary>
    public required UncertainOptions Uncertain { get; init; }

    /// <summary>How models are kept in memory.</summary>
    public required ModelCacheOptions Models { get; init; }

    /// <summary>When what a model is asked counts as shifted.</summary>
    public required DriftOptions Drift { get; init; }

    /// <summary>After how long of silence a stream of events sends a comment: <c>Events:HeartbeatSeconds</c>.</summary>
    public TimeSpan EventHeartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// After how long a stream of events ends, for its client to come again: <c>Events:StreamSeconds</c>. Less than host.json's
    /// <c>functionTimeout</c>, at which a Functions host starts its worker anew.
    /// </summary>
    public TimeSpan EventStream { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Whether the classifier answers without a key, where keys are asked for: <c>Classify:Anonymous</c>.</summary>
    public bool AnonymousClassify { get; init; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="FormatException">A value cannot be used; the message names it.</exception>
    public static AppSettings Read(IConfiguration configuration)
    {
        var pipeline = new PipelineOptions { CodeVersion = CodeVersion() };
        var models = new ModelCacheOptions();
        Limits limits = ReadLimits(configuration);
        var uncertain = new UncertainOptions();
        return new AppSettings
        {
            Storage = Text(configuration, "storage") ?? "folder",
            Data = Text(configuration, "data") ?? ".data",
            Demo = Switch(configuration, "demo") || Switch(configuration, "exit-after-demo"),
            ExitAfterDemo = Switch(configuration, "exit-after-demo"),
            Threads = Count(configuration, "Training:Threads"),
            Lease = Seconds(configuration, "Host:LeaseSeconds") ?? TimeSpan.FromSeconds(15),
            Pipeline = pipeline with
            {
                Settle = Seconds(configuration, "Drops:SettleSeconds") ?? pipeline.Settle,
                Limits = limits,
                Feedback = new FeedbackOptions
                {
                    MinimumRows = Count(configuration, "Feedback:MinimumRows") ?? pipeline.Feedback.MinimumRows,
                    Wait = Seconds(configuration, "Feedback:WaitSeconds") ?? pipeline.Feedback.Wait,
                },
                ReportedRows = Count(configuration, "Drops:ReportedRows") ?? pipeline.ReportedRows,
                Int8Tolerance = Text(configuration, "Models:Int8Tolerance") == "off" ? null : Share(configuration, "Models:Int8Tolerance") ?? pipeline.Int8Tolerance,
            },
            Uncertain = new UncertainOptions
            {
                LogTexts = Switch(configuration, "Uncertain:LogTexts"),
                TextsPerDay = AtMost(10_000, "Uncertain:TextsPerDay", Count(configuration, "Uncertain:TextsPerDay")) ?? uncertain.TextsPerDay,
                RetentionDays = AtMost(3650, "Uncertain:RetentionDays", Count(configuration, "Uncertain:RetentionDays")) ?? uncertain.RetentionDays,
                WriteEvery = Seconds(configuration, "Uncertain:WriteSeconds") ?? uncertain.WriteEvery,
            },
            Models = models with
            {
                CheckEvery = Seconds(configuration, "Models:CheckSeconds") ?? models.CheckEvery,
                Champions = Count(configuration, "Models:Loaded") ?? models.Champions,
                Workers = models.Workers with { MaxDocuments = limits.ClassifyQueuedTexts, MaxTokens = limits.ClassifyQueuedTokens },
            },
            Drift = ReadDrift(configuration),
            EventHeartbeat = Seconds(configuration, "Events:HeartbeatSeconds") ?? TimeSpan.FromSeconds(15),
            EventStream = Seconds(configuration, "Events:StreamSeconds") ?? TimeSpan.FromMinutes(30),
            AnonymousClassify = Switch(configuration, "Classify:Anonymous"),
        };
    }

    private static DriftOptions ReadDrift(IConfiguration configuration)
    {
        var drift = new DriftOptions();
        return new DriftOptions
        {
            PopulationStability = Amount(configuration, "Drift:PopulationStability") ?? drift.PopulationStability,
            UnknownWords = Amount(configuration, "Drift:UnknownWords") ?? drift.UnknownWords,
            MinimumTexts = Count(configuration, "Drift:MinimumTexts") ?? drift.MinimumTexts,
            KeepDays = Count(configuration, "Drift:KeepDays") switch
            {
                null => drift.KeepDays,
                { } days when days <= DriftOptions.MostDays => days,
                { } days => throw new FormatException($"The setting Drift:KeepDays is '{days}'; {DriftOptions.MostDays} is the most."),
            },
            WriteEvery = Seconds(configuration, "Drift:WriteSeconds") ?? drift.WriteEvery,
        };
    }

    private static Limits ReadLimits(IConfiguration configuration)
    {
        // A limit that is misspelt would be none.
        string[] known = [.. typeof(Limits).GetProperties().Select(property => property.Name)];
        if (configuration.GetSection("Limits").GetChildren().FirstOrDefault(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new FormatException($"The setting Limits:{unknown.Key} is not known; there are {string.Join(", ", known)}.");
        }
        var limits = new Limits();
        return new Limits
        {
            DropBytes = Number(configuration, "Limits:DropBytes") ?? limits.DropBytes,
            UnpackedBytes = Number(configuration, "Limits:UnpackedBytes") ?? limits.UnpackedBytes,
            Rows = Count(configuration, "Limits:Rows") ?? limits.Rows,
            Labels = Count(configuration, "Limits:Labels") ?? limits.Labels,
            TextCharacters = Count(configuration, "Limits:TextCharacters") ?? limits.TextCharacters,
            Runs = Count(configuration, "Limits:Runs") ?? limits.Runs,
            ClassifyInputs = Count(configuration, "Limits:ClassifyInputs") ?? limits.ClassifyInputs,
            ClassifyCharacters = Count(configuration, "Limits:ClassifyCharacters") ?? limits.ClassifyCharacters,
            ClassifyBytes = Count(configuration, "Limits:ClassifyBytes") ?? limits.ClassifyBytes,
            ClassifyRequests = Count(configuration, "Limits:ClassifyRequests") ?? limits.ClassifyRequests,
            ClassifyQueuedTexts = Count(configuration, "Limits:ClassifyQueuedTexts") ?? limits.ClassifyQueuedTexts,
            ClassifyQueuedTokens = Count(configuration, "Limits:ClassifyQueuedTokens") ?? limits.ClassifyQueuedTokens,
            ExplainInputs = Count(configuration, "Limits:ExplainInputs") ?? limits.ExplainInputs,
            ExplainTokens = Count(configuration, "Limits:ExplainTokens") ?? limits.ExplainTokens,
            EventStreams = Count(configuration, "Limits:EventStreams") ?? limits.EventStreams,
            FeedbackRows = Count(configuration, "Limits:FeedbackRows") ?? limits.FeedbackRows,
            FeedbackWaiting = Count(configuration, "Limits:FeedbackWaiting") ?? limits.FeedbackWaiting,
            BodyBytes = Count(configuration, "Limits:BodyBytes") ?? limits.BodyBytes,
        };
    }

    private static string CodeVersion() =>
        typeof(AppSettings).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static string? Text(IConfiguration configuration, string key) =>
        configuration[key] is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;

    private static bool Switch(IConfiguration configuration, string key) => Text(configuration, key) switch
    {
        null or "0" => false,
        "1" => true,
        { } text when bool.TryParse(text, out bool on) => on,
        { } text => throw new FormatException($"The setting {key} is '{text}'; it must be true or false."),
    };

    private static long? Number(IConfiguration configuration, string key) => Text(configuration, key) switch
    {
        null => null,
        { } text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value > 0 => value,
        { } text => throw new FormatException($"The setting {key} is '{text}'; it must be a whole number above 0."),
    };

    private static int? Count(IConfiguration configuration, string key) => Number(configuration, key) switch
    {
        null => null,
        { } value when value <= int.MaxValue => (int)value,
        { } value => throw new FormatException($"The setting {key} is '{value}'; {int.MaxValue} is the most."),
    };

    private static double? Amount(IConfiguration configuration, string key) => Text(configuration, key) switch
    {
        null => null,
        { } text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0 && double.IsFinite(value) => value,
        { } text => throw new FormatException($"The setting {key} is '{text}'; it must be a number above 0."),
    };

    private static int? AtMost(int most, string key, int? value) =>
        value > most ? throw new FormatException($"The setting {key} is {value}; {most} is the most.") : value;

    private static double? Share(IConfiguration configuration, string key) => Text(configuration, key) switch
    {
        null => null,
        { } text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 1 => value,
        { } text => throw new FormatException($"The setting {key} is '{text}'; it must be a number from 0 to 1, or off."),
    };

    private static TimeSpan? Seconds(IConfiguration configuration, string key) => Text(configuration, key) switch
    {
        null => null,
        { } text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is > 0 and <= 86_400 => TimeSpan.FromSeconds(value),
        { } text => throw new FormatException($"The setting {key} is '{text}'; it must be a number of seconds above 0 and at most a day's."),
    };
}
