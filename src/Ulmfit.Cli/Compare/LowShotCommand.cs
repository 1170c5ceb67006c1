using System.CommandLine;
using System.Globalization;
using Ulmfit.Cli.Terminal;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary><c>ulmfit lowshot</c>: test error against the number of labels (Howard &amp; Ruder 2018, 5, "Low-shot learning").</summary>
internal sealed class LowShotCommand
{
    private const string All = "all";
    private const string Scratch = "scratch";

    private readonly ComparisonInputs inputs = new("lowshot");
    private readonly Option<string> labels = new("--labels") { Description = "Numbers of labelled rows, parted by commas; all for every row", HelpName = "N,N,…", DefaultValueFactory = _ => $"20,50,100,200,500,1000,{All}" };
    private readonly Option<bool> semiSupervised = new("--semi-supervised") { Description = "Also fine-tune the language model on all texts of --data, and on those of --unlabeled, which brings this with it" };
    private readonly Option<bool> selfTraining = new("--self-training") { Description = "Also train again from the semi-supervised language model, on the labelled texts and the half of the others that the supervised and the semi-supervised classifier, reading in both directions, are surest of; brings --semi-supervised with it" };
    private readonly Option<SampleKind> sample = new("--sample") { Description = "Which rows are labelled: random ones, or representative ones, which stand for the others as those of 'ulmfit select' do", HelpName = "random|representative", DefaultValueFactory = _ => SampleKind.Random };
    private readonly Option<string?> svg = new("--svg") { Description = "Draw the test error over the number of labels to this file, after every run", HelpName = "FILE" };

    public static Command Create()
    {
        var lowShot = new LowShotCommand();
        var command = new DocumentedCommand(
            "lowshot",
            "Train on few labels and on more: the test error against their number",
            "It tells how many labels are worth making: supervised, from scratch and, with --semi-supervised or --self-training, with what other texts teach. The same command goes on after an interruption.",
            "ulmfit lowshot --data train.csv --test test.csv --labels 20,50,100,200,all --seeds 1,2,3 --self-training --out runs --svg curve.svg");
        lowShot.inputs.AddTo(command, lowShot.labels, lowShot.semiSupervised, lowShot.selfTraining, lowShot.sample, lowShot.svg);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => lowShot.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        Screen screen = inputs.Json.Open(parsed);
        ITrainingEngine engine = inputs.CreateEngine(parsed);
        using (engine as IDisposable)
        {
            LoadedComparison loaded = inputs.Load(parsed, screen);
            TrainingSettings settings = loaded.Pretrained is PretrainedModel start ? loaded.Settings with { Size = TrainingSettings.SizeOf(start.Config) ?? loaded.Settings.Size } : loaded.Settings;
            IReadOnlyList<LabeledRow> rows = loaded.Texts.Selection.Train;
            string[] classes = [.. rows.Select(row => row.Label)];
            int[] sizes = Sizes(parsed.GetRequiredValue(labels), new StratifiedSample(classes, loaded.Seeds[0]).Classes, rows.Count);
            bool again = parsed.GetValue(selfTraining), withUnlabeled = again || parsed.GetValue(semiSupervised) || loaded.Texts.Selection.Unlabeled.Count > 0;
            Way[] ways = [.. Ways(loaded).Where(way => (withUnlabeled || !way.IsSemiSupervised) && (again || way.Teachers.Count == 0))];
            SampleKind kind = parsed.GetValue(sample);
            RepresentativeTexts? texts = kind == SampleKind.Representative ? RepresentativeOf(rows, loaded, engine, cancellationToken) : null;
            (Way Way, int Labels, Experiment Experiment)[] experiments =
            [
                .. from seed in loaded.Seeds
                   let random = new StratifiedSample(classes, seed)
                   from size in sizes
                   let chosen = texts is null || size == rows.Count ? random.Rows(size) : [.. texts.Choose(size, seed).Order()]
                   from way in ways
                   select (way, size, ExperimentOf(way, loaded, settings with { Seed = seed }, chosen)),
            ];
            ComparisonSubject subject = loaded.Subject(engine, settings);
            LowShotReport ReportOf(IReadOnlyList<ExperimentResult> results) => new(
                results.Count == experiments.Length, subject, kind, classes.Distinct(StringComparer.Ordinal).Count(),
                [.. ways.Select(way => new LowShotSeries(way.Name, way.Description, [.. experiments.Zip(results)
                    .Where(pair => pair.First.Way == way)
                    .GroupBy(pair => pair.First.Labels, pair => pair.Second)
                    .Select(point => new LowShotPoint(point.Key, new Measurements(point)))]))]);
            IReadOnlyList<ExperimentResult> all = inputs.CreateRunner(parsed, engine, loaded, screen).Run(
                [.. experiments.Select(experiment => experiment.Experiment)],
                results =>
                {
                    LowShotReport report = ReportOf(results);
                    inputs.Write(parsed, report, report.ToMarkdown());
                    ComparisonInputs.WriteText(parsed.GetValue(svg), report.ToSvg());
                },
                cancellationToken);
            LowShotReport last = ReportOf(all);
            screen.Line();
            screen.Line(last.Summary().ToString().TrimEnd());
            inputs.Json.Write(parsed, last);
            return all.All(result => result.Failure is null) ? ExitCodes.Done : ExitCodes.Failed;
        }
    }

    private static RepresentativeTexts RepresentativeOf(IReadOnlyList<LabeledRow> rows, LoadedComparison loaded, ITrainingEngine engine, CancellationToken cancellationToken) => loaded.Pretrained is PretrainedModel pretrained
        ? RepresentativeTexts.Read(engine, pretrained, [.. rows.Select(row => row.Text)], cancellationToken)
        : throw new UsageException("--sample representative: a pretrained language model chooses the rows, but there is none; name one with --pretrained.");

    private static Experiment ExperimentOf(Way way, LoadedComparison loaded, TrainingSettings settings, IReadOnlyList<int> chosen)
    {
        TrainingSettings own = way.Apply(settings);
        Experiment experiment = loaded.Experiment(string.Create(CultureInfo.InvariantCulture, $"{way.Name}, {chosen.Count} labels"), own, () => way.Data(own, chosen));
        var labeled = chosen.ToHashSet();
        string[] others = [.. loaded.Texts.Selection.Train.Where((_, row) => !labeled.Contains(row)).Select(row => row.Text), .. loaded.Texts.Selection.Unlabeled];
        return way.Teachers.Count == 0 || others.Length == 0
            ? experiment
            : experiment with { Teachers = new Teachers([.. way.Teachers.Select(teacher => ExperimentOf(teacher, loaded, SettingsOfTeachers(loaded, settings), chosen))], others) };
    }

    // Two that read in opposite directions know more together than one of them, whichever way the student reads.
    private static TrainingSettings SettingsOfTeachers(LoadedComparison loaded, TrainingSettings settings) =>
        loaded.Pretrained is { Backward: null } ? settings : settings with { Directions = Directions.Both };

    private static Way[] Ways(LoadedComparison loaded)
    {
        (IReadOnlyList<LabeledRow> rows, IReadOnlyList<LabeledRow> heldOut, _, _, _) = loaded.Texts.Selection;
        TrainingData OfSample(TrainingSettings settings, IReadOnlyList<int> chosen) =>
            TrainingData.Prepare([.. chosen.Select(row => rows[row])], heldOut, [], settings, loaded.StartOf(settings)?.Vocabulary);
        TrainingData OfAll(TrainingSettings settings, IReadOnlyList<int> chosen) => loaded.Data(settings).WithLabelsOf([.. chosen]);
        ComparisonPreset scratch = ComparisonPreset.All.Single(preset => preset.Name == Scratch);
        Way supervised = new("supervised", "the language model is fine-tuned on the labelled texts alone", settings => settings, OfSample);
        Way semiSupervised = new("semi-supervised", "the language model is fine-tuned on all texts, the classifier on the labelled ones", settings => settings, OfAll) { IsSemiSupervised = true };
        return
        [
            supervised,
            semiSupervised,
            new("self-training", "from that language model once more, on the half of the other texts too that the two classifiers above, reading in both directions, are surest of, labelled by them", settings => settings, OfAll)
            {
                IsSemiSupervised = true, Teachers = [supervised, semiSupervised],
            },
            new(scratch.Name, scratch.Description, settings => scratch.Apply(settings, rows.Count), OfSample),
        ];
    }

    private static int[] Sizes(string list, int classes, int rows)
    {
        int Size(string part) => part == All ? rows
            : !int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? throw new UsageException($"--labels: '{part}' is no number of rows; give whole numbers, or {All}.")
            : size < classes ? throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--labels: {size} is too few for {classes} classes, each of which needs a row."))
            : size > rows ? throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--labels: {size} is more than the {rows} rows that there are to train on; give {All} for these."))
            : size;
        return [.. ComparisonInputs.Parts("--labels", list).Select(Size).Distinct().Order()];
    }

    /// <summary>A way of training on a sample.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Description">What is done.</param>
    /// <param name="Apply">Its settings.</param>
    /// <param name="Data">What it is trained on, of settings and the rows that are labelled.</param>
    private sealed record Way(string Name, string Description, Func<TrainingSettings, TrainingSettings> Apply, Func<TrainingSettings, IReadOnlyList<int>, TrainingData> Data)
    {
        /// <summary>Whether it reads texts without labels.</summary>
        public bool IsSemiSupervised { get; init; }

        /// <summary>Whose models label the texts that have no class; nobody's where there are none.</summary>
        public IReadOnlyList<Way> Teachers { get; init; } = [];
    }
}
