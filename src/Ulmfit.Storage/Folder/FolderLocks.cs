using System.Collections.Concurrent;
using System.Globalization;

namespace Ulmfit.Storage.Folder;

/// <summary>
/// Locks that hold between processes: an operating-system lock on a file, which ends with the process that holds it. The blobs of a
/// container share a few dozen of them, picked by name.
/// </summary>
internal sealed class FolderLocks
{
    private const int Stripes = 64;
    private const int WouldBlock = 11;
    private const int WouldBlockOnMacOS = 35;
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int LockViolation = unchecked((int)0x80070021);

    // Within this process callers queue here, so that only one of them asks the operating system again and again.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> proven = new(StringComparer.Ordinal);

    /// <summary>Waits for the lock of a blob.</summary>
    /// <param name="folder">Where the container's lock files are; must exist.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>The lock; disposing of it lets go.</returns>
    public async Task<IDisposable> AcquireAsync(string folder, string name, CancellationToken ct)
    {
        var path = Path.Combine(folder, Stripe(name).ToString("x2", CultureInfo.InvariantCulture));
        var queue = queues.GetOrAdd(path, _ => new SemaphoreSlim(1, 1));
        await queue.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            for (var wait = 1; ; wait = Math.Min(2 * wait, 16))
            {
                if (TryOpen(path) is { } file)
                {
                    Prove(folder, path, file);
                    return new Held(file, queue);
                }
                await Task.Delay(Random.Shared.Next(1, wait + 1), ct).ConfigureAwait(false);
            }
        }
        catch
        {
            queue.Release();
            throw;
        }
    }

    /// <summary>Opens a file that nobody else has open in this way.</summary>
    /// <returns>The file, or null when somebody has.</returns>
    public static FileStream? TryOpen(string path, FileMode mode = FileMode.OpenOrCreate)
    {
        try
        {
            return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>Whether a file could not be opened because somebody holds it.</summary>
    public static bool IsHeld(IOException e) => e.HResult is WouldBlock or WouldBlockOnMacOS or SharingViolation or LockViolation;

    /// <summary>Where locks are not enforced, conditional writes would lose updates without a word: better to refuse.</summary>
    private void Prove(string folder, string path, FileStream held)
    {
        if (proven.ContainsKey(folder))
        {
            return;
        }
        using var second = TryOpen(path);
        if (second is not null)
        {
            held.Dispose();
            throw new IOException(
                $"The file system of {folder} does not lock files, so conditional writes are not safe there (network shares mounted without locks, " +
                "or DOTNET_SYSTEM_IO_DISABLEFILELOCKING set). Use a local disk, or Azure Blob Storage.");
        }
        proven[folder] = true;
    }

    /// <summary>FNV-1a over the name in one case, since names that differ only in case may be one file; the same in every process.</summary>
    private static int Stripe(string name)
    {
        var hash = 2166136261u;
        foreach (var c in name)
        {
            hash = (hash ^ char.ToLowerInvariant(c)) * 16777619u;
        }
        return (int)(hash % Stripes);
    }

    private sealed class Held(FileStream file, SemaphoreSlim queue) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            queue.Release();
        }
    }
}
