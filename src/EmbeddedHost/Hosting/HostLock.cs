using System.Globalization;

namespace EmbeddedHost;

/// <summary>
/// Holds a data directory for one host. The lock is the operating system's on an open file, so it ends with the process
/// however that ends.
/// </summary>
internal sealed class HostLock : IDisposable
{
    private readonly FileStream file;
    private readonly string pidPath;

    private HostLock(FileStream file, string pidPath)
    {
        this.file = file;
        this.pidPath = pidPath;
    }

    /// <summary>Takes the lock.</summary>
    /// <param name="settings">Says which directory.</param>
    /// <exception cref="HostStartException">Another host has it, or the directory cannot be written.</exception>
    public static HostLock Acquire(HostSettings settings)
    {
        string path = Path.Combine(settings.HostDirectory, "lock");
        string pidPath = path + ".pid";
        FileStream file;
        try
        {
            Directory.CreateDirectory(settings.HostDirectory);
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new HostStartException($"The data directory {settings.DataDirectory} cannot be written: {e.Message} Choose another with --data.", e);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new HostStartException(
                $"The data directory {settings.DataDirectory} is in use by another host ({Holder(pidPath)}). Stop that one, or start this one with another --data DIR (and --urls).", e);
        }
        catch (IOException e)
        {
            throw new HostStartException($"The data directory {settings.DataDirectory} cannot be used: {e.Message} Choose another with --data.", e);
        }

        // Beside the locked file and not in it, because some systems let nobody read a locked file.
        File.WriteAllText(pidPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new HostLock(file, pidPath);
    }

    public void Dispose()
    {
        File.Delete(pidPath);
        file.Dispose();
    }

    private static string Holder(string pidPath)
    {
        try
        {
            return $"process {File.ReadAllText(pidPath).Trim()}";
        }
        catch (IOException)
        {
            return "its process id is not known yet";
        }
    }
}
