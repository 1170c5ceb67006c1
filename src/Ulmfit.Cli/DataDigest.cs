using System.Security.Cryptography;
using System.Text;
using Ulmfit.Data;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>SHA-256 over what a run trains and is measured on.</summary>
internal static class DataDigest
{
    /// <param name="train">The labelled rows that are trained on.</param>
    /// <param name="heldOut">Those that are measured on.</param>
    /// <param name="unlabeled">Texts without a class.</param>
    /// <param name="labels">Classes that some of them were given.</param>
    public static string Of(IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> heldOut, IReadOnlyList<string> unlabeled, params IReadOnlyList<PseudoLabel> labels)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string part)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        foreach (IReadOnlyList<LabeledRow> rows in (IReadOnlyList<LabeledRow>[])[train, heldOut])
        {
            Add($"{rows.Count}");
            foreach (LabeledRow row in rows)
            {
                Add(row.Text);
                Add(row.Label);
            }
        }

        foreach (string text in unlabeled)
        {
            Add(text);
        }

        foreach (PseudoLabel label in labels)
        {
            Add($"{label.Text} {label.Label}");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
