using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>SHA-256 over trained weights, in lower-case hexadecimal: equal for equal data, settings and seed.</summary>
public static class WeightsDigest
{
    /// <summary>
    /// The digest of the weights and running statistics of some models, in the order given: of each tensor in ordinal
    /// order its name, its shape and its little-endian bytes. Optimiser moments and carried state do not count.
    /// </summary>
    public static string Of(params IEnumerable<StateDict> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (StateDict model in models)
        {
            foreach ((string name, Tensor tensor) in model.WeightsOnly())
            {
                hash.AppendData(Encoding.UTF8.GetBytes($"{name}[{string.Join(',', tensor.Shape)}]"));
                hash.AppendData(MemoryMarshal.AsBytes(tensor.Data.AsSpan()));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The digest of a text in UTF-8.</summary>
    internal static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
