using System.Globalization;
using Ulmfit.Pipeline;

namespace Ulmfit.Functions.Http;

/// <summary>Checks of what stands in a route.</summary>
internal static class RouteNames
{
    public static void CheckDataset(string name)
    {
        if (!ResourceNames.IsDataset(name))
        {
            throw new ProblemException(422, "invalid-name", "Invalid name", $"'{Shown(name)}' is not the name of a data set or model: {ResourceNames.DatasetRule}.");
        }
    }

    public static void CheckDrop(string name)
    {
        if (!ResourceNames.IsDrop(name))
        {
            throw new ProblemException(422, "invalid-name", "Invalid name", $"'{Shown(name)}' is not the name of a drop: {ResourceNames.DropRule}.");
        }
    }

    public static bool TryVersion(string text, out int version)
    {
        version = 0;

        // Digits alone: what .NET reads as a number may end with NUL characters.
        return !text.AsSpan().ContainsAnyExceptInRange('0', '9')
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version) && version > 0;
    }

    /// <summary>As much of what was sent as belongs into a message.</summary>
    public static string Shown(string name) => name.Length <= 200 ? name : name[..200] + "…";
}
