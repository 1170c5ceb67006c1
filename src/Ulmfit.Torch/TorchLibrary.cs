using System.Runtime.InteropServices;
using TorchSharp;

namespace Ulmfit.Torch;

/// <summary>The native library, which is loaded once for the process.</summary>
internal static class TorchLibrary
{
    private const string WorkspaceConfiguration = "CUBLAS_WORKSPACE_CONFIG";

    /// <summary>Loads libtorch, with CUDA where it was built with it, and says whether there is a device for that.</summary>
    /// <exception cref="TorchUnavailableException">It is not there, or not for this machine.</exception>
    public static bool Load()
    {
        try
        {
            // Before any operation: libtorch looks for its CUDA part once, and what is loaded after that is not seen.
            return torch.cuda.is_available();
        }
        catch (Exception exception) when (exception is NotSupportedException or DllNotFoundException or EntryPointNotFoundException or BadImageFormatException or TypeInitializationException)
        {
            throw new TorchUnavailableException(
                $"The engine 'torch' needs libtorch, which could not be loaded for {RuntimeInformation.RuntimeIdentifier}. "
                + "Build with -p:AzurePackages=true and -p:TorchDevice=cpu, or cuda for a machine with an NVIDIA GPU, for a system that libtorch exists for (x64 with Windows or a Linux with glibc), "
                + "or choose the engine 'cpu', which needs no library.",
                exception);
        }
    }

    /// <summary>
    /// Asks cuBLAS and cuDNN for workspaces of their own to each stream, without which equal calls need not give equal bits,
    /// unless the process was started with a setting for them. To be called before the first operation on a CUDA device.
    /// </summary>
    public static void MakeRepeatable()
    {
        // What .NET sets is not seen by native code on Linux, so it is set there directly.
        if (OperatingSystem.IsLinux())
        {
            _ = SetEnvironment(WorkspaceConfiguration, ":4096:8", overwrite: 0);
        }
    }

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
