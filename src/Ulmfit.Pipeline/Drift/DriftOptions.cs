namespace Ulmfit.Pipeline.Drift;

/// <summary>When what a model is asked about counts as shifted, and how its counts are kept. Each is a setting <c>Drift:NAME</c>.</summary>
public sealed record DriftOptions
{
    /// <summary>The population stability index of a day's predicted classes from which on an alarm is raised.</summary>
    public double PopulationStability { get; init; } = 0.2;

    /// <summary>By how much the share of a day's unknown words may exceed that of the held-out rows before an alarm is raised.</summary>
    public double UnknownWords { get; init; } = 0.1;

    /// <summary>How many texts a day must have before it can raise an alarm.</summary>
    public int MinimumTexts { get; init; } = 200;

    /// <summary>The most days for which counts can be kept: a hundred years.</summary>
    public const int MostDays = 36_500;

    /// <summary>For how many days counts are kept, at most <see cref="MostDays"/>.</summary>
    public int KeepDays { get; init; } = 90;

    /// <summary>How often counts are written: what a process that is killed may lose.</summary>
    public TimeSpan WriteEvery { get; init; } = TimeSpan.FromSeconds(60);
}
