namespace Ulmfit.Pipeline.Uncertain;

/// <summary>Whether served texts of which the model was not sure are written down, and how many for how long.</summary>
public sealed record UncertainOptions
{
    /// <summary>Whether texts are written down at all. What people send may be personal: somebody has to want it.</summary>
    public bool LogTexts { get; init; }

    /// <summary>Texts of a model that a process keeps a day; the most uncertain stay.</summary>
    public int TextsPerDay { get; init; } = 100;

    /// <summary>Days after which texts are deleted.</summary>
    public int RetentionDays { get; init; } = 30;

    /// <summary>How often what is new is written.</summary>
    public TimeSpan WriteEvery { get; init; } = TimeSpan.FromSeconds(30);
}
