namespace ServingBenchmark;

/// <summary>Orders of numbers.</summary>
internal static class Percentiles
{
    /// <summary>The least number that a share of all does not exceed (nearest rank); NaN of none.</summary>
    /// <param name="ascending">The numbers in ascending order.</param>
    /// <param name="share">The share, in (0, 1].</param>
    public static double Of(IReadOnlyList<double> ascending, double share) =>
        ascending.Count == 0 ? double.NaN : ascending[Math.Clamp((int)Math.Ceiling(share * ascending.Count) - 1, 0, ascending.Count - 1)];

    /// <summary>The middle of some numbers, the mean of the two middle ones of an even count; NaN of none.</summary>
    public static double Median(IEnumerable<double> numbers)
    {
        double[] ordered = [.. numbers.Order()];
        return ordered.Length == 0 ? double.NaN : (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }
}
