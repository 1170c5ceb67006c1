using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Ulmfit.Storage.Folder;

namespace Ulmfit.Storage;

/// <summary>
/// Blobs as files: a container is a folder under the root, a blob the file of its name. What a user copies in is a blob.
/// </summary>
/// <remarks>
/// <para>A write goes to a file in the container's hidden folder <c>.blobs</c>, is brought to the disk, and takes the blob's name in one
/// step, so that a process killed at any instant leaves the old version or the new one. Writers in any number of processes
/// exclude one another by locks that end with their process. What killed writers left behind is swept when a store is opened.</para>
/// <para>Hidden files, symbolic links, and files whose name is not a blob's (<see cref="BlobNames"/>) are not listed. A symbolic
/// link under the root is refused wherever a name leads over one: nothing outside the root is read or written. The root itself may be one.</para>
/// <para>A folder cannot hold a blob <c>a</c> beside a blob <c>a/b</c>: the later write throws <see cref="IOException"/>. Folders that
/// become empty by a delete are removed.</para>
/// <para>ETags come from what the file system notes of a file. Restoring files from a backup, or changing their rights, gives them new ones.</para>
/// </remarks>
public sealed class FolderBlobStore : IBlobStore
{
    private const string Hidden = ".blobs";
    private const int CopyBuffer = 1 << 17;
    private const int DigestedPiece = 1 << 22;
    private const int Attempts = 10;

    private readonly string root;
    private readonly FolderLocks locks = new();
    private readonly ConcurrentDictionary<string, bool> prepared = new(StringComparer.Ordinal);

    /// <summary>Opens the store and sweeps what killed writers left behind.</summary>
    /// <param name="root">The folder that holds the containers; comes into being with the first write.</param>
    /// <exception cref="ArgumentException"><paramref name="root"/> is empty.</exception>
    /// <exception cref="IOException"><paramref name="root"/> is a file.</exception>
    public FolderBlobStore(string root)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(root);
        this.root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (File.Exists(this.root))
        {
            throw new IOException($"{this.root} is a file; the store needs a folder there.");
        }
        Sweep();
    }

    /// <inheritdoc />
    public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) =>
        GetAsync(container, name, ReadAsync, ct);

    /// <inheritdoc />
    public async Task<DigestedBlob?> GetDigestedAsync(string container, string name, CancellationToken ct = default)
    {
        byte[] digest = [];
        var content = await GetAsync(
            container,
            name,
            async (file, bytes, token) =>
            {
                int read;
                (read, digest) = await DigestAsync(file, bytes, token).ConfigureAwait(false);
                return read;
            },
            ct).ConfigureAwait(false);
        return content is null ? null : new DigestedBlob(content, digest);
    }

    /// <inheritdoc />
    public async Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default)
    {
        var path = Locate(container, name);
        ct.ThrowIfCancellationRequested();
        var file = OpenFile(path);
        if (file is null)
        {
            return null;
        }
        try
        {
            var version = await SettleAsync(file, ct).ConfigureAwait(false);
            return new FileReadStream(file, version, $"{container}/{name}");
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public async Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default)
    {
        var path = Locate(container, name);
        return await CurrentAsync(path, ct).ConfigureAwait(false) is { } version ? version.Describe(name) : null;
    }

    /// <inheritdoc />
    public async Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        (await WriteAsync(container, name, content, _ => true, mustBeNew: false, ct).ConfigureAwait(false))!;

    /// <inheritdoc />
    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        WriteAsync(container, name, content, current => current is null, mustBeNew: true, ct);

    /// <inheritdoc />
    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(etag.Value, nameof(etag));
        return WriteAsync(container, name, content, current => current?.ETag == etag, mustBeNew: false, ct);
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", [EnumeratorCancellation] CancellationToken ct = default)
    {
        BlobNames.CheckContainer(container);
        BlobNames.CheckPrefix(prefix);
        var folder = Path.Combine(root, container);
        RefuseLink(folder, FileVersion.Of(folder));
        await foreach (var blob in WalkAsync(folder, "", prefix, ct).ConfigureAwait(false))
        {
            yield return blob;
        }
    }

    /// <inheritdoc />
    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) =>
        RemoveAsync(container, name, _ => true, ct);

    /// <inheritdoc />
    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(etag.Value, nameof(etag));
        return RemoveAsync(container, name, current => current.ETag == etag, ct);
    }

    private async Task<BlobContent?> GetAsync(
        string container, string name, Func<FileStream, byte[], CancellationToken, ValueTask<int>> readAsync, CancellationToken ct)
    {
        var path = Locate(container, name);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            ct.ThrowIfCancellationRequested();
            using var file = OpenFile(path);
            if (file is null)
            {
                return null;
            }
            var version = await SettleAsync(file, ct).ConfigureAwait(false);
            if (version.Length > Array.MaxLength)
            {
                throw new IOException($"{container}/{name} has {version.Length} bytes, more than an array holds. Read it as a stream.");
            }
            var bytes = GC.AllocateUninitializedArray<byte>((int)version.Length);
            var read = await readAsync(file, bytes, ct).ConfigureAwait(false);
            if (read == bytes.Length && FileVersion.Of(file.SafeFileHandle, path).HasContentOf(version))
            {
                return new BlobContent(version.Describe(name), bytes);
            }
        }
        throw new IOException($"{container}/{name} is being written in place by another program. Read it again when that is done.");
    }

    private static ValueTask<int> ReadAsync(FileStream file, byte[] bytes, CancellationToken ct) =>
        file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);

    // Each piece is digested while the next one is read: of a large file that takes as long as the slower of the two.
    private static async Task<(int Read, byte[] Digest)> DigestAsync(FileStream file, byte[] bytes, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var digesting = Task.CompletedTask;
        var read = 0;
        try
        {
            while (read < bytes.Length)
            {
                var piece = bytes.AsMemory(read, Math.Min(DigestedPiece, bytes.Length - read));
                var count = await file.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, ct).ConfigureAwait(false);
                await digesting.ConfigureAwait(false);
                digesting = Task.Run(() => hash.AppendData(piece.Span[..count]), CancellationToken.None);
                read += count;
                if (count < piece.Length)
                {
                    break;
                }
            }
        }
        finally
        {
            await digesting.ConfigureAwait(false);
        }
        return (read, hash.GetHashAndReset());
    }

    private async Task<BlobInfo?> WriteAsync(
        string container, string name, Stream content, Func<FileVersion?, bool> condition, bool mustBeNew, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(content);
        var path = Locate(container, name);
        // A lost race need not cost the upload; the condition is decided below, under the lock.
        if (!condition(await CurrentAsync(path, ct).ConfigureAwait(false)))
        {
            return null;
        }
        RefuseClash(container, name);
        try
        {
            var hidden = Prepare(container);
            using var draft = CreateDraft(Path.Combine(hidden, "tmp"));
            var published = false;
            try
            {
                await content.CopyToAsync(draft, CopyBuffer, ct).ConfigureAwait(false);
                await draft.FlushAsync(ct).ConfigureAwait(false);
                File.SetLastWriteTimeUtc(draft.SafeFileHandle, DateTime.UtcNow);
                draft.Flush(flushToDisk: true);

                FileVersion written;
                using (await locks.AcquireAsync(Path.Combine(hidden, "locks"), name, ct).ConfigureAwait(false))
                {
                    var current = Existing(path);
                    if (!condition(current))
                    {
                        return null;
                    }
                    if (current?.Modified == FileVersion.Of(draft.SafeFileHandle, draft.Name).Modified)
                    {
                        File.SetLastWriteTimeUtc(draft.SafeFileHandle, current.Value.LastModified.UtcDateTime.AddTicks(1));
                    }
                    if (!Publish(draft.Name, path, mustBeNew))
                    {
                        return null;
                    }
                    published = true;
                    written = FileVersion.Of(draft.SafeFileHandle, path);
                }
                SyncDirectory(Path.GetDirectoryName(path)!);
                return written.Describe(name);
            }
            finally
            {
                if (!published)
                {
                    File.Delete(draft.Name);
                }
            }
        }
        catch (Exception e) when (StorageFailures.Of(e) is StorageFailure.Full or StorageFailure.ReadOnly)
        {
            throw Unwritable(e, $"{container}/{name} was not written, and what was there before is unchanged");
        }
    }

    private async Task<bool> RemoveAsync(string container, string name, Func<FileVersion, bool> condition, CancellationToken ct)
    {
        var path = Locate(container, name);
        if (await CurrentAsync(path, ct).ConfigureAwait(false) is null)
        {
            return false;
        }
        try
        {
            var hidden = Prepare(container);
            using (await locks.AcquireAsync(Path.Combine(hidden, "locks"), name, ct).ConfigureAwait(false))
            {
                if (Existing(path) is not { } current || !condition(current))
                {
                    return false;
                }
                File.Delete(path);
                SyncDirectory(RemoveEmptyFolders(path, Path.Combine(root, container)));
                return true;
            }
        }
        catch (Exception e) when (StorageFailures.Of(e) is StorageFailure.Full or StorageFailure.ReadOnly)
        {
            throw Unwritable(e, $"{container}/{name} was not deleted");
        }
    }

    private IOException Unwritable(Exception e, string consequence) => StorageFailures.Of(e) == StorageFailure.Full
        ? new IOException($"The disk that holds {root} is full: {consequence}. Free space there or move the data directory to a larger disk, then try again.", e)
        : new IOException($"{root} cannot be written: {consequence}. Make the folder and its file system writable for the user that runs this program, then try again. ({e.Message})", e);

    private async IAsyncEnumerable<BlobInfo> WalkAsync(string folder, string at, string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var (path, name, isFolder) in Entries(folder, at, prefix))
        {
            ct.ThrowIfCancellationRequested();
            if (isFolder)
            {
                await foreach (var blob in WalkAsync(path, name, prefix, ct).ConfigureAwait(false))
                {
                    yield return blob;
                }
            }
            else if (await CurrentAsync(path, ct).ConfigureAwait(false) is { } version)
            {
                yield return version.Describe(name);
            }
        }
    }

    /// <summary>What a folder holds, so ordered that a walk gives whole names in ordinal order: a folder stands where its slash puts it.</summary>
    private static List<(string Path, string Name, bool IsFolder)> Entries(string folder, string at, string prefix)
    {
        var entries = new List<(string Path, string Name, bool IsFolder)>();
        try
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", new EnumerationOptions { AttributesToSkip = 0 }))
            {
                var name = at + Path.GetFileName(path);
                if (!BlobNames.IsBlobName(name))
                {
                    continue;
                }
                switch (FileVersion.Of(path)?.Kind)
                {
                    case EntryKind.File when name.StartsWith(prefix, StringComparison.Ordinal):
                        entries.Add((path, name, false));
                        break;
                    case EntryKind.Directory when Reaches(name + "/", prefix):
                        entries.Add((path, name + "/", true));
                        break;
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            return []; // no such container, or a folder removed during the walk
        }
        entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return entries;
    }

    private static bool Reaches(string folder, string prefix) =>
        folder.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(folder, StringComparison.Ordinal);

    /// <summary>The path of a blob, none of whose steps is a symbolic link.</summary>
    private string Locate(string container, string name)
    {
        BlobNames.CheckContainer(container);
        BlobNames.CheckBlob(name);
        var path = Path.Combine(root, container);
        RefuseLink(path, FileVersion.Of(path));
        foreach (var segment in name.Split('/'))
        {
            path = Path.Combine(path, segment);
            RefuseLink(path, FileVersion.Of(path));
        }
        return path;
    }

    /// <summary>A file cannot be a folder too, which blobs of Azure can.</summary>
    private void RefuseClash(string container, string name)
    {
        for (var slash = name.IndexOf('/'); slash >= 0; slash = name.IndexOf('/', slash + 1))
        {
            if (FileVersion.Of(Path.Combine(root, container, name[..slash])) is { Kind: not EntryKind.Directory })
            {
                throw new IOException($"{container}/{name} cannot be written: {container}/{name[..slash]} is a file, so it cannot be a folder too.");
            }
        }
        if (FileVersion.Of(Path.Combine(root, container, name)) is { Kind: not EntryKind.File })
        {
            throw new IOException($"{container}/{name} cannot be written: a folder has this name.");
        }
    }

    private void RefuseLink(string path, FileVersion? entry)
    {
        if (entry?.Kind == EntryKind.Link)
        {
            throw new IOException(
                $"{Path.GetRelativePath(root, path)} in {root} is a symbolic link. The store does not follow links, so as never to leave its folder; put the files themselves there.");
        }
    }

    private static FileStream? OpenFile(string path)
    {
        if (Existing(path) is null)
        {
            return null;
        }
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // deleted in between
        }
    }

    private static FileVersion? Existing(string path) => FileVersion.Of(path) is { Kind: EntryKind.File } version ? version : null;

    private static Task<FileVersion?> CurrentAsync(string path, CancellationToken ct) => SettleAsync(() => Existing(path), ct);

    private static async Task<FileVersion> SettleAsync(FileStream file, CancellationToken ct) =>
        (await SettleAsync(() => FileVersion.Of(file.SafeFileHandle, file.Name), ct).ConfigureAwait(false))!.Value;

    /// <summary>A version whose ETag no write in place to come can share; see <see cref="FileVersion"/>.</summary>
    private static async Task<FileVersion?> SettleAsync(Func<FileVersion?> look, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var version = look();
        // A file that another program goes on writing never settles; the last look is then as good as any.
        for (var attempt = 0; attempt < Attempts && version is { } seen && !seen.IsSettled(DateTimeOffset.UtcNow, out var wait); attempt++)
        {
            await Task.Delay(wait, ct).ConfigureAwait(false);
            version = look();
        }
        return version;
    }

    /// <summary>Gives a draft the blob's name.</summary>
    /// <returns>Whether it got it; false when the blob must be new and the name is taken.</returns>
    private static bool Publish(string draft, string path, bool mustBeNew)
    {
        var folder = Path.GetDirectoryName(path)!;
        for (var attempt = 1; ; attempt++)
        {
            CreateFolder(folder);
            try
            {
                if (!mustBeNew)
                {
                    File.Move(draft, path, overwrite: true);
                    return true;
                }
                if (OperatingSystem.IsLinux() && Posix.TryRenameWithoutReplacing(draft, path) is { } renamed)
                {
                    return renamed;
                }
                File.Move(draft, path, overwrite: false);
                return true;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && File.Exists(draft) && attempt < Attempts)
            {
                // A delete in another process has just removed the empty folder.
            }
            catch (IOException) when (mustBeNew && Existing(path) is not null)
            {
                return false;
            }
        }
    }

    /// <summary>Removes the folders that a delete has emptied, up to the container.</summary>
    /// <returns>The folder that has changed on the disk.</returns>
    private static string RemoveEmptyFolders(string path, string container)
    {
        var folder = Path.GetDirectoryName(path)!;
        try
        {
            while (folder != container)
            {
                Directory.Delete(folder, recursive: false);
                folder = Path.GetDirectoryName(folder)!;
            }
        }
        catch (IOException)
        {
            // It is not empty, or another delete was quicker: those above it stay as they are.
        }
        return folder;
    }

    /// <summary>Creates a folder and those above it, and brings their entries to the disk.</summary>
    private static void CreateFolder(string path)
    {
        var missing = new Stack<string>();
        for (var folder = path; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            missing.Push(folder);
        }
        foreach (var folder in missing)
        {
            Directory.CreateDirectory(folder);
            SyncDirectory(Path.GetDirectoryName(folder)!);
        }
    }

    private static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            Posix.SyncDirectory(path);
        }
    }

    /// <summary>The container's hidden folder, ready to be written to.</summary>
    private string Prepare(string container)
    {
        var hidden = Path.Combine(root, container, Hidden);
        if (!prepared.ContainsKey(container) || !Directory.Exists(hidden))
        {
            RefuseLink(hidden, FileVersion.Of(hidden));
            foreach (var part in new[] { "tmp", "locks" })
            {
                var folder = Path.Combine(hidden, part);
                RefuseLink(folder, FileVersion.Of(folder));
                CreateFolder(folder);
            }
            prepared[container] = true;
        }
        return hidden;
    }

    /// <summary>Creates the file that a version is written to. It is shared in a way that keeps <see cref="Sweep"/> off while it is open.</summary>
    private static FileStream CreateDraft(string folder)
    {
        for (var attempt = 1; ; attempt++)
        {
            var path = Path.Combine(folder, Guid.NewGuid().ToString("N"));
            try
            {
                var draft = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Delete, bufferSize: 1);
                if (File.Exists(path))
                {
                    return draft;
                }
                draft.Dispose(); // swept before it was locked
            }
            catch (IOException e) when (attempt < Attempts && FolderLocks.IsHeld(e))
            {
                // A sweep has found it before it was locked, and deletes it.
            }
        }
    }

    /// <summary>Deletes the drafts of writers that are no more: a living one keeps its draft open, and with it locked.</summary>
    private void Sweep()
    {
        if (!Directory.Exists(root))
        {
            return;
        }
        foreach (var container in Directory.EnumerateDirectories(root))
        {
            var drafts = Path.Combine(container, Hidden, "tmp");
            var isOwn = new[] { container, Path.Combine(container, Hidden), drafts }.All(folder => FileVersion.Of(folder)?.Kind == EntryKind.Directory);
            if (!isOwn)
            {
                continue;
            }
            foreach (var draft in Directory.EnumerateFiles(drafts))
            {
                try
                {
                    using var stale = FolderLocks.TryOpen(draft, FileMode.Open);
                    if (stale is not null)
                    {
                        File.Delete(draft);
                    }
                }
                catch (Exception e) when (e is FileNotFoundException || StorageFailures.Of(e) == StorageFailure.ReadOnly)
                {
                    // Published or swept by somebody else in between, or another user's: not ours to sweep.
                }
            }
        }
    }
}
