namespace Ulmfit.Data;

/// <summary>A text with its class.</summary>
/// <param name="Text">The text.</param>
/// <param name="Label">The class.</param>
/// <param name="Line">Physical line of the file on which the row begins, from 1.</param>
public sealed record LabeledRow(string Text, string Label, long Line);
