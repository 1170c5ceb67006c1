using System.CommandLine;
using System.CommandLine.Invocation;
using Ulmfit.Cli.Terminal;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary><c>ulmfit compare</c>: the paper's ablations, and any other choice of presets, on one data set with several seeds.</summary>
internal sealed class CompareCommand
{
    private const string Everything = "all";
    private const string Usual = "usual";

    private readonly ComparisonInputs inputs = new("comparison");
    private readonly Option<string> presets = new("--presets") { Description = "What is compared, parted by commas: presets, groups of them, usual or all; --list tells which there are", HelpName = "NAMES", DefaultValueFactory = _ => Usual };

    private readonly Option<bool> list;

    private CompareCommand() => list = new("--list") { Description = "Tell the presets and train nothing", Action = new ListPresets(inputs.Json) };

    public static Command Create()
    {
        var compare = new CompareCommand();
        var command = new DocumentedCommand(
            "compare",
            "Train and test variants of the method, with several seeds each",
            "The variants are the paper's ablations and others: docs/comparing.md. Nothing is trained twice, and the same command goes on after an interruption.",
            "ulmfit compare --list",
            "ulmfit compare --data train.csv --test test.csv --seeds 1,2,3 --presets usual,directions --out runs --markdown runs.md");
        compare.inputs.AddTo(command, compare.presets, compare.list);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => compare.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private static ComparisonPreset[] Named(string list)
    {
        IEnumerable<ComparisonPreset> Of(string name)
        {
            ComparisonPreset[] found = name == Usual
                ? [.. ComparisonPreset.Usual.Select(usual => ComparisonPreset.All.Single(preset => preset.Name == usual))]
                : [.. ComparisonPreset.All.Where(preset => name == Everything || preset.Name == name || preset.Group == name)];
            return found.Length > 0 ? found : throw new UsageException(
                $"--presets: '{name}' is not known. Presets: {string.Join(", ", ComparisonPreset.All.Select(preset => preset.Name))}. Groups: {string.Join(", ", ComparisonPreset.All.Select(preset => preset.Group).Distinct())}, {Usual}, {Everything}.");
        }

        return [.. ComparisonInputs.Parts("--presets", list).SelectMany(Of).Distinct()];
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        ComparisonPreset[] chosen = Named(parsed.GetRequiredValue(presets));
        Screen screen = inputs.Json.Open(parsed);
        ITrainingEngine engine = inputs.CreateEngine(parsed);
        using (engine as IDisposable)
        {
            LoadedComparison loaded = inputs.Load(parsed, screen);
            TrainingData data = loaded.Data(loaded.Settings);
            TrainingSettings common = ComparisonPreset.InCommon(loaded.Settings, loaded.Pretrained?.Config, data.Train.Count, data.LanguageModelTexts.Sum(text => (long)text.Length));
            if (loaded.Pretrained is PretrainedModel start && TrainingSettings.SizeOf(start.Config) is null)
            {
                screen.Line($"the pretrained model has no size that random weights can have: rows without pretraining are of size {common.Size.ToString().ToLowerInvariant()}");
            }

            // Seed by seed: every preset has a first measurement early.
            Experiment[] experiments = [.. loaded.Seeds.SelectMany(seed => chosen.Select(preset =>
            {
                TrainingSettings settings = preset.Apply(common with { Seed = seed }, data.Train.Count);
                return loaded.Experiment(preset.Name, settings, () => loaded.Data(settings));
            }))];
            ComparisonSubject subject = loaded.Subject(engine, common);
            ComparisonReport ReportOf(IReadOnlyList<ExperimentResult> results) => new(
                results.Count == experiments.Length, subject,
                [.. chosen.Select((preset, row) => new ComparisonRow(
                    preset.Name, preset.Group, preset.Description, experiments[row].Settings, preset.PaperError,
                    new Measurements(results.Where((_, index) => index % chosen.Length == row))))]);
            IReadOnlyList<ExperimentResult> all = inputs.CreateRunner(parsed, engine, loaded, screen).Run(
                experiments, results => inputs.Write(parsed, ReportOf(results), ReportOf(results).ToMarkdown()), cancellationToken);
            ComparisonReport report = ReportOf(all);
            screen.Line();
            screen.Line(report.Summary().ToString().TrimEnd());
            inputs.Json.Write(parsed, report);
            return all.All(result => result.Failure is null) ? ExitCodes.Done : ExitCodes.Failed;
        }
    }

    /// <summary>Tells the presets; nothing else needs to be given for that.</summary>
    private sealed class ListPresets(JsonOption json) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            Screen screen = json.Open(parseResult);
            json.Write(parseResult, ComparisonPreset.All.Select(preset => new { preset.Name, preset.Group, preset.Description, preset.PaperError, Usual = ComparisonPreset.Usual.Contains(preset.Name) }).ToArray());
            foreach (IGrouping<string, ComparisonPreset> group in ComparisonPreset.All.GroupBy(preset => preset.Group))
            {
                screen.Line($"{group.Key}:");
                foreach (ComparisonPreset preset in group)
                {
                    screen.Line($"  {preset.Name,-18}  {preset.Description}{(preset.PaperError is string error ? $" (paper's error, %: {error})" : "")}");
                }
            }

            screen.Line($"{Usual}, when nothing is named: {string.Join(",", ComparisonPreset.Usual)}");
            screen.Line("The paper's errors are those of IMDb / TREC-6 / AG News.");
            return ExitCodes.Done;
        }
    }
}
