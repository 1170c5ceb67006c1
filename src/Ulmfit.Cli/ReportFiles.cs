using Ulmfit.Reports;

namespace Ulmfit.Cli;

/// <summary>Reports in files: a page, and the same as JSON beside it.</summary>
internal static class ReportFiles
{
    private const string Page = "report.html";
    private const string Json = "report.json";

    /// <summary>Writes the report of a training into its model's folder.</summary>
    public static void Save(string directory, TrainingReport report) => Write(Path.Combine(directory, Page), report);

    /// <summary>Writes a page and the JSON beside it.</summary>
    public static void Write(string page, TrainingReport report)
    {
        ModelDirectory.WriteWhole(Path.ChangeExtension(page, ".json"), stream => stream.Write(report.ToJson()));
        ModelDirectory.WriteWhole(page, stream => stream.Write(ReportHtml.Of(report)));
    }

    /// <summary>The report that lies in a model's folder; null when there is none.</summary>
    /// <exception cref="InvalidDataException">It is no report, or of another version.</exception>
    public static TrainingReport? Find(string directory)
    {
        string path = Path.Combine(directory, Json);
        return File.Exists(path) ? TrainingReport.Parse(File.ReadAllBytes(path)) : null;
    }

    /// <summary>What a model is called that lies in a folder.</summary>
    public static string NameOf(string directory) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
}
