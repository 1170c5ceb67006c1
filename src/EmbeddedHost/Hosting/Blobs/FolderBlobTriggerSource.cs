using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EmbeddedHost;

/// <summary>
/// Containers as folders of the data directory. A file counts once its size and time have stayed the same for the settle time;
/// names with a part that begins with a dot, or that end with <c>.tmp</c> or <c>~</c>, are somebody's work in progress and do
/// not count at all. The ETag is made of a file's time and size.
/// </summary>
internal sealed class FolderBlobTriggerSource(
    HostSettings settings,
    IOptions<BlobTriggerOptions> options,
    TimeProvider time,
    ILogger<FolderBlobTriggerSource> logger) : IBlobTriggerSource, IBlobOutputSink, IDisposable
{
    private static readonly HashSet<string> s_reserved = new(["host", "keys", "durable"], StringComparer.OrdinalIgnoreCase);

    private readonly Lock gate = new();
    private readonly Dictionary<string, ContainerWatch> containers = new(StringComparer.Ordinal);

    /// <summary>Whether a folder of the data directory is the host's own and so no container.</summary>
    public static bool IsReserved(string container) => s_reserved.Contains(container);

    /// <inheritdoc/>
    public async IAsyncEnumerable<TriggerBlob> ListAsync(
        string container, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Walking a folder blocks, so it is left to the pool.
        IReadOnlyList<TriggerBlob> blobs = await Task.Run(() => Walk(container, prefix, cancellationToken), cancellationToken);
        foreach (TriggerBlob blob in blobs)
        {
            yield return blob;
        }
    }

    /// <inheritdoc/>
    public Task<Stream?> OpenReadAsync(string container, string name, string? etag, CancellationToken cancellationToken)
    {
        string? path = PathOf(container, name);
        if (path is null || !IsBlobName(name))
        {
            return Task.FromResult<Stream?>(null);
        }

        FileStream file;
        try
        {
            file = new FileStream(path, new FileStreamOptions
            {
                Access = FileAccess.Read,
                Mode = FileMode.Open,
                Share = FileShare.ReadWrite | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }

        string found = ETag(File.GetLastWriteTimeUtc(file.SafeFileHandle), file.Length);
        if (etag is null || etag == found)
        {
            return Task.FromResult<Stream?>(file);
        }

        file.Dispose();
        return Task.FromResult<Stream?>(null);
    }

    /// <inheritdoc/>
    public async Task WriteAsync(string container, string name, Stream content, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        string path = PathOf(container, name) is { } valid && IsBlobName(name) && !IsReserved(container)
            ? valid
            : throw new ArgumentException($"'{container}/{name}' is no path that a blob can have here.", nameof(name));
        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        string temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true))
            {
                await content.CopyToAsync(file, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <inheritdoc/>
    public IDisposable? Watch(string container, Action changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        ContainerWatch watch = Container(container);
        watch.Changed += changed;
        Folder(container).Create();
        watch.Start(Folder(container).FullName, e => HostLog.WatchFailed(
            logger, Folder(container).FullName, options.Value.ScanInterval.TotalSeconds, e.Message));
        return new Subscription(watch, changed);
    }

    /// <summary>Ends all watching.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (ContainerWatch container in containers.Values)
            {
                container.Dispose();
            }

            containers.Clear();
        }
    }

    private List<TriggerBlob> Walk(string container, string prefix, CancellationToken cancellationToken)
    {
        DirectoryInfo root = Folder(container);
        var settled = new List<TriggerBlob>();
        if (!root.Exists)
        {
            return settled;
        }

        ContainerWatch watch = Container(container);
        var seen = new List<TriggerBlob>();
        var everything = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true };
        var folders = new Stack<DirectoryInfo>([root]);
        while (folders.TryPop(out DirectoryInfo? folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos("*", everything))
                {
                    if (!IsBlobPart(entry.Name))
                    {
                        continue;
                    }

                    if (entry is DirectoryInfo sub)
                    {
                        // A link to a folder may lead back up, and then there is no end.
                        if (sub.LinkTarget is null)
                        {
                            folders.Push(sub);
                        }
                    }
                    else if (Describe(root, (FileInfo)entry) is { } blob && blob.Name.StartsWith(prefix, StringComparison.Ordinal))
                    {
                        seen.Add(blob);
                    }
                }
            }
            catch (DirectoryNotFoundException)
            {
                // Deleted while it was walked.
            }
        }

        return watch.Settled(prefix, seen, options.Value.SettleTime);
    }

    private static TriggerBlob? Describe(DirectoryInfo root, FileInfo file)
    {
        try
        {
            FileInfo? content = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
            return content is { Exists: true } && IsBlobName(file.Name)
                ? new TriggerBlob(
                    Path.GetRelativePath(root.FullName, file.FullName).Replace(Path.DirectorySeparatorChar, '/'),
                    ETag(content.LastWriteTimeUtc, content.Length),
                    content.Length,
                    content.LastWriteTimeUtc)
                : null;
        }
        catch (IOException)
        {
            // Deleted, or a link that leads nowhere.
            return null;
        }
    }

    private ContainerWatch Container(string container)
    {
        lock (gate)
        {
            if (!containers.TryGetValue(container, out ContainerWatch? watch))
            {
                containers[container] = watch = new ContainerWatch(time);
            }

            return watch;
        }
    }

    private DirectoryInfo Folder(string container) => new(Path.Combine(settings.DataDirectory, container));

    // A blob's name may come out of a request, so it must not lead out of its container.
    private string? PathOf(string container, string name)
    {
        string[] parts = name.Split('/');
        bool inside = !container.AsSpan().ContainsAny('/', '\\', '\0') && container is not ("" or "." or "..")
            && !parts.Any(p => p is "" or "." or ".." || p.AsSpan().ContainsAny('\\', '\0') || (OperatingSystem.IsWindows() && p.Contains(':', StringComparison.Ordinal)));
        return inside ? Path.Combine([Folder(container).FullName, .. parts]) : null;
    }

    private static bool IsBlobName(string name) => name.Split('/').All(IsBlobPart);

    private static bool IsBlobPart(string part) =>
        !part.StartsWith('.') && !part.EndsWith('~') && !part.EndsWith(".tmp", StringComparison.OrdinalIgnoreCase);

    private static string ETag(DateTime modified, long length) =>
        string.Create(CultureInfo.InvariantCulture, $"\"0x{modified.Ticks:X}-{length:X}\"");

    private sealed class Subscription(ContainerWatch watch, Action changed) : IDisposable
    {
        public void Dispose() => watch.Changed -= changed;
    }

    /// <summary>What is known of one container's files, and who wants to know of changes.</summary>
    private sealed class ContainerWatch(TimeProvider time) : IDisposable
    {
        private readonly Lock gate = new();
        private readonly Dictionary<string, Sighting> sightings = new(StringComparer.Ordinal);
        private FileSystemWatcher? watcher;
        private ITimer? settleTimer;

        public event Action? Changed;

        public void Start(string folder, Action<Exception> failed)
        {
            lock (gate)
            {
                if (watcher is not null)
                {
                    return;
                }

                try
                {
                    watcher = new FileSystemWatcher(folder)
                    {
                        IncludeSubdirectories = true,
                        NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
                    };
                    watcher.Created += OnChanged;
                    watcher.Changed += OnChanged;
                    watcher.Renamed += OnChanged;

                    // Events may have been lost: look at everything.
                    watcher.Error += (_, _) => Changed?.Invoke();
                    watcher.EnableRaisingEvents = true;
                }
                catch (IOException e)
                {
                    // The machine's limit of watches is reached; scanning alone finds everything, only later.
                    watcher?.Dispose();
                    watcher = null;
                    failed(e);
                }
            }
        }

        /// <summary>Of the files that were seen now, those that have not changed for the settle time.</summary>
        public List<TriggerBlob> Settled(string prefix, List<TriggerBlob> seen, TimeSpan settleTime)
        {
            var settled = new List<TriggerBlob>();
            long now = time.GetTimestamp();
            TimeSpan? next = null;
            lock (gate)
            {
                foreach (TriggerBlob blob in seen)
                {
                    if (!sightings.TryGetValue(blob.Name, out Sighting sighting) || sighting.ETag != blob.ETag)
                    {
                        sighting = new Sighting(blob.ETag, now);
                        sightings[blob.Name] = sighting;
                    }

                    TimeSpan left = settleTime - time.GetElapsedTime(sighting.Since, now);
                    if (left <= TimeSpan.Zero)
                    {
                        settled.Add(blob);
                    }
                    else if (next is null || left < next)
                    {
                        next = left;
                    }
                }

                if (sightings.Count > seen.Count)
                {
                    var there = seen.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
                    foreach (string gone in sightings.Keys.Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && !there.Contains(n)).ToList())
                    {
                        sightings.Remove(gone);
                    }
                }

                if (next is { } due)
                {
                    settleTimer ??= time.CreateTimer(_ => Changed?.Invoke(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    settleTimer.Change(due, Timeout.InfiniteTimeSpan);
                }
            }

            return settled;
        }

        public void Dispose()
        {
            lock (gate)
            {
                watcher?.Dispose();
                settleTimer?.Dispose();
            }
        }

        private void OnChanged(object sender, FileSystemEventArgs e) => Changed?.Invoke();

        private readonly record struct Sighting(string ETag, long Since);
    }
}
