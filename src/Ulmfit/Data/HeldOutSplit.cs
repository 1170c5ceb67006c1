using System.Buffers.Binary;
using System.Globalization;

namespace Ulmfit.Data;

/// <summary>
/// Divides texts into those to train on and those held out for the evaluation. A text's side follows from its digest alone,
/// so it never moves, however many rows and drops come later, and the same text cannot be on both sides.
/// </summary>
public static class HeldOutSplit
{
    /// <summary>True if a text is held out.</summary>
    /// <param name="text">The text; white space at its ends and runs of it make no difference (<see cref="TextDigest"/>).</param>
    /// <param name="fraction">The share of all texts that is held out, 0 to 1.</param>
    /// <param name="seed">Chooses another division; null for the usual one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is outside [0, 1].</exception>
    public static bool IsHeldOut(string text, double fraction, ulong? seed = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        if (seed is { } value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, value);
        }

        Span<byte> digest = stackalloc byte[TextDigest.Size];
        TextDigest.Write(text, seed is null ? default : prefix, digest);

        return IsHeldOut(BinaryPrimitives.ReadUInt64BigEndian(digest), fraction);
    }

    /// <summary>The same, with the usual division, for a text whose digest (<see cref="TextDigest.Of"/>) is known.</summary>
    internal static bool IsDigestHeldOut(string digest, double fraction) =>
        IsHeldOut(ulong.Parse(digest.AsSpan(0, 2 * sizeof(ulong)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), fraction);

    private static bool IsHeldOut(ulong digest, double fraction)
    {
        if (!(fraction >= 0 && fraction <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "A share between 0 and 1 was expected.");
        }

        // 53 bits fill a double exactly, so the comparison is the same everywhere.
        double position = (digest >> 11) * (1.0 / (1UL << 53));
        return position < fraction;
    }
}
