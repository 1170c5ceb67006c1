namespace Ulmfit.Pipeline.Feedback;

/// <summary>A text with the label that it should have.</summary>
/// <param name="Text">The text.</param>
/// <param name="Label">The label, white space at both ends left out.</param>
public sealed record FeedbackRow(string Text, string Label);

/// <summary>What became of feedback sent in.</summary>
/// <param name="Rows">Rows of it.</param>
/// <param name="IsRepeated">Whether it had been stored under its key before, and nothing has changed.</param>
/// <param name="Waiting">Rows of the data set that wait to become a drop.</param>
public sealed record FeedbackReceipt(int Rows, bool IsRepeated, int Waiting);
