namespace Ulmfit.Pipeline.Documents;

/// <summary>Files that vanish with their process, however it ends.</summary>
internal static class TemporaryFile
{
    public static FileStream Create()
    {
        string path = Path.Combine(Path.GetTempPath(), $"ulmfit-{Guid.NewGuid():N}.tmp");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            // Windows keeps this promise for a killed process too; elsewhere the runtime deletes when it closes, which a kill prevents.
            Options = FileOptions.Asynchronous | (OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None),
            BufferSize = 1 << 17,
        });
        if (!OperatingSystem.IsWindows())
        {
            // Without its name the file lives on until its handle goes.
            File.Delete(path);
        }
        return file;
    }
}
