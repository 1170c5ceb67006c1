namespace Ulmfit.Data;

/// <summary>A text and its label as a file gives them.</summary>
/// <param name="Text">The text, not empty, as it stands in the file.</param>
/// <param name="Label">The label, white space at both ends removed, not empty.</param>
/// <param name="Line">The line of the file, from 1, in which the row begins.</param>
public sealed record LabeledRow(string Text, string Label, long Line)
{
    /// <summary>When somebody corrected the label of the text to this one; null for a row that is no correction.</summary>
    public DateTimeOffset? CorrectedAt { get; init; }
}
