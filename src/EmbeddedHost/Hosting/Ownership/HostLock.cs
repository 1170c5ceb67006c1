using System.Globalization;

namespace EmbeddedHost;

/// <summary>
/// Holds a data directory for one host. The lock is the operating system's on an open file, so it ends with the process
/// however that ends.
/// </summary>
internal sealed class HostLock : IDisposable
{
    private const int WouldBlock = 11;
    private const int WouldBlockOnMacOS = 35;
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int LockViolation = unchecked((int)0x80070021);

    private readonly FileStream file;
    private readonly string notePath;

    private HostLock(FileStream file, string notePath)
    {
        this.file = file;
        this.notePath = notePath;
    }

    /// <summary>Takes the lock.</summary>
    /// <param name="settings">Says which directory.</param>
    /// <returns>The lock; null where another host has it.</returns>
    /// <exception cref="HostStartException">The directory cannot be written.</exception>
    public static HostLock? TryAcquire(HostSettings settings)
    {
        string path = PathOf(settings);
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
        catch (IOException e) when (e.HResult is WouldBlock or WouldBlockOnMacOS or SharingViolation or LockViolation)
        {
            return null;
        }
        catch (IOException e)
        {
            throw new HostStartException($"The data directory {settings.DataDirectory} cannot be used: {e.Message} Choose another with --data.", e);
        }

        var gate = new HostLock(file, NotePathOf(settings));
        gate.Note(null);
        return gate;
    }

    /// <summary>Who has the lock, for people.</summary>
    public static string HolderOf(HostSettings settings)
    {
        try
        {
            return $"process {File.ReadAllText(NotePathOf(settings)).Trim()}";
        }
        catch (IOException)
        {
            return "its process id is not known yet";
        }
    }

    /// <summary>Tells other hosts where this one answers.</summary>
    /// <param name="address">The address; null while it is not known.</param>
    public void Note(string? address)
    {
        // Beside the locked file and not in it, because some systems let nobody read a locked file.
        string process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        File.WriteAllText(notePath, address is null ? process : $"{process} at {address}");
    }

    public void Dispose()
    {
        File.Delete(notePath);
        file.Dispose();
    }

    private static string PathOf(HostSettings settings) => Path.Combine(settings.HostDirectory, "lock");

    private static string NotePathOf(HostSettings settings) => PathOf(settings) + ".pid";
}
