using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Ulmfit.Functions.Http;

/// <summary>The files of the web page, which the build puts beside the app. They are few and small: all are read once and kept.</summary>
internal sealed class PageFiles
{
    /// <summary>The folder beside the app.</summary>
    public const string Folder = "page";

    /// <summary>The file that is the page.</summary>
    public const string Index = "index.html";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".json"] = "application/json",
        [".csv"] = "text/csv; charset=utf-8",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // The smallest first, with what the build compresses by its names in HTTP.
    private static readonly (string Extension, string Encoding)[] Compressed = [(".br", "br"), (".gz", "gzip")];

    private readonly Lazy<FrozenDictionary<string, PageFile>> files;

    /// <summary>The files below a folder, read when the first is asked for.</summary>
    /// <param name="folder">The folder.</param>
    public PageFiles(string folder) => files = new(() => Read(folder));

    /// <summary>A file by its path below the folder, with forward slashes; null where there is none.</summary>
    public PageFile? Find(string path) => files.Value.GetValueOrDefault(path);

    private static FrozenDictionary<string, PageFile> Read(string folder)
    {
        var found = new Dictionary<string, PageFile>(StringComparer.Ordinal);
        if (!Directory.Exists(folder))
        {
            return found.ToFrozenDictionary(StringComparer.Ordinal);
        }
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            if (!Types.TryGetValue(Path.GetExtension(path), out string? type))
            {
                continue;
            }
            var forms = new List<PageForm>();
            foreach ((string extension, string encoding) in Compressed)
            {
                if (File.Exists(path + extension))
                {
                    forms.Add(PageForm.Of(encoding, File.ReadAllBytes(path + extension)));
                }
            }
            forms.Add(PageForm.Of("identity", File.ReadAllBytes(path)));
            found[Path.GetRelativePath(folder, path).Replace('\\', '/')] = new PageFile(type, forms);
        }
        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

/// <summary>A file of the page.</summary>
/// <param name="ContentType">What it is.</param>
/// <param name="Forms">The same in several encodings, the smallest first; the last is the file as it is.</param>
internal sealed record PageFile(string ContentType, IReadOnlyList<PageForm> Forms);

/// <summary>A file in one encoding.</summary>
/// <param name="Encoding">The encoding by its name in HTTP.</param>
/// <param name="Content">The bytes.</param>
/// <param name="Tag">The entity tag: of this form, as each is another sequence of bytes.</param>
internal sealed record PageForm(string Encoding, byte[] Content, string Tag)
{
    public static PageForm Of(string encoding, byte[] content) => new(encoding, content, $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"");
}
