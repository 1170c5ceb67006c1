using System.Globalization;
using System.Text.RegularExpressions;

namespace KillMatrix.Agent;

/// <summary>An instant within a write.</summary>
/// <param name="Operation">What is written, such as <c>new state/runs/tickets/000001.json</c>; digests are left out.</param>
/// <param name="Occurrence">The how-manieth such write of the process, from 1.</param>
/// <param name="Mode">Where within it.</param>
internal sealed partial record WritePoint(string Operation, int Occurrence, KillMode Mode)
{
    /// <summary>The name under which a write is known in every run: digests may differ where a checkpoint notes how long it took.</summary>
    public static string Normalize(string name) => Digest().Replace(name, "*");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static WritePoint Parse(string text) => text.Split('|') is [string operation, string occurrence, string mode]
        ? new WritePoint(operation, int.Parse(occurrence, CultureInfo.InvariantCulture), Enum.Parse<KillMode>(mode))
        : throw new FormatException($"'{text}' is no point.");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Operation}|{Occurrence}|{Mode}");

    [GeneratedRegex("[0-9a-f]{64}")]
    private static partial Regex Digest();
}
