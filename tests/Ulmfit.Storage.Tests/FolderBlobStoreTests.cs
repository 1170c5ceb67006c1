using System.Diagnostics;
using System.Globalization;

namespace Ulmfit.Storage.Tests;

/// <summary>What the folder store does beyond the contract: files of others, other processes, links, a full disk.</summary>
public sealed class FolderBlobStoreTests : IDisposable
{
    private const string Container = Child.Container;

    private readonly DirectoryInfo outer = Directory.CreateTempSubdirectory("blobs-");
    private readonly string root;
    private readonly FolderBlobStore store;

    public FolderBlobStoreTests()
    {
        root = Path.Combine(outer.FullName, "data");
        store = new FolderBlobStore(root);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Drafts => Path.Combine(root, Container, ".blobs", "tmp");

    public void Dispose() => outer.Delete(recursive: true);

    [Fact]
    public async Task PutAsync_WritesAFileThatCopyingToolsCanUse()
    {
        await store.PutTextAsync("labeled", "tickets/a.csv", "text,label", Ct);

        Assert.Equal("text,label", await File.ReadAllTextAsync(Path.Combine(root, "labeled", "tickets", "a.csv"), Ct));
    }

    [Fact]
    public async Task AFileCopiedIn_IsABlobLikeAnyOther()
    {
        var path = CopyIn("tickets/drop.csv", "one");

        var info = await store.GetInfoAsync(Container, "tickets/drop.csv", Ct);

        Assert.Equal([info!], await store.ListAsync(Container, "tickets/", Ct).ToListAsync(Ct));
        Assert.Equal("one", await store.GetTextAsync(Container, "tickets/drop.csv", Ct));
        Assert.Null(await store.PutIfAbsentAsync(Container, "tickets/drop.csv", [1], Ct));
        Assert.NotNull(await store.PutIfMatchAsync(Container, "tickets/drop.csv", "two"u8.ToArray(), info!.ETag, Ct));
        Assert.Equal("two", await File.ReadAllTextAsync(path, Ct));
        Assert.True(await store.DeleteAsync(Container, "tickets/drop.csv", Ct));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task AFileOverwrittenInPlace_HasANewETagEachTime()
    {
        var seen = new HashSet<ETag>();

        for (var i = 0; i < 30; i++)
        {
            CopyIn("drop.csv", $"row {i % 10}");
            seen.Add((await store.GetInfoAsync(Container, "drop.csv", Ct))!.ETag);
        }

        Assert.Equal(30, seen.Count);
    }

    [Fact]
    public async Task AFileReplacedByOneOfEqualLengthAndTime_HasANewETag()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells when a file last changed whatever its times were set to.");
        var time = new DateTime(2024, 5, 6, 7, 8, 9, DateTimeKind.Utc);
        var path = CopyIn("drop.csv", "one");
        File.SetLastWriteTimeUtc(path, time);
        var first = await store.GetInfoAsync(Container, "drop.csv", Ct);

        var other = CopyIn("other.csv", "two");
        File.SetLastWriteTimeUtc(other, time);
        File.Move(other, path, overwrite: true);

        var second = await store.GetInfoAsync(Container, "drop.csv", Ct);
        Assert.Equal((first!.Length, first.LastModified), (second!.Length, second.LastModified));
        Assert.NotEqual(first.ETag, second.ETag);
    }

    [Fact]
    public async Task ABlobOverwrittenInPlaceByHand_LosesConditionalWritesOnItsOldETag()
    {
        var put = await store.PutTextAsync(Container, "a", "old", Ct);
        CopyIn("a", "new");

        Assert.Null(await store.PutIfMatchAsync(Container, "a", [1], put.ETag, Ct));
        Assert.False(await store.DeleteIfMatchAsync(Container, "a", put.ETag, Ct));
    }

    [Fact]
    public async Task ETag_OfAFileLeftAlone_StaysTheSame()
    {
        CopyIn("a", "x");
        var first = await store.GetInfoAsync(Container, "a", Ct);
        await store.GetTextAsync(Container, "a", Ct);
        await store.PutTextAsync(Container, "b", "x", Ct);

        Assert.Equal(first, await new FolderBlobStore(root).GetInfoAsync(Container, "a", Ct));
    }

    [Fact]
    public async Task OpenReadAsync_OfABlobReplacedOrDeleted_GoesOnGivingTheVersionOpened()
    {
        await store.PutTextAsync(Container, "a", "old", Ct);
        await using var first = await store.OpenReadAsync(Container, "a", Ct);
        await store.PutTextAsync(Container, "a", "newer", Ct);
        await using var second = await store.OpenReadAsync(Container, "a", Ct);
        await store.DeleteAsync(Container, "a", Ct);

        Assert.Equal("old", await new StreamReader(first!).ReadToEndAsync(Ct));
        Assert.Equal("newer", await new StreamReader(second!).ReadToEndAsync(Ct));
    }

    [Fact]
    public async Task OpenReadAsync_OfAFileOverwrittenInPlace_ThrowsInsteadOfMixing()
    {
        CopyIn("a", new string('1', 100_000));
        await using var stream = await store.OpenReadAsync(Container, "a", Ct);
        Assert.Equal('1', stream!.ReadByte());
        CopyIn("a", new string('2', 100_000));

        var error = await Assert.ThrowsAsync<IOException>(() => stream.CopyToAsync(Stream.Null, Ct));

        Assert.Contains("race/a", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListAsync_PassesOverWhatIsNoBlob()
    {
        await store.PutTextAsync(Container, "a/b", "x", Ct);
        CopyIn(".hidden", "x");
        CopyIn(".folder/inside", "x");
        CopyIn("a/.b.swp", "x");
        if (!OperatingSystem.IsWindows())
        {
            CopyIn("what?.csv", "x");
        }
        Directory.CreateDirectory(Path.Combine(root, Container, "empty"));

        Assert.Equal(["a/b"], await store.ListAsync(Container, ct: Ct).Select(blob => blob.Name).ToListAsync(Ct));
    }

    [Fact]
    public async Task APipe_IsNoBlobAndHoldsNobodyUp()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes among files.");
        CopyIn("a", "x");
        using (var made = Process.Start("mkfifo", Path.Combine(root, Container, "pipe")))
        {
            await made.WaitForExitAsync(Ct);
            Assert.Equal(0, made.ExitCode);
        }

        Assert.Null(await store.GetAsync(Container, "pipe", Ct));
        Assert.Equal(["a"], await store.ListAsync(Container, ct: Ct).Select(blob => blob.Name).ToListAsync(Ct));
        await Assert.ThrowsAsync<IOException>(() => store.PutAsync(Container, "pipe", [1], Ct));
    }

    [Theory]
    [InlineData("a", "a/b")]
    [InlineData("a", "a/b/c")]
    [InlineData("a/b", "a/b/c")]
    [InlineData("a/b", "a")]
    public async Task PutAsync_OfABlobThatWouldBeFileAndFolder_ThrowsAndKeepsTheOther(string first, string second)
    {
        await store.PutTextAsync(Container, first, "kept", Ct);

        var error = await Assert.ThrowsAsync<IOException>(() => store.PutAsync(Container, second, [1], Ct));
        await Assert.ThrowsAsync<IOException>(() => store.PutIfAbsentAsync(Container, second, [1], Ct));

        Assert.Contains($"race/{second}", error.Message, StringComparison.Ordinal);
        Assert.Null(await store.PutIfMatchAsync(Container, second, [1], new ETag("1"), Ct));
        Assert.Equal([first], await store.ListAsync(Container, ct: Ct).Select(blob => blob.Name).ToListAsync(Ct));
        Assert.Empty(Directory.GetFiles(Drafts));
    }

    [Theory]
    [InlineData("")]
    [InlineData("folder")]
    [InlineData("folder/secret")]
    [InlineData("folder/inner")]
    [InlineData(".blobs")]
    [InlineData(".blobs/tmp")]
    public async Task ASymbolicLinkOutOfTheRoot_IsNeitherFollowedNorWrittenThrough(string link)
    {
        var outside = Directory.CreateDirectory(Path.Combine(outer.FullName, "outside"));
        foreach (var name in new[] { "secret", "folder/secret", "inner/secret", "tmp/secret" })
        {
            var path = Path.Combine(outside.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, "secret", Ct);
        }
        var before = Snapshot(outside);
        var from = Path.Combine(root, Container, link);
        Directory.CreateDirectory(Path.GetDirectoryName(from)!);
        var to = link.Length == 0 ? outside.FullName : Path.Combine(outside.FullName, Path.GetFileName(link));
        if (link == "folder/secret")
        {
            File.CreateSymbolicLink(from, to);
        }
        else
        {
            Directory.CreateSymbolicLink(Path.TrimEndingDirectorySeparator(from), Directory.Exists(to) ? to : outside.FullName);
        }

        // Opened anew, so that the sweep meets the link too.
        var linked = new FolderBlobStore(root);
        var name1 = link == "folder/inner" ? "folder/inner/secret" : "folder/secret";
        var refused = await Assert.ThrowsAsync<IOException>(() => linked.PutAsync(Container, name1, [1], Ct));
        if (!link.StartsWith(".blobs", StringComparison.Ordinal))
        {
            await Assert.ThrowsAsync<IOException>(() => linked.GetAsync(Container, name1, Ct));
            await Assert.ThrowsAsync<IOException>(() => linked.OpenReadAsync(Container, name1, Ct));
            await Assert.ThrowsAsync<IOException>(() => linked.GetInfoAsync(Container, name1, Ct));
            await Assert.ThrowsAsync<IOException>(() => linked.PutIfAbsentAsync(Container, name1, [1], Ct));
            await Assert.ThrowsAsync<IOException>(() => linked.DeleteAsync(Container, name1, Ct));
        }
        if (link.Length == 0)
        {
            await Assert.ThrowsAsync<IOException>(async () => await linked.ListAsync(Container, ct: Ct).ToListAsync(Ct));
        }
        else
        {
            Assert.Empty(await linked.ListAsync(Container, ct: Ct).ToListAsync(Ct));
        }

        Assert.Contains("symbolic link", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot(outside));
    }

    [Fact]
    public async Task ARootThatIsALink_IsFollowed()
    {
        Directory.CreateDirectory(root);
        var link = Path.Combine(outer.FullName, "link");
        Directory.CreateSymbolicLink(link, root);

        await new FolderBlobStore(link).PutTextAsync(Container, "a", "x", Ct);

        Assert.Equal("x", await store.GetTextAsync(Container, "a", Ct));
    }

    [Fact]
    public async Task Constructor_OfAFile_Throws()
    {
        var file = Path.Combine(outer.FullName, "file");
        await File.WriteAllTextAsync(file, "x", Ct);

        var error = Assert.Throws<IOException>(() => new FolderBlobStore(file));

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_CreateNothing()
    {
        Assert.Null(await store.GetAsync(Container, "a", Ct));
        Assert.False(await store.DeleteAsync(Container, "a", Ct));
        Assert.Empty(await store.ListAsync(Container, ct: Ct).ToListAsync(Ct));

        Assert.False(Directory.Exists(root));
    }

    [Fact]
    public async Task PutIfMatchAsync_ByTwoProcesses_LosesNoUpdate()
    {
        await store.PutJsonAsync(Container, "counter", 0, ct: Ct);

        using var first = Child.Start("increment", root, "60");
        using var second = Child.Start("increment", root, "60");
        await Child.IncrementAsync(store, Container, "counter", 60, Ct);
        await first.WaitForExitAsync(Ct);
        await second.WaitForExitAsync(Ct);

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Equal(180, (await store.GetJsonAsync<int>(Container, "counter", ct: Ct))!.Value);
    }

    [Fact]
    public async Task PutIfAbsentAsync_ByTwoProcesses_ExactlyOneWinsEach()
    {
        const int count = 100;
        using var first = Child.Start("claim", root, "first", $"{count}");
        using var second = Child.Start("claim", root, "second", $"{count}");
        foreach (var process in new[] { first, second })
        {
            Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(Ct));
        }
        await first.StandardInput.WriteLineAsync("go");
        await second.StandardInput.WriteLineAsync("go");
        await first.StandardInput.FlushAsync(Ct);
        await second.StandardInput.FlushAsync(Ct);

        var wins = new Dictionary<string, string>();
        foreach (var (process, who) in new[] { (first, "first"), (second, "second") })
        {
            foreach (var line in (await process.StandardOutput.ReadToEndAsync(Ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.True(wins.TryAdd(line.Trim(), who), $"Both won {line}.");
            }
            await process.WaitForExitAsync(Ct);
        }

        Assert.Equal(count, wins.Count);
        foreach (var (number, who) in wins)
        {
            Assert.Equal(who, await store.GetTextAsync(Container, $"claims/{number}", Ct));
        }
    }

    [Fact]
    public async Task PutAsync_KilledAtAnyInstant_LeavesOldOrNewAndNoLock()
    {
        const int size = 3_000_000;
        for (var round = 1; round <= 6; round++)
        {
            using var writer = Child.Start("rewrite", root, $"{size}");
            var written = 0;
            // Killed after so many versions, at whatever it is doing then.
            while (written < 3 * round)
            {
                written = int.Parse((await writer.StandardOutput.ReadLineAsync(Ct))!, CultureInfo.InvariantCulture);
            }
            writer.Kill();
            await writer.WaitForExitAsync(Ct);
            while (await writer.StandardOutput.ReadLineAsync(Ct) is { Length: > 0 } line)
            {
                written = int.Parse(line, CultureInfo.InvariantCulture);
            }

            var reopened = new FolderBlobStore(root);
            var blob = await reopened.GetAsync(Container, "blob", Ct);
            Assert.Equal(size, blob!.Bytes.Length);
            Assert.InRange(blob.Bytes[0], written, written + 1);
            Assert.Equal(-1, blob.Bytes.AsSpan().IndexOfAnyExcept(blob.Bytes[0]));
            Assert.Equal([blob.Info], await reopened.ListAsync(Container, ct: Ct).ToListAsync(Ct));
            Assert.Empty(Directory.GetFiles(Drafts));
            Assert.NotNull(await reopened.PutIfMatchAsync(Container, "blob", Child.Filled(0, size), blob.Info.ETag, Ct));
        }
    }

    [Fact]
    public async Task OpeningAStore_SweepsTheDraftsOfTheDeadAndNotOfTheLiving()
    {
        using var writer = Child.Start("draft", root);
        Assert.Equal("halted", await writer.StandardOutput.ReadLineAsync(Ct));
        var draft = Assert.Single(Directory.GetFiles(Drafts));

        _ = new FolderBlobStore(root);
        Assert.True(File.Exists(draft));
        Assert.Empty(await store.ListAsync(Container, ct: Ct).ToListAsync(Ct));

        writer.Kill();
        await writer.WaitForExitAsync(Ct);
        _ = new FolderBlobStore(root);
        Assert.False(File.Exists(draft));
        Assert.Null(await store.GetInfoAsync(Container, "halted", Ct));
    }

    [Fact]
    public async Task PutAndOpenRead_OfALargeBlob_DoNotHoldItInMemory()
    {
        using var child = Child.Start("stream", root, $"{64L << 20}");

        var allocated = long.Parse((await child.StandardOutput.ReadLineAsync(Ct))!, CultureInfo.InvariantCulture);

        await child.WaitForExitAsync(Ct);
        Assert.InRange(allocated, 0, 4 << 20);
    }

    [Fact]
    public async Task PutAsync_WhereFilesAreNotLocked_RefusesInsteadOfLosingUpdates()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows locks files in any case.");
        var start = Child.StartInfo("increment", root, "1");
        start.Environment["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1";
        start.RedirectStandardError = true;
        await store.PutJsonAsync(Container, "counter", 0, ct: Ct);

        using var child = Process.Start(start)!;
        var error = await child.StandardError.ReadToEndAsync(Ct);
        await child.WaitForExitAsync(Ct);

        Assert.NotEqual(0, child.ExitCode);
        Assert.Contains("does not lock files", error, StringComparison.Ordinal);
        Assert.Equal(0, (await store.GetJsonAsync<int>(Container, "counter", ct: Ct))!.Value);
    }

    [Fact]
    public async Task PutAsync_OnAFullDisk_SaysWhatToDoAndKeepsTheOldVersion()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A small disk of one's own is made with Linux's namespaces.");
        Directory.CreateDirectory(root);
        using var probe = Process.Start(new ProcessStartInfo("unshare", ["-rm", "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", root]) { RedirectStandardError = true })!;
        await probe.WaitForExitAsync(Ct);
        Assert.SkipUnless(probe.ExitCode == 0, "This machine does not let users mount in a namespace of their own.");
        var child = Child.StartInfo("fill", root);
        var start = new ProcessStartInfo("unshare", ["-rm", "sh", "-c", "mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$@\"", root, child.FileName, .. child.ArgumentList])
        {
            RedirectStandardOutput = true,
        };

        using var filling = Process.Start(start)!;
        var said = (await filling.StandardOutput.ReadToEndAsync(Ct)).Split('\n');
        await filling.WaitForExitAsync(Ct);

        Assert.Equal(0, filling.ExitCode);
        Assert.Contains($"The disk that holds {root} is full", said[0], StringComparison.Ordinal);
        Assert.Equal("old", said[1]);
        Assert.Equal("new", said[2]);
    }

    private string CopyIn(string name, string content)
    {
        var path = Path.Combine(root, Container, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    private static string Snapshot(DirectoryInfo folder) =>
        string.Join('\n', folder.GetFileSystemInfos("*", SearchOption.AllDirectories).OrderBy(entry => entry.FullName, StringComparer.Ordinal)
            .Select(entry => $"{entry.FullName} {(entry is FileInfo file ? File.ReadAllText(file.FullName) : "")}"));
}
