using Ulmfit.Onnx;

namespace Ulmfit.Pipeline.Serving;

/// <summary>How models are kept in memory.</summary>
public sealed record ModelCacheOptions
{
    /// <summary>For how long a champion answers before the pointer is looked at again.</summary>
    public TimeSpan CheckEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many champions are kept loaded; the one that answered longest ago makes room.</summary>
    public int Champions { get; init; } = 16;

    /// <summary>How many versions that are not champion are kept loaded.</summary>
    public int PinnedVersions { get; init; } = 4;

    /// <summary>The threads that compute for all of them, and how much may wait for these.</summary>
    public ClassificationWorkersOptions Workers { get; init; } = new();
}
