using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Ulmfit.Cli.Terminal;
using Ulmfit.Data;
using Ulmfit.Onnx;

namespace Ulmfit.Cli;

/// <summary>A text with its classes, best first.</summary>
internal sealed record ClassifiedText(string Text, IReadOnlyList<LabelScore> Predictions);

/// <summary><c>ulmfit classify</c>: the classes of one text, or of every text of a file.</summary>
internal static class ClassifyCommand
{
    private const int Chunk = 256;

    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Folder that train --out wrote", HelpName = "DIR", Required = true };
        Argument<string[]> texts = new("text") { Description = "Texts to classify, each in quotes", Arity = ArgumentArity.ZeroOrMore };
        Option<string?> data = new("--data") { Description = "Classify every text of this file instead: .txt (one a line) or .jsonl, also .gz; a line of JSON each", HelpName = "FILE" };
        Option<int> top = new("--top-k") { Description = "How many classes to show of each text, best first", HelpName = "N", DefaultValueFactory = _ => 3 };
        Option<float> threshold = new("--threshold") { Description = "Probability, 0 to 1, that the best class needs; where it has less, the answer begins with none", HelpName = "P", DefaultValueFactory = _ => 0 };
        var json = JsonOption.OnOutput("an array of texts with their classes");
        var command = new DocumentedCommand(
            "classify",
            "Classify texts with a trained model",
            "The answer is the likeliest classes of each text with their probabilities. What they mean, and how to choose a threshold: docs/calibration.md.",
            "ulmfit classify --model model \"where is my parcel?\"",
            "ulmfit classify --model model --data messages.txt --top-k 1 --threshold 0.7 > answers.jsonl",
            "ulmfit classify --model model --json \"where is my parcel?\" | jq -r '.[0].predictions[0].label'")
        {
            texts, model, data, top, threshold, json.Option,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(
            parsed.GetRequiredValue(model), parsed.GetValue(texts) ?? [], parsed.GetValue(data), parsed.GetValue(top), parsed.GetValue(threshold), parsed, json, cancellationToken)));
        return command;
    }

    private static int Run(string model, string[] texts, string? data, int top, float threshold, ParseResult parsed, JsonOption json, CancellationToken cancellationToken)
    {
        if ((texts.Length == 0) == (data is null))
        {
            throw new UsageException("Give either texts or --data FILE.");
        }

        if (top < 1)
        {
            throw new UsageException("--top-k must be at least 1.");
        }

        if (threshold is not (>= 0 and <= 1))
        {
            throw new UsageException("--threshold must lie in [0, 1].");
        }

        using OnnxTextClassifier classifier = ModelDirectory.Load(model);
        IEnumerable<ClassifiedText> Classified(IEnumerable<string> all) => all.Chunk(Chunk).SelectMany(chunk => chunk
            .Zip(classifier.Predict(chunk, cancellationToken))
            .Select(pair => new ClassifiedText(pair.First, classifier.Rank(pair.Second, top, threshold))));
        IEnumerable<ClassifiedText> answers = Classified(data is null ? texts : UnlabeledFiles.Read(data));
        if (json.IsOnOutput(parsed))
        {
            json.Write(parsed, answers.ToArray());
        }
        else if (data is not null)
        {
            foreach (ClassifiedText answer in answers)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(answer, JsonSerializerOptions.Web));
            }
        }
        else
        {
            Print(json.Open(parsed), answers);
        }

        return ExitCodes.Done;
    }

    private static void Print(Screen screen, IEnumerable<ClassifiedText> answers)
    {
        foreach (ClassifiedText answer in answers)
        {
            screen.Line(answer.Text, new Style(decoration: Decoration.Bold));
            foreach (LabelScore score in answer.Predictions)
            {
                screen.Line(string.Create(CultureInfo.InvariantCulture, $"  {score.Score,7:P1}  {score.Label ?? "none is certain enough"}"));
            }
        }
    }
}
