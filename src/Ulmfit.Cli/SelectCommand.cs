using System.CommandLine;
using System.Text;
using Ulmfit.Cli.Terminal;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>What <c>--json</c> gets.</summary>
internal sealed record SelectReport(int Texts, ulong Seed, string Digest, IReadOnlyList<string> Selected);

/// <summary><c>ulmfit select</c>: chooses the texts that are worth a label first.</summary>
internal sealed class SelectCommand
{
    private readonly Option<string> data = new("--data") { Description = "Texts, with labels or without: .txt, .jsonl, .csv or .tsv, also .gz", HelpName = "FILE", Required = true };
    private readonly Option<int> labels = new("--labels") { Description = "How many texts are to be labelled", HelpName = "N", DefaultValueFactory = _ => 100 };
    private readonly Option<string> output = new("--out") { Description = "New .csv file for them, with an empty label column", HelpName = "FILE", DefaultValueFactory = _ => "to-label.csv" };
    private readonly Option<string> pretrained = new("--pretrained") { Description = "Pretrained language model that reads the texts: the name of one that ships with the program, or a folder", HelpName = "NAME|DIR", DefaultValueFactory = _ => PretrainedLibrary.English };
    private readonly Option<ulong> seed = new("--seed") { Description = "Seed of the choice: another seed chooses others", HelpName = "N", DefaultValueFactory = _ => TrainingSettings.Default.Seed };
    private readonly ThreadsOption threads = new();
    private readonly JsonOption json = JsonOption.WithFile("the chosen texts");

    public static Command Create()
    {
        var select = new SelectCommand();
        var command = new DocumentedCommand(
            "select",
            "Choose the texts that are worth a label first",
            "A pretrained language model reads all texts and sorts them into clusters, as many as are to be labelled; the text in the middle of each stands for it. The first in the file stands for the most. Labels on such texts can teach more than on random ones: docs/comparing.md.",
            "ulmfit select --data tickets.csv --labels 100 --out to-label.csv")
        {
            select.data, select.labels, select.output, select.pretrained, select.seed, select.threads.Option, select.json.Option,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() => select.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        Screen screen = json.Open(parsed);
        string source = parsed.GetRequiredValue(data), target = parsed.GetRequiredValue(output);
        int wanted = parsed.GetValue(labels), threadCount = threads.Of(parsed);
        if (File.Exists(target))
        {
            throw new UsageException($"'{target}' is there already, and labels may have been written into it: name another file with --out.");
        }

        // Each text once, and in an order that follows from the texts alone: the same texts give the same choice.
        string[] texts = [.. DatasetSelection.Of([], UnlabeledFiles.Read(source), 0).Unlabeled];
        if (wanted < 1 || wanted > texts.Length)
        {
            throw new UsageException($"--labels: {wanted} of {texts.Length} different texts cannot be chosen; give a number from 1 to {texts.Length}.");
        }

        PretrainedModel model = PretrainedDirectory.Load(parsed.GetRequiredValue(pretrained));
        ulong chosenSeed = parsed.GetValue(seed);
        ITrainingEngine engine = Engines.Create(Engines.Names[0], threadCount);
        string[] selected;
        screen.Note($"reading {texts.Length} texts");
        using (engine as IDisposable)
        {
            selected = [.. RepresentativeTexts.Read(engine, model, texts, cancellationToken).Choose(wanted, chosenSeed).Select(row => texts[row])];
        }

        ModelDirectory.WriteWhole(target, stream => stream.Write(Encoding.UTF8.GetBytes(Table(selected))));
        screen.Line($"{selected.Length} of {texts.Length} texts are in {target}: write the label of each into its column, then train with 'ulmfit train --data {target} --unlabeled {source}'");
        json.Write(parsed, new SelectReport(texts.Length, chosenSeed, model.Digest, selected));
        return ExitCodes.Done;
    }

    // RFC 4180. The byte order mark tells spreadsheets that it is UTF-8.
    private static string Table(IEnumerable<string> texts) =>
        string.Concat(texts.Select(text => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\",\r\n").Prepend("\uFEFFtext,label\r\n"));
}
