using System.CommandLine;
using System.Globalization;
using Ulmfit.Cli.Terminal;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary>What the trainings of a comparison start with, read.</summary>
internal sealed record LoadedComparison(TrainingSettings Settings, LoadedTexts Texts, LabeledRows Test, IReadOnlyList<ulong> Seeds)
{
    private readonly Dictionary<(bool Pretrained, Method Method), TrainingData> whole = [];

    public PretrainedModel? Pretrained => Texts.Pretrained;

    /// <summary>All texts with all labels as a training with such settings sees them, the vocabulary of the pretrained model included where it starts at one.</summary>
    public TrainingData Data(TrainingSettings settings)
    {
        PretrainedModel? start = StartOf(settings);
        return whole.TryGetValue((start is not null, settings.Method), out TrainingData? data)
            ? data
            : whole[(start is not null, settings.Method)] = TrainingData.Prepare(Texts.Selection.Train, Texts.Selection.HeldOut, Texts.Selection.Unlabeled, settings, start?.Vocabulary);
    }

    /// <summary>What a training with such settings starts at; null for random weights.</summary>
    public PretrainedModel? StartOf(TrainingSettings settings) => settings.Pretrained == TrainingSettings.NoPretrained ? null : Pretrained;

    /// <summary>An experiment; its settings say whether it starts at the pretrained model.</summary>
    public Experiment Experiment(string name, TrainingSettings settings, Func<TrainingData> data)
    {
        PretrainedModel? start = StartOf(settings);
        return start is { Backward: null } && settings.Directions != Directions.Forward
            ? throw new UsageException($"{name} reads backward, but the pretrained model has no backward weights: add backward.safetensors to it or give --direction forward.")
            : new Experiment(name, settings.Validated(), start, data);
    }

    /// <summary>What the report says of all this.</summary>
    public ComparisonSubject Subject(ITrainingEngine engine, TrainingSettings settings)
    {
        (IReadOnlyList<Ulmfit.Data.LabeledRow> train, IReadOnlyList<Ulmfit.Data.LabeledRow> heldOut, IReadOnlyList<string> texts, _, _) = Texts.Selection;
        return new ComparisonSubject(
            Path.GetFileName(Texts.Rows.Path), train.Count, heldOut.Count, texts.Count, Path.GetFileName(Test.Path), Test.Rows.Count,
            DataDigest.Of(train, heldOut, texts), DataDigest.Of(Test.Rows, [], []),
            settings.Pretrained == TrainingSettings.NoPretrained ? settings.Pretrained : Path.GetFileName(Path.TrimEndingDirectorySeparator(settings.Pretrained)),
            Pretrained?.Digest, engine.Name, settings, Seeds);
    }
}

/// <summary>The options of the commands that train many models and compare them.</summary>
/// <param name="folder">Name of the folder for the trainings when none is given.</param>
internal sealed class ComparisonInputs(string folder)
{
    private readonly TrainingInputs inputs = new();
    private readonly Option<string> test = new("--test") { Description = "Labelled text that every trained model is scored on", HelpName = "FILE", Required = true };
    private readonly Option<string> seeds = new("--seeds") { Description = "Seeds, parted by commas: each training is repeated with each", HelpName = "N,N,…", DefaultValueFactory = _ => "1,2,3" };
    private readonly Option<string> output = new("--out") { Description = "Folder for the trainings: the same command goes on from there, another one reuses what it needs as well", HelpName = "DIR", DefaultValueFactory = _ => folder };
    private readonly Option<string?> cache = new("--cache") { Description = "Folder for fine-tuned language models, which comparisons may share; one inside --out when not given", HelpName = "DIR" };
    private readonly Option<string?> markdown = new("--markdown") { Description = "Write the tables to this file as Markdown, after every run", HelpName = "FILE" };

    /// <summary>Where the scores go for programs.</summary>
    public JsonOption Json { get; } = JsonOption.WithFile("the scores, to a file after every run,");

    /// <summary>The options of a comparison.</summary>
    /// <param name="command">The command.</param>
    /// <param name="own">Options of its own.</param>
    public void AddTo(Command command, params IReadOnlyList<Option> own) => inputs.AddCommonTo(command, [test, .. own, seeds, output, cache, Json.Option, markdown]);

    /// <summary>Reads everything and tells how much there is.</summary>
    public LoadedComparison Load(ParseResult parsed, Screen screen)
    {
        ulong[] chosen = [.. Parts("--seeds", parsed.GetRequiredValue(seeds))
            .Select(part => ulong.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed) ? seed : throw new UsageException($"--seeds: '{part}' is no seed; give whole numbers parted by commas."))];
        TrainingSettings settings = inputs.SettingsOf(parsed) with { Seed = chosen[0] };
        if (settings.Method != Method.Ulmfit)
        {
            throw new UsageException("The settings name a method: a comparison chooses the methods by itself.");
        }

        if (settings.From is not null)
        {
            throw new UsageException("The settings name an earlier model in \"from\": a comparison starts at the pretrained model or at random weights.");
        }

        LoadedTexts texts = inputs.LoadTexts(parsed, settings);
        var loaded = new LoadedComparison(settings, texts, inputs.Read(parsed, parsed.GetRequiredValue(test)), chosen);
        screen.Line($"{texts.Selection.Train.Count} texts to train on, {texts.Selection.HeldOut.Count} held out, {texts.Selection.Unlabeled.Count} without label; {loaded.Test.Rows.Count} to test on");
        return loaded;
    }

    public ITrainingEngine CreateEngine(ParseResult parsed) => inputs.CreateEngine(parsed);

    public ExperimentRunner CreateRunner(ParseResult parsed, ITrainingEngine engine, LoadedComparison loaded, Screen screen)
    {
        string directory = parsed.GetRequiredValue(output);
        return new ExperimentRunner(directory, engine, loaded.Test, new LanguageModelCache(parsed.GetValue(cache) ?? Path.Combine(directory, "language-models"), screen), screen);
    }

    /// <summary>Writes the files that were asked for.</summary>
    public void Write<T>(ParseResult parsed, T report, string text)
    {
        Json.WriteFile(parsed, report);
        WriteText(parsed.GetValue(markdown), text);
    }

    /// <summary>Writes a text to a file, if there is to be one.</summary>
    public static void WriteText(string? path, string text)
    {
        if (path is not null)
        {
            ModelDirectory.WriteWhole(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
        }
    }

    /// <summary>The parts of a list, each once.</summary>
    public static string[] Parts(string option, string list)
    {
        string[] parts = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 0 ? throw new UsageException($"{option} names nothing.")
            : parts.Distinct(StringComparer.Ordinal).Count() < parts.Length ? throw new UsageException($"{option} names something twice: {list}.")
            : parts;
    }
}
