namespace Ulmfit.Data;

/// <summary>A row that is not used, and what a person needs to mend it.</summary>
/// <param name="File">The name of the file.</param>
/// <param name="Line">The line of the file, from 1, in which the row begins.</param>
/// <param name="Column">The character of that line, from 1, at which the trouble is, where it is known.</param>
/// <param name="Reason">What was found and what was expected.</param>
public sealed record RejectedRow(string File, long Line, int? Column, string Reason);
