using System.CommandLine;
using Ulmfit.Cli.Terminal;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Cli.Bench;

/// <summary><c>ulmfit bench</c>: how fast this machine trains, and how near its peak.</summary>
internal sealed class BenchCommand
{
    private const string Gemm = "gemm";
    private const string TokenizerTask = "tokenizer";
    private const string All = "all";

    private readonly Option<string> task = new("--task") { Description = "What is measured: a step of the language model (lm) or of the classifier, the products of a step (gemm), the tokenizer, or all", HelpName = "TASK", DefaultValueFactory = _ => "lm" };
    private readonly Option<string> size = new("--size") { Description = "Size of the model, base, small or tiny: what the options below do not say", HelpName = "base|small|tiny", DefaultValueFactory = _ => "base" };
    private readonly Option<int?> vocabulary = new("--vocabulary") { Description = "Tokens of the vocabulary, at least 16; that of --size when not given, as for the next six", HelpName = "N" };
    private readonly Option<int?> embedding = new("--embedding") { Description = "Width of the embedding, in units", HelpName = "N" };
    private readonly Option<int?> hidden = new("--hidden") { Description = "Width of the LSTM layers between, in units", HelpName = "N" };
    private readonly Option<int?> layers = new("--layers") { Description = "Number of LSTM layers", HelpName = "N" };
    private readonly Option<int?> batch = new("--batch") { Description = "Lanes of the language model, documents of the classifier's batch", HelpName = "N" };
    private readonly Option<int?> bptt = new("--bptt") { Description = "Tokens of the language model's window", HelpName = "N" };
    private readonly Option<int?> length = new("--length") { Description = "Tokens of each document of the classifier's batch", HelpName = "N" };
    private readonly ThreadsOption threads = new();
    private readonly Option<int> steps = new("--steps") { Description = "Steps (passes of the tokenizer) that are timed, after one that is not", HelpName = "N", DefaultValueFactory = _ => 5 };
    private readonly Option<ulong> seed = new("--seed") { Description = "Seed of weights, tokens and masks", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> profile = new("--profile") { Description = "Show where the time of a step goes" };
    private readonly Option<string?> data = new("--data") { Description = "Real text: labelled (.csv, .tsv, .jsonl, also .gz) with --minutes; for the tokenizer also .txt", HelpName = "FILE" };
    private readonly Option<double?> minutes = new("--minutes") { Description = "Train on the text of --data for so many minutes, fractions allowed", HelpName = "MINUTES" };
    private readonly JsonOption json = JsonOption.WithFile("the results");
    private readonly ColumnOptions columns = new();

    public static Command Create()
    {
        var bench = new BenchCommand();
        bench.task.AcceptOnlyFromAmong(StepBench.NameOf(BenchNetwork.Lm), StepBench.NameOf(BenchNetwork.Classifier), Gemm, TokenizerTask, All);
        bench.size.AcceptOnlyFromAmong([.. Enum.GetNames<ModelSize>().Select(name => name.ToLowerInvariant())]);
        var command = new DocumentedCommand(
            "bench",
            "Measure the training engine and the tokenizer on this machine",
            "It tells tokens a second and what share of the machine's peak that is. docs/performance.md explains the numbers.",
            "ulmfit bench --size small --profile",
            "ulmfit bench --task tokenizer --data reviews.csv.gz",
            "ulmfit bench --task lm --size small --data train.csv --minutes 5 --json bench.json")
        {
            bench.task, bench.size, bench.vocabulary, bench.embedding, bench.hidden, bench.layers, bench.batch, bench.bptt, bench.length, bench.threads.Option, bench.steps,
            bench.seed, bench.profile, bench.data, bench.minutes, bench.json.Option,
        };
        bench.columns.AddTo(command);
        command.SetAction((parsed, cancellationToken) => System.Threading.Tasks.Task.Run(() => bench.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        BenchModel model = ModelOf(parsed);
        try
        {
            object report = Measure(parsed, model, json.Open(parsed), cancellationToken);
            json.Write(parsed, report);
            return ExitCodes.Done;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Interrupted.");
            return ExitCodes.Failed;
        }
    }

    private object Measure(ParseResult parsed, BenchModel model, Screen screen, CancellationToken cancellationToken)
    {
        var printer = new BenchPrinter(screen);
        int threadCount = threads.Of(parsed), stepCount = AtLeast(1, "--steps", parsed.GetValue(steps));
        ulong chosenSeed = parsed.GetValue(seed);
        bool showParts = parsed.GetValue(profile);
        string? path = parsed.GetValue(data);
        string chosen = parsed.GetRequiredValue(task);
        CheckData(parsed, chosen);

        StepReport Step(BenchNetwork kind)
        {
            StepReport report = StepBench.Run(kind, model, threadCount, stepCount, chosenSeed, cancellationToken);
            printer.Print(report, showParts);
            return report;
        }

        GemmReport Products()
        {
            GemmReport report = GemmBench.Run(model, threadCount, cancellationToken);
            printer.Print(report);
            return report;
        }

        TokenizerReport Tokens()
        {
            TokenizerReport report = TokenizerBench.Run(path, model.Config.VocabularySize, stepCount, cancellationToken);
            printer.Print(report);
            return report;
        }

        object Network(BenchNetwork kind)
        {
            if (path is null)
            {
                return Step(kind);
            }

            var duration = TimeSpan.FromMinutes(parsed.GetValue(minutes)!.Value);
            SustainedReport report = SustainedBench.Run(kind, model, path, columns.Of(parsed), duration, threadCount, stepCount, chosenSeed, screen, cancellationToken);
            printer.Print(report, showParts);
            return report;
        }

        return chosen switch
        {
            Gemm => Products(),
            TokenizerTask => Tokens(),
            All => new AllReport(Step(BenchNetwork.Lm), Step(BenchNetwork.Classifier), Products(), Tokens()),
            _ => Network(chosen == StepBench.NameOf(BenchNetwork.Lm) ? BenchNetwork.Lm : BenchNetwork.Classifier),
        };
    }

    private void CheckData(ParseResult parsed, string chosen)
    {
        bool hasData = parsed.GetValue(data) is not null, hasMinutes = parsed.GetValue(minutes) is not null;
        if (hasMinutes && parsed.GetValue(minutes) is not > 0)
        {
            throw new UsageException("--minutes must be positive.");
        }

        if (chosen is Gemm or All && (hasData || hasMinutes))
        {
            throw new UsageException($"--task {chosen} reads no text: leave out --data and --minutes.");
        }

        if (chosen == TokenizerTask)
        {
            if (hasMinutes)
            {
                throw new UsageException("--task tokenizer makes passes (--steps) over its text: leave out --minutes.");
            }

            return;
        }

        if (hasData != hasMinutes)
        {
            throw new UsageException("Training on real text needs both --data FILE and --minutes M.");
        }

        if (hasData && (parsed.GetValue(embedding) ?? parsed.GetValue(hidden) ?? parsed.GetValue(layers)) is not null)
        {
            throw new UsageException("With --data the architecture is that of --size, as in a training: leave out --embedding, --hidden and --layers.");
        }
    }

    private BenchModel ModelOf(ParseResult parsed)
    {
        const int LeastVocabulary = 16;
        int Of(int least, Option<int?> option, int standard) => AtLeast(least, option.Name, parsed.GetValue(option) ?? standard);
        var standard = BenchModel.Of(Enum.Parse<ModelSize>(parsed.GetRequiredValue(size), ignoreCase: true));
        var config = new AwdLstmConfig(
            Of(LeastVocabulary, vocabulary, standard.Config.VocabularySize), Of(1, embedding, standard.Config.EmbeddingSize), Of(1, hidden, standard.Config.HiddenSize),
            Of(1, layers, standard.Config.Layers));
        return standard with { Config = config, Batch = Of(1, batch, standard.Batch), Bptt = Of(1, bptt, standard.Bptt), Length = Of(1, length, standard.Length) };
    }

    private static int AtLeast(int least, string option, int value) => value >= least ? value : throw new UsageException($"{option} must be at least {least}.");
}
