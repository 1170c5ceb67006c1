using System.CommandLine;
using System.Globalization;
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

    private readonly Option<string> model = new("--model") { Description = "Pretrained language model: the name of one that ships with the program, or a folder", Required = true };
    private readonly Option<Direction> direction = new("--direction") { Description = "forward: write what follows the prompt; backward: what goes before it", DefaultValueFactory = _ => Direction.Forward };
    private readonly Option<string> prompt = new("--prompt") { Description = "Text to go on with", DefaultValueFactory = _ => "" };
    private readonly Option<int> tokens = new("--tokens") { Description = "The most tokens to write; the model may end the text before", DefaultValueFactory = _ => Standard.Tokens };
    private readonly Option<double> temperature = new("--temperature") { Description = "0: always the likeliest token; 1: as the model has it; between: likely tokens made likelier", DefaultValueFactory = _ => Standard.Temperature };
    private readonly Option<int> top = new("--top-k") { Description = "Draw from so many likeliest tokens; 0 for all", DefaultValueFactory = _ => Standard.TopK };
    private readonly Option<ulong> seed = new("--seed") { Description = "Seed of every draw: the same seed writes the same text", DefaultValueFactory = _ => Standard.Seed };
    private readonly Option<int> threads = new("--threads") { Description = "Threads of the engine; the text does not depend on it", DefaultValueFactory = _ => Environment.ProcessorCount };
    private readonly Option<string?> json = new("--json") { Description = "Write text, tokens and settings to this file as JSON" };

    public static Command Create()
    {
        var generate = new GenerateCommand();
        var command = new Command("generate", "Let a pretrained language model write: the quickest way to see what it has learnt")
        {
            generate.model, generate.direction, generate.prompt, generate.tokens, generate.temperature, generate.top, generate.seed, generate.threads, generate.json,
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
        int threadCount = parsed.GetValue(threads);
        if (options.Tokens < 1 || options.TopK < 0 || !(options.Temperature >= 0) || !double.IsFinite(options.Temperature) || threadCount < 1)
        {
            throw new UsageException("--tokens and --threads must be at least 1, --top-k and --temperature at least 0.");
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
            Print(written);
            Reports.WriteJson(parsed.GetValue(json), new GenerateReport(
                given, written.Text, written.Tokens, written.Written, written.UnknownInPrompt, written.Ended, written.MeanLogProbability,
                chosen, options.Temperature, options.TopK, options.Seed, pretrained.Digest));
        }

        return ExitCodes.Done;
    }

    private static void Print(GeneratedText written)
    {
        // The words are the vocabulary's, and that may be anybody's: no control characters but line ends reach the terminal.
        Console.WriteLine(string.Concat(written.Text.Where(c => c == '\n' || !char.IsControl(c))));
        string ending = written.Ended ? "the model ended the text" : "cut off";
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{written.Written} tokens, {ending}; perplexity {Math.Exp(-written.MeanLogProbability ?? 0):F1} by its own probabilities"));
        if (written.UnknownInPrompt > 0)
        {
            Console.Error.WriteLine($"{written.UnknownInPrompt} words of the prompt are not in the model's vocabulary; it reads <unk> for each.");
        }
    }
}
