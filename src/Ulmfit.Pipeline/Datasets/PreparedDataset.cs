namespace Ulmfit.Pipeline.Datasets;

/// <summary>What the preparation of a data set gives.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Version">The version that its drops give; null when they give nothing to train on.</param>
/// <param name="Refusal">Why they do not.</param>
public sealed record PreparedDataset(string Dataset, int? Version, string? Refusal);
