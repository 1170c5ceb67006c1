using System.Text.RegularExpressions;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline;

/// <summary>The names that people give: of data sets (which are those of their models) and of drops.</summary>
public static partial class ResourceNames
{
    /// <summary>What a data-set name has to look like, in words.</summary>
    public const string DatasetRule = "1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit, and no device name of Windows such as con or nul";

    /// <summary>What the name of a drop has to look like, in words.</summary>
    public const string DropRule = "1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit and ending in .csv, .tsv or .jsonl, each also with .gz; no device name of Windows such as con.csv";

    private static readonly string[] LabeledExtensions = [".csv", ".tsv", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz"];
    private static readonly string[] UnlabeledExtensions = [".txt", ".jsonl", ".txt.gz", ".jsonl.gz"];

    /// <summary>Whether a data set or model may have this name.</summary>
    /// <param name="name">The name.</param>
    public static bool IsDataset(string? name) => name is not null && DatasetPattern().IsMatch(name) && BlobNames.IsBlobName(name);

    /// <summary>Whether a drop sent in may have this name.</summary>
    /// <param name="name">The name.</param>
    public static bool IsDrop(string? name) => name is not null && DropPattern().IsMatch(name) && HasLabeledExtension(name) && BlobNames.IsBlobName(name);

    /// <summary>Whether a file's extension is one of labelled data.</summary>
    /// <param name="name">The file's name.</param>
    public static bool HasLabeledExtension(string name) => HasExtension(name, LabeledExtensions);

    /// <summary>Whether a file's extension is one of unlabelled text.</summary>
    /// <param name="name">The file's name.</param>
    public static bool HasUnlabeledExtension(string name) => HasExtension(name, UnlabeledExtensions);

    private static bool HasExtension(string name, string[] extensions) =>
        extensions.Any(extension => name.Length > extension.Length && name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DatasetPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DropPattern();
}
