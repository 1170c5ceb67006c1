namespace Ulmfit.Pipeline.Registry;

/// <summary>Which version of a model answers: <c>champion.json</c>, the one mutable blob of a model.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">The version that answers.</param>
/// <param name="History">
/// The promotions that led here, newest first, at most <see cref="HistoryLength"/>. A run that is named here has been promoted and
/// is not promoted again, even when somebody has rolled back since.
/// </param>
public sealed record ChampionPointer(string Model, int Version, IReadOnlyList<Promotion> History)
{
    /// <summary>How many promotions are remembered.</summary>
    public const int HistoryLength = 50;
}

/// <summary>A version became champion.</summary>
/// <param name="Version">The version.</param>
/// <param name="At">When.</param>
/// <param name="Run">The run that published it; null when somebody promoted it by hand.</param>
public sealed record Promotion(int Version, DateTimeOffset At, string? Run);
