namespace Ulmfit.Tests.Import;

/// <summary>The files that <c>make_fastai_files.py</c> wrote.</summary>
internal static class ImportFiles
{
    public static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Import", "Files", name));

    public static MemoryStream Open(string name) => new(Bytes(name), writable: false);
}
