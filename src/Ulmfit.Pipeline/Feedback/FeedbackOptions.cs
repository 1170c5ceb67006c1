namespace Ulmfit.Pipeline.Feedback;

/// <summary>When rows of feedback become a drop, which a run is trained on.</summary>
public sealed record FeedbackOptions
{
    /// <summary>Rows that make a drop as soon as so many wait.</summary>
    public int MinimumRows { get; init; } = 50;

    /// <summary>How long a row waits at most for others, before it makes a drop with those there are.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromDays(1);
}
