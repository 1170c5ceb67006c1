using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Ulmfit.Cli.Terminal;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>What a learning-rate range test found, in machine-readable form.</summary>
internal sealed record LearningRateReport(
    string Phase, Direction Direction, double? Suggestion, double? Steepest, double? Valley, IReadOnlyList<LearningRatePoint> Points);

/// <summary><c>ulmfit lr-find</c>: a learning-rate range test on a copy of the weights that training would start with.</summary>
internal sealed class LearningRateCommand
{
    private const string LanguageModel = "lm";
    private const string Classifier = "classifier";

    private readonly TrainingInputs inputs = new();
    private readonly Option<string> phase = new("--phase") { Description = "What is to be trained: lm or classifier", HelpName = "lm|classifier", DefaultValueFactory = _ => Classifier };
    private readonly Option<int> steps = new("--steps") { Description = "Steps from the lowest rate to the highest, at least 20", HelpName = "N", DefaultValueFactory = _ => new LearningRateRangeTest().Steps };
    private readonly JsonOption json = JsonOption.WithFile("every step and what was found");

    public static Command Create()
    {
        var find = new LearningRateCommand();
        var command = new DocumentedCommand(
            "lr-find",
            "Find a learning rate by a range test",
            "The rate rises from step to step on a copy of the weights, and the loss tells where it learns fastest. The suggestion goes into languageModel.learningRate or classifier.learningRate of the settings.",
            "ulmfit lr-find --data train.csv --phase classifier",
            "ulmfit lr-find --data train.csv --phase lm --direction forward --json points.json");
        find.inputs.AddTo(command, find.phase, find.steps, find.json.Option);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => find.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        string name = parsed.GetRequiredValue(phase);
        StageKind kind = name switch
        {
            LanguageModel => StageKind.LanguageModel,
            Classifier => StageKind.Classifier,
            _ => throw new UsageException($"--phase '{name}' is not known: choose {LanguageModel} or {Classifier}."),
        };
        int stepCount = parsed.GetValue(steps);
        if (stepCount < 20)
        {
            throw new UsageException("--steps must be at least 20: the first tenth and the last five do not count.");
        }

        TrainingSettings settings = inputs.SettingsOf(parsed);
        if (kind == StageKind.Classifier && settings.Method == Method.Features)
        {
            throw new UsageException("With --method features the classifier is fitted, and has no learning rate to find.");
        }

        if (kind == StageKind.LanguageModel)
        {
            settings = settings with { LanguageModel = settings.LanguageModel with { FineTune = true } };
        }

        Screen screen = json.Open(parsed);
        LoadedInputs loaded = inputs.Load(parsed, settings, screen);
        Direction direction = settings.Directions.Each()[0];
        ITrainingEngine engine = inputs.CreateEngine(parsed);
        using (engine as IDisposable)
        {
            var training = new DirectionTraining(engine, loaded.Data, settings, direction, loaded.Pretrained, loaded.From);
            LearningRateRange found = Find(training, kind, stepCount, screen, cancellationToken);
            Print(screen, found);
            string setting = kind == StageKind.LanguageModel ? "languageModel.learningRate" : "classifier.learningRate";
            screen.Line(found.Valley is double valley
                ? string.Create(CultureInfo.InvariantCulture, $"suggestion for {setting}: {valley:G2} (middle of the valley); steepest at {found.Steepest:G2}")
                : "no suggestion: the loss does not fall");
            json.Write(parsed, new LearningRateReport(name, direction, found.Valley, found.Steepest, found.Valley, found.Points));
        }

        return ExitCodes.Done;
    }

    private static LearningRateRange Find(DirectionTraining training, StageKind kind, int steps, Screen screen, CancellationToken cancellationToken)
    {
        LearningRateRange? found = null;
        ProgressDisplay.Show(screen, display =>
        {
            var clock = Stopwatch.StartNew();
            var progress = new StepProgress(step => display.Report(new WorkProgress(
                "lr-find",
                [new Lane("range test", step.Stage, step.Stage, step.Step, steps, step.Loss, step.LearningRate, step.TokensPerSecond)],
                (double)step.Step / steps,
                step.Step > 0 ? clock.Elapsed / step.Step * (steps - step.Step) : null)));
            found = training.FindLearningRate(kind, new LearningRateRangeTest { Steps = steps }, progress, cancellationToken);
        });
        return found!;
    }

    private static void Print(Screen screen, LearningRateRange found)
    {
        const int Lines = 20;
        var table = new Table().Border(TableBorder.Simple);
        foreach (string heading in (string[])["learning rate", "loss", "smoothed"])
        {
            table.AddColumn(new TableColumn(heading).RightAligned());
        }

        int every = Math.Max(1, found.Points.Count / Lines);
        foreach (LearningRatePoint point in found.Points.Where((_, i) => i % every == 0 || i == found.Points.Count - 1))
        {
            string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
            table.AddRow(Text(point.LearningRate, "E2"), Text(point.Loss, "F4"), Text(point.SmoothedLoss, "F4"));
        }

        screen.Write(table);
    }
}
