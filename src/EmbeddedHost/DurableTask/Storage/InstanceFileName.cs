using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EmbeddedHost.Durable;

/// <summary>
/// The file name of an instance: lower-case letters, digits, dot, dash and underscore stand for themselves, every other byte of
/// the id's UTF-8 is written as % and two digits, so that ids that differ in case only differ on every file system. Names that
/// would become too long are the id's SHA-256 behind a tilde.
/// </summary>
internal static class InstanceFileName
{
    public const string Extension = ".log";
    private const int LongestReadable = 150;

    public static string For(string instanceId)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(instanceId);
        var name = new StringBuilder(bytes.Length);
        foreach (byte value in bytes)
        {
            char c = (char)value;
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_')
            {
                name.Append(c);
            }
            else
            {
                name.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
            }
        }

        return (name.Length <= LongestReadable ? name.ToString() : "~" + Convert.ToHexStringLower(SHA256.HashData(bytes))) + Extension;
    }

    /// <summary>The id behind a readable name, or the name itself where it is a hash.</summary>
    public static string InstanceIdOf(string fileName)
    {
        string name = Path.GetFileNameWithoutExtension(fileName);
        return name.StartsWith('~') ? name : Uri.UnescapeDataString(name);
    }
}
