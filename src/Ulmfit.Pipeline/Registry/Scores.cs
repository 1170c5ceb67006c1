namespace Ulmfit.Pipeline.Registry;

/// <summary>How a model does on held-out rows.</summary>
/// <param name="Accuracy">The share of rows it gets right.</param>
/// <param name="MacroF1">The mean of the classes' F1.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="PerClass">The scores of each class.</param>
public sealed record Scores(double Accuracy, double MacroF1, int Rows, IReadOnlyList<ClassScore> PerClass);

/// <summary>How a model does on one class.</summary>
/// <param name="Label">The class.</param>
/// <param name="Precision">Of the rows given this label, the share that has it.</param>
/// <param name="Recall">Of the rows that have this label, the share given it.</param>
/// <param name="F1">The harmonic mean of the two.</param>
/// <param name="Rows">Held-out rows of this class.</param>
public sealed record ClassScore(string Label, double Precision, double Recall, double F1, int Rows);
