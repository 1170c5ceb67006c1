using System.CommandLine;
using System.Globalization;
using Ulmfit.Cli.Terminal;
using Ulmfit.Engine;
using Ulmfit.Generation;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>What <c>--json</c> gets.</summary>
internal sealed record GenerateReport(
    string Prompt, string Text, IReadOnlyList<string> Tokens, int Written, int UnknownInPrompt, bool Ended, double? MeanLogProbability,
    Direction Direction, double Temperature, int TopK, ulong Seed, string Digest);

/// <summary><c>ulmfit generate</c>: lets a pretrained language model go on with a text.</summary>
internal sealed class GenerateCommand
{
    private static readonly GenerationOptions Standard = new();

    private readonly Option<string> model = new("--model") { Description = "Pretrained language model: the name of one that ships with the program (en-small), or a folder", HelpName = "NAME|DIR", Required = true };
    private readonly Option<Direction> direction = new("--direction") { Description = "forward: write what follows the prompt; backward: what goes before it", HelpName = "forward|backward", DefaultValueFactory = _ => Direction.Forward };
    private readonly Option<string> prompt = new("--prompt") { Description = "Text to go on with", HelpName = "TEXT", DefaultValueFactory = _ => "" };
    private readonly Option<int> tokens = new("--tokens") { Description = "The most tokens to write; the model may end the text before", HelpName = "N", DefaultValueFactory = _ => Standard.Tokens };
    private readonly Option<double> temperature = new("--temperature") { Description = "0: always the likeliest token; 1: as the model has it; between: likely tokens made likelier", HelpName = "T", DefaultValueFactory = _ => Standard.Temperature };
    private readonly Option<int> top = new("--top-k") { Description = "Draw from so many likeliest tokens; 0 for all", HelpName = "N", DefaultValueFactory = _ => Standard.TopK };
    private readonly Option<ulong> seed = new("--seed") { Description = "Seed of every draw: the same seed writes the same text", HelpName = "N", DefaultValueFactory = _ => Standard.Seed };
    private readonly ThreadsOption threads = new();
    private readonly JsonOption json = JsonOption.WithFile("text, tokens and settings");

    public static Command Create()
    {
        var generate = new GenerateCommand();
        var command = new DocumentedCommand(
            "generate",
            "Let a pretrained language model go on with a text",
            "It is the quickest way to see what a language model has learnt. The text goes to standard output, what is told of it to standard error.",
            "ulmfit generate --model en-small --prompt \"The river\" --tokens 30",
            "ulmfit generate --model models/own --direction backward --prompt \"came too late.\" --temperature 0.5")
        {
            generate.model, generate.direction, generate.prompt, generate.tokens, generate.temperature, generate.top, generate.seed, generate.threads.Option, generate.json.Option,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() => generate.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var options = new GenerationOptions
        {
            Tokens = parsed.GetValue(tokens),
            Temperature = parsed.GetValue(temperature),
            TopK = parsed.GetValue(top),
            Seed = parsed.GetValue(seed),
        };
        int threadCount = threads.Of(parsed);
        if (options.Tokens < 1 || options.TopK < 0 || !(options.Temperature >= 0) || !double.IsFinite(options.Temperature))
        {
            throw new UsageException("--tokens must be at least 1, --top-k and --temperature at least 0.");
        }

        Direction chosen = parsed.GetValue(direction);
        string given = parsed.GetRequiredValue(prompt);
        PretrainedModel pretrained = PretrainedDirectory.Load(parsed.GetRequiredValue(model));
        if (chosen == Direction.Backward && pretrained.Backward is null)
        {
            throw new UsageException("The model has no backward weights.");
        }

        ITrainingEngine engine = Engines.Create(Engines.Names[0], threadCount);
        using (engine as IDisposable)
        {
            using ILanguageModelNetwork network = engine.CreateLanguageModel(new LanguageModelOptions(pretrained.Config, DropoutRates.None, Batch: 1, MaxTime: 1), pretrained.WeightsOf(chosen));
            GeneratedText written = TextGenerator.Generate(network, pretrained.Vocabulary, chosen, given, options, cancellationToken);
            Print(json.Open(parsed), written);
            json.Write(parsed, new GenerateReport(
                given, written.Text, written.Tokens, written.Written, written.UnknownInPrompt, written.Ended, written.MeanLogProbability,
                chosen, options.Temperature, options.TopK, options.Seed, pretrained.Digest));
        }

        return ExitCodes.Done;
    }

    private static void Print(Screen screen, GeneratedText written)
    {
        // The words are the vocabulary's, and that may be anybody's: no control characters but line ends reach the terminal.
        screen.Line(string.Concat(written.Text.Where(c => c == '\n' || !char.IsControl(c))));
        string ending = written.Ended ? "the model ended the text" : "cut off";
        screen.Note(string.Create(CultureInfo.InvariantCulture, $"{written.Written} tokens, {ending}; perplexity {Math.Exp(-written.MeanLogProbability ?? 0):F1} by its own probabilities"));
        if (written.UnknownInPrompt > 0)
        {
            screen.Note($"{written.UnknownInPrompt} words of the prompt are not in the model's vocabulary; it reads <unk> for each.");
        }
    }
}
