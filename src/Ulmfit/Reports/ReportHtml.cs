using System.Globalization;
using System.Text;
using System.Text.Json;
using Ulmfit.Metrics;
using Ulmfit.Training;

namespace Ulmfit.Reports;

/// <summary>
/// A report as one page that needs nothing else: no script, no other file, no network. Texts and labels are whatever
/// strangers wrote; all of them are escaped, and the page forbids itself to load or run anything should one get through.
/// </summary>
public static class ReportHtml
{
    private const int PairsShown = 15;

    /// <summary>
    /// What the page may do, as a content security policy. A server adds to its header what a page cannot say of itself:
    /// <c>frame-ancestors</c> and <c>sandbox</c>.
    /// </summary>
    public static string ContentSecurityPolicy { get; } = $"default-src 'none'; style-src {ReportStyle.Source}; base-uri 'none'; form-action 'none'";

    /// <summary>The page in UTF-8; equal reports give equal bytes.</summary>
    /// <param name="report">The report.</param>
    public static byte[] Of(TrainingReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var to = new MarkupWriter();
        to.Raw("<!DOCTYPE html>\n");
        using (to.Open("html", ("lang", "en")))
        {
            using (to.Open("head"))
            {
                to.Void("meta", ("charset", "utf-8"));
                to.Void("meta", ("http-equiv", "Content-Security-Policy"), ("content", ContentSecurityPolicy));
                to.Void("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
                to.Void("meta", ("name", "referrer"), ("content", "no-referrer"));
                to.Element("title", "Training report: " + MarkupText.OneLine(report.Name));
                using (to.Open("style"))
                {
                    to.Raw(ReportStyle.Sheet);
                }
            }

            to.Line();
            using (to.Open("body"))
            {
                WriteBody(to, report);
            }
        }

        to.Line();
        return Encoding.UTF8.GetBytes(to.ToString());
    }

    private static void WriteBody(MarkupWriter to, TrainingReport report)
    {
        RowScores[] scores = [.. report.Scores.Where(scores => scores.Metrics.Count > 0)];
        DirectionReport[] directions = [.. report.Directions.Where(direction => direction.Epochs.Count > 0)];
        using (to.Open("header"))
        {
            WriteHeader(to, report, scores, directions);
        }

        to.Line();
        using (to.Open("main"))
        {
            for (int i = 0; i < scores.Length; i++)
            {
                WriteScores(to, report, scores[i], i);
            }

            if (scores.Length == 0)
            {
                Section(to, "scores-1", "Scores", () => to.Element("p", "No row was held out and no test rows were given: nothing was measured."));
            }

            foreach (DirectionReport direction in directions)
            {
                Section(to, IdOf(direction), $"Training, {NameOf(direction)}", () => WriteDirection(to, direction));
            }

            WriteFacts(to, report, scores);
        }

        to.Element("footer", "Written by Serverless ULMFiT. Losses are mean cross-entropies in nats. Point at a chart or a cell for its numbers; report.json beside this page has all of them.");
    }

    private static void WriteHeader(MarkupWriter to, TrainingReport report, RowScores[] scores, DirectionReport[] directions)
    {
        using (to.Open("h1"))
        {
            to.Text("Training report: ");
            to.Foreign(report.Name);
        }

        string[] facts =
        [
            .. report.Run is string run ? new[] { $"run {run}" } : [],
            .. report.StartedAt is DateTimeOffset started ? new[] { string.Create(CultureInfo.InvariantCulture, $"begun {started.UtcDateTime:yyyy-MM-dd HH:mm} UTC") } : [],
            .. report.Engine is string engine ? new[] { $"engine {engine}" } : [],
            .. directions.Length > 0 ? new[] { string.Join(" and ", directions.Select(NameOf)) } : [],
        ];
        to.Element("p", string.Join(" · ", facts), ("class", "soft"));
        if (report.Outcome is ReportOutcome outcome)
        {
            using (to.Open("p"))
            {
                to.Element("span", outcome.ModelVersion is int version ? string.Create(CultureInfo.InvariantCulture, $"{outcome.Status}, version {version}") : outcome.Status, ("class", "tag"));
                to.Text(outcome.Decision is string decision ? $": {decision}" : "");
            }
        }

        using (to.Open("dl", ("class", "tiles")))
        {
            if (scores.Length > 0)
            {
                ClassificationMetrics metrics = scores[0].Metrics;
                Tile(to, "Accuracy", Share(metrics.Accuracy), string.Create(CultureInfo.InvariantCulture, $"{metrics.Count:N0} {NameOf(scores[0].Rows)} rows"));
                Tile(to, "Macro-F1", Number(metrics.MacroF1, "F3"), string.Create(CultureInfo.InvariantCulture, $"{metrics.PerClass.Count} classes"));
                Tile(to, "Log loss", Number(metrics.LogLoss, "F3"), "nats; 0 is certain and right");
                Tile(to, "Calibration error", Share(scores[0].Calibration.ExpectedError), "expected; 0 is as sure as right");
            }

            if (report.Data is ReportData data)
            {
                Tile(to, "Trained on", string.Create(CultureInfo.InvariantCulture, $"{data.TrainRows:N0}"), "labelled rows");
            }

            if (directions.Length > 0)
            {
                Tile(to, "Training took", Duration(report.Seconds), string.Create(CultureInfo.InvariantCulture, $"{directions.Sum(direction => direction.Epochs.Count)} epochs"));
            }
        }

        using (to.Open("nav", ("aria-label", "Sections")))
        using (to.Open("ul"))
        {
            (string Id, string Title)[] sections =
            [
                .. scores.Select((one, i) => ($"scores-{i + 1}", TitleOf(one))),
                .. directions.Select(direction => (IdOf(direction), $"Training, {NameOf(direction)}")),
                ("facts", "Settings and data"),
            ];
            foreach ((string id, string title) in sections)
            {
                using (to.Open("li"))
                {
                    to.Element("a", title, ("href", "#" + id));
                }
            }
        }
    }

    private static void WriteScores(MarkupWriter to, TrainingReport report, RowScores scores, int index) =>
        Section(to, $"scores-{index + 1}", TitleOf(scores), () =>
        {
            ClassificationMetrics metrics = scores.Metrics;
            using (to.Open("p"))
            {
                to.Text(string.Create(CultureInfo.InvariantCulture, $"Of {metrics.Count:N0} rows "));
                if (scores.Source is string source)
                {
                    to.Text("of ");
                    to.Foreign(source);
                    to.Text(" ");
                }

                to.Text(string.Create(CultureInfo.InvariantCulture, $"{Share(metrics.Accuracy)} are classified rightly; macro-F1 {metrics.MacroF1:F3}, log loss {metrics.LogLoss:F3}."));
                if (report.Data is { TrainRows: > 0 } data && data.Classes.MaxBy(row => row.Train) is ClassRows most)
                {
                    int support = metrics.PerClass.FirstOrDefault(row => row.Label == most.Label)?.Support ?? 0;
                    to.Text(" Always answering ");
                    to.Foreign(most.Label);
                    to.Text($", the most frequent label, would get {Share((double)support / metrics.Count)} right.");
                }
            }

            using (to.Open("div", ("class", "beside")))
            {
                WriteMatrix(to, metrics);
                WritePairs(to, metrics);
            }

            WriteClasses(to, report, metrics);
            WriteCalibration(to, scores.Calibration, scores.Rows == RowsKind.HeldOut ? report.Calibration : null);
            WriteHardest(to, scores);
        });

    private static void WriteMatrix(MarkupWriter to, ClassificationMetrics metrics)
    {
        using (to.Open("div"))
        {
            to.Element("h3", "Confusion matrix");
            using (to.Open("figure"))
            {
                using (to.Open("div", ("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", "Confusion matrix")))
                {
                    ConfusionPlot.WriteTo(to, metrics);
                }

                to.Element("figcaption", "A cell says how many rows of the class on the left were given the label above. The shade is their share of that class: blue is right, orange is wrong.");
            }
        }

        to.Line();
    }

    private static void WritePairs(MarkupWriter to, ClassificationMetrics metrics)
    {
        (ClassMetrics True, ClassMetrics Predicted, int Count)[] pairs =
        [
            .. metrics.ConfusionMatrix
                .SelectMany((row, i) => row.Select((count, j) => (True: metrics.PerClass[i], Predicted: metrics.PerClass[j], Count: count, Wrong: i != j)))
                .Where(pair => pair.Wrong && pair.Count > 0)
                .OrderByDescending(pair => pair.Count)
                .Take(PairsShown)
                .Select(pair => (pair.True, pair.Predicted, pair.Count)),
        ];
        if (metrics.PerClass.Count < 3 || pairs.Length == 0)
        {
            return;
        }

        using MarkupWriter.Scope box = to.Open("div");
        to.Element("h3", "Most frequent confusions");
        Table(to, "pairs", "Pairs of classes with the most errors", ["True class", "Predicted", "Rows", "Of the class"], 2, () =>
        {
            foreach ((ClassMetrics actual, ClassMetrics predicted, int count) in pairs)
            {
                using (to.Open("tr"))
                {
                    RowHead(to, actual.Label);
                    using (to.Open("td", ("class", "words")))
                    {
                        to.Foreign(predicted.Label);
                    }

                    Cells(to, Count(count), Share((double)count / actual.Support));
                }
            }
        });
    }

    private static void WriteClasses(MarkupWriter to, TrainingReport report, ClassificationMetrics metrics)
    {
        to.Element("h3", "Classes");
        Dictionary<string, int>? train = report.Data?.Classes.ToDictionary(row => row.Label, row => row.Train, StringComparer.Ordinal);
        string[] heads = ["Class", "F1", "", "Precision", "Recall", "Rows", .. train is null ? Array.Empty<string>() : ["Trained on"]];
        Table(to, "classes", "Precision: how many that were given the label have it. Recall: how many that have it were given it. F1: their harmonic mean.", heads, 1, () =>
        {
            foreach (ClassMetrics row in metrics.PerClass)
            {
                using (to.Open("tr"))
                {
                    RowHead(to, row.Label);
                    Cells(to, Number(row.F1, "F3"));
                    using (to.Open("td", ("class", "meter")))
                    using (to.Open("svg", ("viewBox", "0 0 80 12"), ("aria-hidden", "true")))
                    {
                        to.Void("rect", ("class", "track"), ("width", 80), ("height", 12), ("rx", 2));
                        to.Void("rect", ("class", "fill"), ("width", 80 * row.F1), ("height", 12), ("rx", 2));
                    }

                    Cells(to, Number(row.Precision, "F3"), Number(row.Recall, "F3"), Count(row.Support));
                    if (train is not null)
                    {
                        Cells(to, Count(train.GetValueOrDefault(row.Label)));
                    }
                }
            }
        });
    }

    private static void WriteCalibration(MarkupWriter to, Calibration calibration, CalibrationFit? fit)
    {
        to.Element("h3", "Calibration");
        to.Element("p", string.Create(
            CultureInfo.InvariantCulture,
            $"The probabilities are off by {Share(calibration.ExpectedError)} on average (expected calibration error over {calibration.Bins.Count} bins), and by {Share(calibration.MaximumError)} in the worst bin. Below the diagonal the model is too sure of itself."));
        if (fit is not null)
        {
            WriteTemperature(to, fit);
        }

        using (to.Open("div", ("class", "grid2")))
        {
            using (to.Open("figure"))
            {
                ReliabilityPlot.WriteTo(to, calibration);
            }

            Table(to, "bins", "Bins of the diagram", ["Confidence", "Rows", "On average", "Right"], 1, () =>
            {
                foreach (CalibrationBin bin in calibration.Bins)
                {
                    using (to.Open("tr"))
                    {
                        to.Element("th", string.Create(CultureInfo.InvariantCulture, $"{bin.Lower:0.##} to {bin.Upper:0.##}"), ("scope", "row"));
                        Cells(to, Count(bin.Count), bin.Count == 0 ? "–" : Share(bin.Confidence), bin.Count == 0 ? "–" : Share(bin.Accuracy));
                    }
                }
            });
        }
    }

    private static void WriteTemperature(MarkupWriter to, CalibrationFit fit)
    {
        to.Element("p", string.Create(
            CultureInfo.InvariantCulture,
            $"The probabilities are scaled by the temperature {fit.Temperature:0.####}, which was fitted to these {fit.Rows:N0} rows. Measured on the same rows that flatters a little, so each half of them is measured with the temperature of the other half, too. So many rows show an error of about {Share(fit.ErrorByChance)} even where every probability is right."));
        Table(to, "temperature", "What the temperature does", ["Probabilities", "Expected error", "Log loss"], 1, () =>
        {
            Row("as the network gives them", fit.Before.ExpectedError, fit.Before.LogLoss);
            Row("with the temperature, on the rows of its fit", fit.After.ExpectedError, fit.After.LogLoss);
            if (fit.CrossFitted is CrossFittedScores crossed)
            {
                Row("each half with the temperature of the other", crossed.ExpectedError, crossed.LogLoss);
            }
        });

        void Row(string name, double error, double loss)
        {
            using (to.Open("tr"))
            {
                to.Element("th", name, ("scope", "row"));
                Cells(to, Share(error), Number(loss, "F4"));
            }
        }
    }

    private static void WriteHardest(MarkupWriter to, RowScores scores)
    {
        if (scores.Hardest.Count == 0)
        {
            return;
        }

        to.Element("h3", "Hardest examples");
        to.Element("p", "The rows with the highest loss. Where the model is sure of something else, look whether the label is right.");
        using MarkupWriter.Scope list = to.Open("ol", ("class", "hardest"));
        foreach (HardExample example in scores.Hardest)
        {
            using (to.Open("li"))
            {
                to.Element("blockquote", example.Text, ("dir", "auto"));
                using (to.Open("p", ("class", "soft")))
                {
                    to.Text("true: ");
                    Tag(to, example.Label);
                    to.Text($" ({Share(example.LabelProbability)}) · predicted: ");
                    Tag(to, example.Predicted);
                    to.Text(string.Create(CultureInfo.InvariantCulture, $" ({Share(example.Probability)}) · loss {example.Loss:F2}"));
                }
            }

            to.Line();
        }
    }

    private static void WriteDirection(MarkupWriter to, DirectionReport direction)
    {
        foreach (StageKind kind in (StageKind[])[StageKind.LanguageModel, StageKind.Classifier])
        {
            EpochMetrics[] epochs = [.. direction.Epochs.Where(epoch => epoch.Kind == kind)];
            if (epochs.Length == 0)
            {
                continue;
            }

            bool lm = kind == StageKind.LanguageModel;
            to.Element("h3", lm ? "Language model" : "Classifier");
            using (to.Open("div", ("class", "grid2")))
            {
                Chart(to, lm ? "Loss of the language model" : "Loss of the classifier", EpochPlots.Loss(epochs));
                Chart(to, "Learning rate of the highest trained group", EpochPlots.LearningRate(epochs));
                Chart(to, lm ? "Perplexity after each epoch, held-out text" : "Held-out accuracy after each epoch", lm ? EpochPlots.Perplexity(epochs) : EpochPlots.Accuracy(epochs));
                WriteStages(to, direction, kind, epochs);
            }

            WriteEpochs(to, kind, epochs);
        }
    }

    private static void Chart(MarkupWriter to, string title, SvgPlot plot)
    {
        if (plot.Series.Any(series => series.Points.Count > 0))
        {
            using (to.Open("figure"))
            {
                to.Element("h4", title);
                plot.WriteTo(to);
            }

            to.Line();
        }
    }

    private static void WriteStages(MarkupWriter to, DirectionReport direction, StageKind kind, EpochMetrics[] epochs)
    {
        StageReport[] stages = [.. direction.Stages.Where(stage => stage.Kind == kind)];
        double highest = stages.SelectMany(stage => stage.Groups).Select(group => group.LearningRate).DefaultIfEmpty(0).Max();
        string[] heads = ["Parameter group", .. stages.Select(stage =>
        {
            int trained = epochs.Count(epoch => epoch.Stage == stage.Name);
            return string.Create(CultureInfo.InvariantCulture, $"{stage.Name}, {trained}{(trained == stage.Epochs ? "" : $" of {stage.Epochs}")} {(stage.Epochs == 1 ? "epoch" : "epochs")}");
        })];
        using MarkupWriter.Scope box = to.Open("div");
        to.Element("h4", "Unfreezing");
        Table(to, "stages", "Maximal learning rate of each group in each stage; – is frozen.", heads, 1, () =>
        {
            for (int group = stages[0].Groups.Count - 1; group >= 0; group--)
            {
                using (to.Open("tr"))
                {
                    RowHead(to, stages[0].Groups[group].Name);
                    foreach (GroupReport cell in stages.Select(stage => stage.Groups[group]))
                    {
                        to.Element("td", cell.Trained ? Rate(cell.LearningRate) : "–", ("class", cell.Trained ? ShadeOf(cell.LearningRate, highest) : "frozen"));
                    }
                }
            }
        });
    }

    // A shade for each factor of three below the highest rate.
    private static string ShadeOf(double rate, double highest) => "r" + Math.Clamp(4 - (int)Math.Round(Math.Log(highest / rate) / Math.Log(3)), 1, 4).ToString(CultureInfo.InvariantCulture);

    private static void WriteEpochs(MarkupWriter to, StageKind kind, EpochMetrics[] epochs)
    {
        bool lm = kind == StageKind.LanguageModel;
        to.Element("h4", "Epochs");
        string[] heads = lm
            ? ["Stage", "Epoch", "Rate at the end", "Training loss", "Held-out loss", "Perplexity", "Seconds"]
            : ["Stage", "Epoch", "Rate at the end", "Training loss", "Held-out loss", "Training accuracy", "Accuracy", "Macro-F1", "Seconds"];
        Table(to, "epochs", lm ? "Training losses are with dropout." : "Training losses and accuracies are with dropout; the others are of held-out rows.", heads, 1, () =>
        {
            foreach (EpochMetrics epoch in epochs)
            {
                using (to.Open("tr"))
                {
                    RowHead(to, epoch.Stage);
                    Cells(to, string.Create(CultureInfo.InvariantCulture, $"{epoch.Epoch}/{epoch.Epochs}"), Rate(epoch.LearningRate), Number(epoch.TrainLoss, "F3"), Number(epoch.HeldOutLoss, "F3"));
                    if (lm)
                    {
                        Cells(to, Number(epoch.Perplexity, "F1"));
                    }
                    else
                    {
                        Cells(to, Share(epoch.TrainAccuracy), Share(epoch.Accuracy), Number(epoch.MacroF1, "F3"));
                    }

                    Cells(to, Number(epoch.Seconds, "F1"));
                }
            }
        });
        if (epochs[^1].Restored is RestoredEpoch best)
        {
            to.Element("p", string.Create(CultureInfo.InvariantCulture, $"Early stopping: training went on with the weights of epoch {best.Epoch} of {best.Stage}, the best."), ("class", "soft"));
        }
    }

    private static void WriteFacts(MarkupWriter to, TrainingReport report, RowScores[] scores) => Section(to, "facts", "Settings and data", () =>
    {
        to.Element("h3", "Data and origin");
        Facts(to,
        [
            ("Rows trained on", report.Data is null ? null : Count(report.Data.TrainRows)),
            ("Rows held out", report.Data is null ? null : Count(report.Data.HeldOutRows)),
            ("Test rows", scores.FirstOrDefault(one => one.Rows == RowsKind.Test) is RowScores test ? Count(test.Metrics.Count) : null),
            ("Texts without label", report.Data is null ? null : Count(report.Data.UnlabeledTexts)),
            ("Classes", report.Data is null ? null : Count(report.Data.Classes.Count)),
            ("Vocabulary", report.Data is null ? null : Count(report.Data.VocabularySize) + " tokens"),
            ("Digest of the data", report.Data?.Digest),
            ("Start", report.Start switch
            {
                null => null,
                { Kind: StartKind.Random } => "random weights",
                { Kind: StartKind.Pretrained } start => $"pretrained language model {start.Name}",
                { } start => $"trained model {start.Name}",
            }),
            ("Digest of the start", report.Start?.Digest),
            ("Digest of the weights", report.WeightsDigest),
            ("Engine", report.Engine),
            ("Tokenizer", report.Tokenizer),
        ]);
        if (scores.Length == 0 && report.Data is ReportData data)
        {
            Table(to, "classes", "Classes", ["Class", "Trained on", "Held out"], 1, () =>
            {
                foreach (ClassRows row in data.Classes)
                {
                    using (to.Open("tr"))
                    {
                        RowHead(to, row.Label);
                        Cells(to, Count(row.Train), Count(row.HeldOut));
                    }
                }
            });
        }

        if (report.Settings is JsonElement settings)
        {
            to.Element("h3", "Settings");
            Facts(to, [.. Flatten("", settings)]);
        }
    });

    private static IEnumerable<(string Name, string? Value)> Flatten(string path, JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Flatten(path.Length == 0 ? member.Name : $"{path}.{member.Name}", member.Value)),
        JsonValueKind.Null => [],
        JsonValueKind.String => [(path, element.GetString())],
        _ => [(path, element.GetRawText())],
    };

    private static void Facts(MarkupWriter to, IReadOnlyList<(string Name, string? Value)> facts)
    {
        using (to.Open("table", ("class", "facts")))
        using (to.Open("tbody"))
        {
            foreach ((string name, string? value) in facts.Where(fact => fact.Value is not null))
            {
                using (to.Open("tr"))
                {
                    RowHead(to, name);
                    using (to.Open("td", ("class", name.StartsWith("Digest", StringComparison.Ordinal) ? "digest" : null)))
                    {
                        to.Foreign(value!);
                    }
                }
            }
        }
    }

    private static void Section(MarkupWriter to, string id, string title, Action content)
    {
        using (to.Open("section", ("id", id), ("aria-labelledby", id + "-title")))
        {
            to.Element("h2", title, ("id", id + "-title"));
            content();
        }

        to.Line();
    }

    private static void Table(MarkupWriter to, string style, string caption, string[] heads, int words, Action rows)
    {
        using (to.Open("div", ("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", caption)))
        using (to.Open("table", ("class", style)))
        {
            to.Element("caption", caption);
            using (to.Open("thead"))
            using (to.Open("tr"))
            {
                for (int i = 0; i < heads.Length; i++)
                {
                    // A column of bars has no name of its own: it shows the one before it.
                    if (heads[i].Length == 0)
                    {
                        to.Element("td", "");
                    }
                    else
                    {
                        to.Element("th", heads[i], ("scope", "col"), ("class", i < words ? "words" : null));
                    }
                }
            }

            using (to.Open("tbody"))
            {
                rows();
            }
        }

        to.Line();
    }

    private static void RowHead(MarkupWriter to, string label)
    {
        using (to.Open("th", ("scope", "row")))
        {
            to.Foreign(label);
        }
    }

    private static void Cells(MarkupWriter to, params ReadOnlySpan<string> texts)
    {
        foreach (string text in texts)
        {
            to.Element("td", text);
        }
    }

    private static void Tag(MarkupWriter to, string label)
    {
        using (to.Open("span", ("class", "tag")))
        {
            to.Foreign(label);
        }
    }

    private static void Tile(MarkupWriter to, string name, string value, string note)
    {
        using (to.Open("div"))
        {
            to.Element("dt", name);
            using (to.Open("dd"))
            {
                to.Text(value);
                to.Element("span", note, ("class", "small"));
            }
        }
    }

    private static string TitleOf(RowScores scores) => scores.Rows == RowsKind.Test ? "Scores on test rows" : "Scores on held-out rows";

    private static string NameOf(RowsKind rows) => rows == RowsKind.Test ? "test" : "held-out";

    private static string NameOf(DirectionReport direction) => direction.Direction == Direction.Forward ? "forward" : "backward";

    private static string IdOf(DirectionReport direction) => "training-" + NameOf(direction);

    private static string Share(double? value) => value?.ToString("P1", CultureInfo.InvariantCulture).Replace(" ", "", StringComparison.Ordinal) ?? "–";

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";

    private static string Count(int value) => value.ToString("N0", CultureInfo.InvariantCulture);

    internal static string Rate(double value) => value.ToString(value is 0 or >= 1e-3 ? "0.####" : "0.#e0", CultureInfo.InvariantCulture);

    private static string Duration(double seconds) => seconds switch
    {
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds:F0} s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:F1} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:F1} h"),
    };
}
