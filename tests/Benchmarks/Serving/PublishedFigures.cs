namespace ServingBenchmark;

/// <summary>
/// What others have published: Hugging Face Infinity, DistilBERT on 2 cores of an Ice Lake Xeon, end to end over HTTP, in requests a
/// second by tokens of a text.
/// </summary>
internal static class PublishedFigures
{
    private static readonly Dictionary<int, double> Infinity = new() { [8] = 248, [64] = 97, [128] = 55, [256] = 27, [512] = 12 };

    /// <summary>Requests a second; null where none is published for so many tokens.</summary>
    public static double? InfinityOf(int tokens) => Infinity.TryGetValue(tokens, out double figure) ? figure : null;
}
