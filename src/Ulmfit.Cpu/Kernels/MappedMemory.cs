using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Ulmfit.Cpu.Kernels;

/// <summary>
/// Large blocks of zeros that go back to the system the moment they are freed. On Linux the C library keeps what large blocks have
/// left behind, in one pool for each of many threads; a host in which every epoch may come to another thread would hold a network's
/// memory many times over, and clear reserves that nobody writes to. There a large block is a mapping of its own. Elsewhere it is
/// one already.
/// </summary>
internal static unsafe partial class MappedMemory
{
    private const nuint SmallestMapping = 64 * 1024;
    private const int ReadAndWrite = 3;
    private const int PrivateAndAnonymous = 0x22;

    /// <summary>A block of zeros.</summary>
    /// <exception cref="InsufficientMemoryException">There is no room for it.</exception>
    public static void* Allocate(nuint bytes)
    {
        if (!IsMapped(bytes))
        {
            return NativeMemory.AllocZeroed(bytes);
        }

        void* block = Map(null, bytes, ReadAndWrite, PrivateAndAnonymous, -1, 0);
        return block == (void*)-1
            ? throw new InsufficientMemoryException($"{bytes >> 20} MiB of memory cannot be had: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}")
            : block;
    }

    /// <summary>Frees a block; none (null) is fine.</summary>
    /// <param name="block">What <see cref="Allocate"/> gave.</param>
    /// <param name="bytes">For how many bytes.</param>
    public static void Free(void* block, nuint bytes)
    {
        if (block == null)
        {
            return;
        }

        if (IsMapped(bytes))
        {
            _ = Unmap(block, bytes);
        }
        else
        {
            NativeMemory.Free(block);
        }
    }

    private static bool IsMapped(nuint bytes) => OperatingSystem.IsLinux() && bytes >= SmallestMapping;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);
}
