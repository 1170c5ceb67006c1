using System.IO.MemoryMappedFiles;

namespace Fuzz;

/// <summary>
/// A small file that says which input each thread is at, so that one which kills the process (a stack that overflows, memory that runs
/// out) can be made again: two numbers of 64 bits a thread, the target's place in the list of targets and the input's number.
/// </summary>
internal sealed class InFlight : IDisposable
{
    private const int Entry = 16;

    private readonly string path;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;

    public InFlight(string path, int threads)
    {
        this.path = path;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, threads * Entry);
        view = file.CreateViewAccessor();
    }

    /// <summary>What a thread tries now.</summary>
    public void Set(int thread, int target, long index)
    {
        view.Write(thread * Entry, (long)target);
        view.Write((thread * Entry) + sizeof(long), index);
    }

    /// <summary>Ends; the file stays only where it tells of something.</summary>
    public void Close(bool keep)
    {
        Dispose();
        if (!keep)
        {
            File.Delete(path);
        }
    }

    public void Dispose()
    {
        view.Dispose();
        file.Dispose();
    }
}
