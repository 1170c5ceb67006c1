using System.Security.Cryptography;
using System.Text;

namespace EmbeddedHost;

/// <summary>Stable ids of functions.</summary>
internal static class FunctionId
{
    /// <summary>A number that stays the same as long as name and entry point do.</summary>
    public static string Of(string name, string entryPoint) =>
        BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{entryPoint}"))).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
