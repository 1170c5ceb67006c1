using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Globalization;
using Ulmfit.Cli.Terminal;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Cli.Pretrain;

/// <summary><c>ulmfit pretrain</c>: from plain text to a language model in a folder, which <c>train --pretrained</c> starts from.</summary>
internal sealed class PretrainCommand
{
    private readonly Option<string> corpus = new("--corpus") { Description = "Plain text, also .gz: articles that begin with a line '= Title =', or documents parted by blank lines", HelpName = "FILE", Required = true };
    private readonly Option<string?> valid = new("--valid") { Description = "Held-out text of the same form; the last hundredth of the corpus when not given", HelpName = "FILE" };
    private readonly Option<string?> size = new("--size") { Description = "tiny, small or base: architecture, and what other settings do not say; small when not given", HelpName = "tiny|small|base" };
    private readonly Option<Directions> direction = new("--direction") { Description = "Which models are trained, on one vocabulary: forward, backward or both", HelpName = "forward|backward|both", DefaultValueFactory = _ => Directions.Both };
    private readonly Option<double?> epochs = new("--epochs") { Description = "How often the corpus is read, fractions allowed; the schedule is spread over it. Tiny 4, small 6, base 10 when not given", HelpName = "N" };
    private readonly Option<double?> learningRate = new("--learning-rate") { Description = "Maximal learning rate; 0.005, with --start 0.003, when not given", HelpName = "RATE" };
    private readonly Option<string?> settings = new("--settings") { Description = "JSON file with pretraining settings (docs/pretraining.md), which the options override", HelpName = "FILE" };
    private readonly Option<string?> start = new("--start") { Description = "Pretrained language model to start from: the name of one that ships with the program (en-small), or a folder", HelpName = "NAME|DIR" };
    private readonly Option<bool> newLayers = new("--new-layers") { Description = "Take only the embedding of --start and begin the LSTM layers anew" };
    private readonly Option<double?> maxMinutes = new("--max-minutes") { Description = "Stop after so many minutes, fractions allowed, and after one step at least; the same command goes on", HelpName = "MINUTES" };
    private readonly Option<int> checkpointSteps = new("--checkpoint-steps") { Description = "Steps between checkpoints (at most five minutes); the result does not depend on it", HelpName = "STEPS", DefaultValueFactory = _ => 250 };
    private readonly Option<ulong?> seed = new("--seed") { Description = "Seed of every random choice; 42 when neither this nor --settings says so", HelpName = "N" };
    private readonly Option<string> engine = new("--engine") { Description = "Training engine: cpu, or torch in builds that have it", HelpName = "ENGINE", DefaultValueFactory = _ => Engines.Names[0] };
    private readonly ThreadsOption threads = new();
    private readonly Option<string?> source = new("--source") { Description = "What the corpus is and where it comes from, for the model's card", HelpName = "TEXT" };
    private readonly Option<string?> license = new("--license") { Description = "Licence of the corpus, for the model's card", HelpName = "TEXT" };
    private readonly Option<string> output = new("--out") { Description = "Folder for the model and, while training, its checkpoints", HelpName = "DIR", Required = true };
    private readonly JsonOption json = JsonOption.WithFile("perplexity, digests and progress");

    public static Command Create()
    {
        var pretrain = new PretrainCommand();
        pretrain.size.AcceptOnlyFromAmong([.. Enum.GetNames<ModelSize>().Select(name => name.ToLowerInvariant())]);
        var command = new DocumentedCommand(
            "pretrain",
            "Train a language model on plain text, for training to start from",
            "It can be interrupted or killed at any instant; the same command goes on, to the same bytes of weights. How to choose text, size and epochs: docs/pretraining.md.",
            "ulmfit pretrain --corpus wiki.txt.gz --size small --epochs 3 --source \"English Wikipedia\" --license \"CC BY-SA 3.0\" --out models/en",
            "ulmfit pretrain --corpus domain.txt --start en-small --max-minutes 60 --out models/domain")
        {
            pretrain.corpus, pretrain.valid, pretrain.size, pretrain.direction, pretrain.epochs, pretrain.learningRate, pretrain.settings, pretrain.start, pretrain.newLayers, pretrain.maxMinutes,
            pretrain.checkpointSteps, pretrain.seed, pretrain.engine, pretrain.threads.Option, pretrain.source, pretrain.license, pretrain.output, pretrain.json.Option,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() => pretrain.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        Screen screen = json.Open(parsed);
        int threadCount = threads.Of(parsed), steps = AtLeastOne(checkpointSteps, parsed);
        TimeSpan? time = parsed.GetValue(maxMinutes) switch
        {
            null => null,
            > 0 and <= 1e6 and double minutes => TimeSpan.FromMinutes(minutes),
            _ => throw new UsageException("--max-minutes must be positive."),
        };
        string directory = parsed.GetRequiredValue(output);
        PretrainedModel? from = parsed.GetValue(start) is string name ? PretrainedDirectory.Load(name) : null;
        if (from is not null && Path.GetFullPath(parsed.GetValue(start)!) == Path.GetFullPath(directory))
        {
            throw new UsageException("--start and --out are the same folder: the model would be written over while training starts from it.");
        }

        PretrainingSettings chosen = SettingsOf(parsed, from).Resolved(from is not null);
        string corpusPath = parsed.GetRequiredValue(corpus);
        string? validPath = parsed.GetValue(valid);
        var data = PretrainingData.Prepare(DocumentsOf(corpusPath), validPath is null ? null : DocumentsOf(validPath), chosen, threadCount, cancellationToken);
        Print(screen, $"{Counted(data.Train)} to train on, {Counted(data.HeldOut)} held out; {data.Vocabulary.Count} tokens in the vocabulary; {data.Train.UnknownRate:P2} of the words unknown, {data.HeldOut.UnknownRate:P2} of the held-out ones");

        ITrainingEngine trainingEngine = Engines.Create(parsed.GetRequiredValue(engine), threadCount);
        using (trainingEngine as IDisposable)
        {
            var inputs = new PretrainingInputs(data, chosen, from, trainingEngine, Path.GetFileName(corpusPath), validPath is null ? null : Path.GetFileName(validPath), CommandOf(parsed))
            {
                Source = parsed.GetValue(source),
                License = parsed.GetValue(license),
            };
            var run = new PretrainingRun(directory, inputs, steps, time, clock);
            Direction[] asked = [.. parsed.GetValue(direction).Each()];
            var trained = new Dictionary<Direction, DirectionCard>();
            ProgressDisplay.Show(screen, progress =>
            {
                var display = new PretrainingDisplay(screen, progress, asked.Length);
                foreach (Direction one in asked)
                {
                    if (run.Train(one, display, cancellationToken) is DirectionCard card)
                    {
                        trained[one] = card;
                    }
                }
            });

            bool finished = asked.All(one => trained.TryGetValue(one, out DirectionCard? card) && card.Finished);
            json.Write(parsed, PretrainReport.Of(trained, data, finished, clock.Elapsed));
            foreach ((Direction one, DirectionCard card) in trained.OrderBy(pair => pair.Key))
            {
                Print(screen, $"{one.ToString().ToLowerInvariant(),-8}  perplexity {card.Perplexity:F2} over {card.HeldOutTokens} held-out tokens after {card.Epochs:F2} epochs, {card.TokensSeen} tokens; weights {card.WeightsDigest}");
            }

            Print(screen, finished
                ? (FormattableString)$"language model in {directory}, {clock.Elapsed.TotalSeconds:F0} s"
                : $"Time is up after {clock.Elapsed.TotalMinutes:F1} minutes: {directory} holds the model as far as it is trained. The same command goes on from here.");
        }

        return ExitCodes.Done;
    }

    private PretrainingSettings SettingsOf(ParseResult parsed, PretrainedModel? from)
    {
        PretrainingSettings chosen = parsed.GetValue(settings) is string path ? PretrainingSettings.Parse(File.ReadAllText(path)) : new PretrainingSettings();
        ModelSize? named = parsed.GetValue(size) is string text ? Enum.Parse<ModelSize>(text, ignoreCase: true) : null;
        chosen = chosen with
        {
            Size = named ?? (from is null ? chosen.Size : TrainingSettings.SizeOf(from.Config) ?? chosen.Size),
            Epochs = parsed.GetValue(epochs) ?? chosen.Epochs,
            LearningRate = parsed.GetValue(learningRate) ?? chosen.LearningRate,
            Seed = parsed.GetValue(seed) ?? chosen.Seed,
            NewLayers = parsed.GetValue(newLayers) || chosen.NewLayers,
        };
        if (from is null && chosen.NewLayers)
        {
            throw new UsageException("--new-layers says what to take of --start: name a model to start from, or leave it out.");
        }

        return from is null || named is null || TrainingSettings.SizeOf(from.Config) == named
            ? chosen.Validated()
            : throw new UsageException($"--start is a model of embedding {from.Config.EmbeddingSize}, hidden {from.Config.HiddenSize} and {from.Config.Layers} layers, which is not --size {named.ToString()!.ToLowerInvariant()}: leave out --size.");
    }

    /// <summary>The command without what leaves the model as it is: how long and how fast it is trained at a time.</summary>
    private string CommandOf(ParseResult parsed)
    {
        Option[] irrelevant = [maxMinutes, checkpointSteps, threads.Option, json.Option];
        IEnumerable<string> given = parsed.CommandResult.Children.OfType<OptionResult>()
            .Where(result => !result.Implicit && !irrelevant.Contains(result.Option))
            .Select(result => string.Join(' ', result.Tokens.Select(token => Quoted(token.Value)).Prepend(result.Option.Name)));
        return string.Join(' ', given.Prepend("ulmfit pretrain"));
    }

    private static string Quoted(string value) => value.Length > 0 && value.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '+' or ',')
        ? value
        : "'" + value.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static IEnumerable<string> DocumentsOf(string path) => File.Exists(path)
        ? CorpusReader.Documents(() => File.OpenRead(path), Path.GetFileName(path))
        : throw new UsageException($"There is no file '{path}'.");

    private static int AtLeastOne(Option<int> option, ParseResult parsed) =>
        parsed.GetValue(option) is int value and >= 1 ? value : throw new UsageException($"{option.Name} must be at least 1.");

    private static string Counted(EncodedText text) => string.Create(CultureInfo.InvariantCulture, $"{text.Documents.Count} documents of {text.Tokens} tokens");

    private static void Print(Screen screen, FormattableString line) => screen.Line(line.ToString(CultureInfo.InvariantCulture));
}
