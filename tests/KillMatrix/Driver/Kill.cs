using System.Globalization;
using KillMatrix.Agent;

namespace KillMatrix.Driver;

/// <summary>A kill that is to come: within a write, or after a time from the start of the process.</summary>
/// <param name="Point">The point; null for an instant.</param>
/// <param name="At">The instant.</param>
/// <param name="Order">Where the point stands in the undisturbed run.</param>
internal sealed record Kill(WritePoint? Point, TimeSpan At, int Order)
{
    /// <inheritdoc/>
    public override string ToString() => Point is { } point
        ? $"{point.Mode} {point.Operation} (#{point.Occurrence})"
        : string.Create(CultureInfo.InvariantCulture, $"after {At.TotalSeconds:0.000} s");
}
