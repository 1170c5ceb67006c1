using System.Diagnostics;
using System.Globalization;

namespace Ulmfit.Storage.Tests;

/// <summary>What a second process does with a folder store while a test watches.</summary>
internal static class Child
{
    public const string Container = "race";

    /// <summary>Starts a job in a process of its own; standard output is redirected.</summary>
    public static Process Start(params string[] job) => Process.Start(StartInfo(job))!;

    public static ProcessStartInfo StartInfo(params string[] job)
    {
        var assembly = typeof(Child).Assembly.Location;
        var executable = Environment.ProcessPath!;
        var isHost = Path.GetFileNameWithoutExtension(executable) == "dotnet";
        return new ProcessStartInfo(executable, [.. isHost ? new[] { assembly } : [], "--child", .. job])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
    }

    /// <summary>So many bytes, all of one value.</summary>
    public static byte[] Filled(byte value, int size)
    {
        var content = new byte[size];
        content.AsSpan().Fill(value);
        return content;
    }

    public static async Task<int> RunAsync(string[] job)
    {
        switch (job)
        {
            case ["increment", var root, var times]:
                await IncrementAsync(new FolderBlobStore(root), Container, "counter", int.Parse(times, CultureInfo.InvariantCulture), default);
                return 0;
            case ["claim", var root, var who, var count]:
                await ClaimAsync(new FolderBlobStore(root), who, int.Parse(count, CultureInfo.InvariantCulture));
                return 0;
            case ["rewrite", var root, var size]:
                await RewriteAsync(new FolderBlobStore(root), int.Parse(size, CultureInfo.InvariantCulture));
                return 0;
            case ["draft", var root]:
                await DraftAsync(new FolderBlobStore(root));
                return 0;
            case ["stream", var root, var size]:
                await StreamAsync(new FolderBlobStore(root), long.Parse(size, CultureInfo.InvariantCulture));
                return 0;
            case ["fill", var root]:
                return await FillAsync(new FolderBlobStore(root));
            default:
                await Console.Error.WriteLineAsync($"Unknown job: {string.Join(' ', job)}");
                return 2;
        }
    }

    /// <summary>Adds one to a number in a blob, by compare-and-swap, so many times.</summary>
    public static async Task IncrementAsync(IBlobStore store, string container, string name, int times, CancellationToken ct)
    {
        for (var done = 0; done < times;)
        {
            var seen = await store.GetJsonAsync<int>(container, name, ct: ct) ?? throw new InvalidOperationException("No counter.");
            if (await store.PutJsonIfMatchAsync(container, name, seen.Value + 1, seen.Info.ETag, ct: ct) is not null)
            {
                done++;
            }
        }
    }

    /// <summary>Tries to be the first to write each of so many blobs; says which it won.</summary>
    private static async Task ClaimAsync(FolderBlobStore store, string who, int count)
    {
        Console.WriteLine("ready");
        Console.ReadLine();
        for (var i = 0; i < count; i++)
        {
            if (await store.PutTextIfAbsentAsync(Container, $"claims/{i}", who) is not null)
            {
                Console.WriteLine(i.ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>Writes one blob again and again, each time full of another byte, and says each version once it is written.</summary>
    private static async Task RewriteAsync(FolderBlobStore store, int size)
    {
        for (var version = 1; ; version++)
        {
            await store.PutAsync(Container, "blob", Filled((byte)version, size));
            Console.WriteLine(version.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Begins to write a blob and stays in the middle of it.</summary>
    private static async Task DraftAsync(FolderBlobStore store)
    {
        await using var half = new HaltingStream(() => Console.WriteLine("halted"));
        await store.PutAsync(Container, "halted", half);
    }

    /// <summary>Writes and reads a large blob and says how many bytes the managed heap has given out for it.</summary>
    private static async Task StreamAsync(FolderBlobStore store, long size)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await using (var content = new PatternStream(size))
        {
            await store.PutAsync(Container, "large", content);
        }
        await using (var back = (await store.OpenReadAsync(Container, "large"))!)
        {
            await back.CopyToAsync(Stream.Null);
        }
        Console.WriteLine((GC.GetTotalAllocatedBytes(precise: true) - before).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Writes until the disk is full; says what the store said, and whether the blob is still the old one.</summary>
    private static async Task<int> FillAsync(FolderBlobStore store)
    {
        await store.PutTextAsync(Container, "blob", "old");
        await using var endless = new PatternStream(long.MaxValue);
        try
        {
            await store.PutAsync(Container, "blob", endless);
        }
        catch (IOException e)
        {
            Console.WriteLine(e.Message);
            Console.WriteLine(await store.GetTextAsync(Container, "blob"));
            await store.PutTextAsync(Container, "blob", "new");
            Console.WriteLine(await store.GetTextAsync(Container, "blob"));
            return 0;
        }
        return 1;
    }
}
