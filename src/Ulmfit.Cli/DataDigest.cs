using System.Security.Cryptography;
using System.Text;
using Ulmfit.Data;

namespace Ulmfit.Cli;

/// <summary>SHA-256 over what a run trains and is measured on.</summary>
internal static class DataDigest
{
    public static string Of(IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> heldOut, IReadOnlyList<string> unlabeled)
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

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
