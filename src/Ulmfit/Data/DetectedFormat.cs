namespace Ulmfit.Data;

/// <summary>What the reader recognised of a file's form.</summary>
/// <param name="Delimiter">What parts the columns; null for JSON lines and plain text.</param>
/// <param name="HasHeader">Whether the first row names the columns.</param>
/// <param name="TextColumn">The name of the column of texts, or its number from 1 where there is no header; null for plain text.</param>
/// <param name="LabelColumn">The same of the labels; null where the file has none to read.</param>
public sealed record DetectedFormat(char? Delimiter, bool HasHeader, string? TextColumn, string? LabelColumn);
