namespace Ulmfit.Data;

/// <summary>The names by which the columns of texts and labels are known, the likeliest first; case does not matter.</summary>
internal static class ColumnNames
{
    internal static readonly string[] Texts =
    [
        "text", "sentence", "message", "review", "body", "content", "question", "query", "utterance", "comment", "document", "description",
    ];

    internal static readonly string[] Labels =
        ["label", "class", "category", "target", "intent", "sentiment", "topic", "tag", "label_text", "label_name"];

    /// <summary>The index of the column with this name, or of the likeliest of the usual names if it is null; −1 if there is none.</summary>
    internal static int Find(IReadOnlyList<string> header, string? name, string[] usual)
    {
        foreach (string candidate in name is null ? usual : [name])
        {
            for (int i = 0; i < header.Count; i++)
            {
                if (string.Equals(header[i].Trim(), candidate, StringComparison.OrdinalIgnoreCase))
                {
                    return i;
                }
            }
        }

        return -1;
    }

    internal static string Describe(string? name, string[] usual) =>
        name is null ? $"one of {string.Join(", ", usual)}" : $"'{name}'";
}
