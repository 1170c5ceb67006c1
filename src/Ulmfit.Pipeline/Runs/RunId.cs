using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ulmfit.Pipeline.Runs;

/// <summary>The name of a run: <c>{dataset}-{number}</c>.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Number">Which run of the data set, from 1.</param>
public readonly record struct RunId(string Dataset, int Number)
{
    /// <summary>Reads a run id.</summary>
    /// <param name="text">Such as <c>tickets-3</c>.</param>
    /// <param name="id">The id.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out RunId id)
    {
        id = default;
        int dash = text?.LastIndexOf('-') ?? -1;
        if (dash <= 0 || dash + 1 == text!.Length || text[dash + 1] is '0' || !ResourceNames.IsDataset(text[..dash]) || !TryNumber(text.AsSpan(dash + 1), out int number))
        {
            return false;
        }
        id = new RunId(text[..dash], number);
        return true;
    }

    /// <summary>Reads a number of digits alone: what .NET reads as one may end with NUL characters.</summary>
    private static bool TryNumber(ReadOnlySpan<char> digits, out int number)
    {
        number = 0;
        return !digits.ContainsAnyExceptInRange('0', '9') && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Reads a run id that the pipeline itself made.</summary>
    /// <param name="text">The id.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static RunId Parse(string text) => TryParse(text, out RunId id) ? id : throw new FormatException($"'{text}' is not the id of a run.");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Dataset}-{Number}");
}
