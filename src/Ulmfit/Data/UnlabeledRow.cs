namespace Ulmfit.Data;

/// <summary>A text without a label, for the fine-tuning of the language model.</summary>
/// <param name="Text">The text, not empty, as it stands in the file.</param>
/// <param name="Line">The line of the file, from 1, in which it begins.</param>
public sealed record UnlabeledRow(string Text, long Line);
