using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Ulmfit.Cli.Terminal;
using Ulmfit.Import;
using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>A file that was imported.</summary>
internal sealed record ImportedFile(string Name, string Sha256);

/// <summary>What an import made, also kept as the model's <c>card.json</c>.</summary>
internal sealed record ImportReport(
    string Source, string Layout, IReadOnlyList<ImportedFile> Files, AwdLstmConfig Architecture, IReadOnlyList<string> Directions, string Elements,
    string Digest, int WordsInFile, int Words, int WholeWords, string Tokenizer, IReadOnlyList<string> Notes);

/// <summary><c>ulmfit import</c>: a pretrained language model out of files that fastai saved.</summary>
internal sealed class ImportCommand
{
    private readonly Option<string> forward = new("--fastai") { Description = "Weights that fastai saved (.pth): a language model, an encoder or a classifier", HelpName = "FILE", Required = true };
    private readonly Option<string> words = new("--itos") { Description = "Its vocabulary (.pkl): a pickled list of words", HelpName = "FILE", Required = true };
    private readonly Option<string?> backward = new("--backward") { Description = "Weights of the backward model of the same vocabulary", HelpName = "FILE" };
    private readonly Option<string> output = new("--out") { Description = "Folder for the pretrained model; a new or an empty one", HelpName = "DIR", Required = true };
    private readonly Option<bool> half = new("--half") { Description = "Write 16-bit floats: half the size, rounded" };
    private readonly JsonOption json = JsonOption.WithFile("what was found");

    public static Command Create()
    {
        var import = new ImportCommand();
        var command = new DocumentedCommand(
            "import",
            "Make a pretrained language model of weights that fastai saved",
            "It reads what fastai 0.7, 1 and 2 save. Such a file is a program that Python would run; here nothing in it is run, and what is not plain data is refused.",
            "ulmfit import --fastai wt103-fwd.pth --itos itos_wt103.pkl --backward wt103-bwd.pth --out wt103")
        {
            import.forward, import.words, import.backward, import.output, import.half, import.json.Option,
        };
        command.SetAction(parsed => import.Run(parsed));
        return command;
    }

    private int Run(ParseResult parsed)
    {
        string forwardPath = parsed.GetRequiredValue(forward), wordsPath = parsed.GetRequiredValue(words), directory = parsed.GetRequiredValue(output);
        string? backwardPath = parsed.GetValue(backward);
        if (File.Exists(directory) || (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any()))
        {
            throw new UsageException($"'{directory}' is not empty: name a new folder for the model.");
        }

        FastaiModel model = Read(forwardPath, wordsPath, backwardPath);
        bool rounded = parsed.GetValue(half);
        Directory.CreateDirectory(directory);
        ModelDirectory.WriteWhole(Path.Combine(directory, "vocabulary.json"), model.Pretrained.Vocabulary.Save);
        Write(directory, "forward.safetensors", model.Pretrained.Forward, rounded);
        if (model.Pretrained.Backward is StateDict second)
        {
            Write(directory, "backward.safetensors", second, rounded);
        }

        // Read again, so that the digest is that of what training will start from, and the folder is known to be whole.
        PretrainedModel written = PretrainedDirectory.Load(directory);
        var report = new ImportReport(
            "fastai", NameOf(model.Report.Kind), [.. new[] { forwardPath, wordsPath, backwardPath }.OfType<string>().Select(path => new ImportedFile(Path.GetFileName(path), DigestOf(path)))],
            written.Config, written.Backward is null ? ["forward"] : ["forward", "backward"], rounded ? "float16" : "float32", written.Digest,
            model.Report.WordsInFile, model.Report.Words, model.Report.WholeWords, Tokenizer.Version, model.Report.Notes);
        Reports.WriteJson(Path.Combine(directory, "card.json"), report);
        json.Write(parsed, report);
        Print(json.Open(parsed), report, directory);
        return ExitCodes.Done;
    }

    private static FastaiModel Read(string forwardPath, string wordsPath, string? backwardPath)
    {
        using FileStream forwardFile = LabeledFiles.Open(forwardPath), wordsFile = LabeledFiles.Open(wordsPath);
        using FileStream? backwardFile = backwardPath is null ? null : LabeledFiles.Open(backwardPath);
        return FastaiModel.Read(forwardFile, wordsFile, backwardFile);
    }

    private static void Write(string directory, string name, StateDict weights, bool rounded) =>
        ModelDirectory.WriteWhole(Path.Combine(directory, name), stream => Safetensors.Write(stream, weights, half: rounded));

    private static void Print(Screen screen, ImportReport report, string directory)
    {
        AwdLstmConfig config = report.Architecture;
        screen.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Layout} of fastai: AWD-LSTM of {config.VocabularySize} tokens, embedding {config.EmbeddingSize}, hidden {config.HiddenSize}, {config.Layers} layers; {string.Join(" and ", report.Directions)}"));
        screen.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"vocabulary: {report.WordsInFile} rows, {report.Words} words, of which our tokenizer leaves {report.WholeWords} ({report.WholeWords / (double)Math.Max(1, report.Words):P1}) whole where they stand alone"));
        foreach (string note in report.Notes)
        {
            screen.Line("note: " + note);
        }

        screen.Line($"weights {report.Digest}");
        screen.Line($"pretrained model in {directory} ({report.Elements})");
    }

    private static string NameOf(FastaiFileKind kind) => kind switch
    {
        FastaiFileKind.Classifier => "classifier",
        FastaiFileKind.Encoder => "encoder",
        _ => "language model",
    };

    private static string DigestOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
