using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Serving;

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

    /// <summary>The pipeline's settings.</summary>
    public required PipelineOptions Pipeline { get; init; }

    /// <summary>How models are kept in memory.</summary>
    public required ModelCacheOptions Models { get; init; }

    /// <summary>What a request to the classifier may hold.</summary>
    public required ClassifyLimits Classify { get; init; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="FormatException">A value cannot be used; the message names it.</exception>
    public static AppSettings Read(IConfiguration configuration)
    {
        var pipeline = new PipelineOptions { CodeVersion = CodeVersion() };
        var models = new ModelCacheOptions();
        var classify = new ClassifyLimits();
        return new AppSettings
        {
            Storage = Text(configuration, "storage") ?? "folder",
            Data = Text(configuration, "data") ?? ".data",
            Demo = Switch(configuration, "demo") || Switch(configuration, "exit-after-demo"),
            ExitAfterDemo = Switch(configuration, "exit-after-demo"),
            Threads = (int?)Number(configuration, "Training:Threads"),
            Pipeline = pipeline with
            {
                Settle = Seconds(configuration, "Drops:SettleSeconds") ?? pipeline.Settle,
                MaxDropBytes = Number(configuration, "Drops:MaxBytes") ?? pipeline.MaxDropBytes,
                ReportedRows = (int)(Number(configuration, "Drops:ReportedRows") ?? pipeline.ReportedRows),
            },
            Models = models with
            {
                CheckEvery = Seconds(configuration, "Models:CheckSeconds") ?? models.CheckEvery,
                Champions = (int)(Number(configuration, "Models:Loaded") ?? models.Champions),
            },
            Classify = classify with
            {
                MaxInputs = (int)(Number(configuration, "Classify:MaxInputs") ?? classify.MaxInputs),
                MaxCharacters = (int)(Number(configuration, "Classify:MaxCharacters") ?? classify.MaxCharacters),
                MaxBodyBytes = Number(configuration, "Classify:MaxBodyBytes") ?? classify.MaxBodyBytes,
            },
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

    private static TimeSpan? Seconds(IConfiguration configuration, string key) => Text(configuration, key) switch
    {
        null => null,
        { } text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is > 0 and <= 86_400 => TimeSpan.FromSeconds(value),
        { } text => throw new FormatException($"The setting {key} is '{text}'; it must be a number of seconds above 0 and at most a day's."),
    };
}

/// <summary>What a request to the classifier may hold.</summary>
internal sealed record ClassifyLimits
{
    /// <summary>Texts.</summary>
    public int MaxInputs { get; init; } = 1024;

    /// <summary>UTF-16 units of a text.</summary>
    public int MaxCharacters { get; init; } = 100_000;

    /// <summary>Bytes of the body.</summary>
    public long MaxBodyBytes { get; init; } = 16L << 20;
}
