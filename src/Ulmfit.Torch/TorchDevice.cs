using System.Globalization;
using TorchSharp;

namespace Ulmfit.Torch;

/// <summary>Finds the device that a setting names.</summary>
internal static class TorchDevice
{
    private const string Cuda = "cuda";

    /// <summary>The device of that name, or the best there is.</summary>
    /// <exception cref="ArgumentException">There is no such device.</exception>
    /// <exception cref="TorchUnavailableException">libtorch cannot be loaded.</exception>
    public static Device Open(string? name)
    {
        bool cuda = TorchLibrary.Load();
        if (name is null)
        {
            return cuda ? torch.device(DeviceType.CUDA, 0) : torch.device(DeviceType.CPU);
        }

        if (name.Equals("cpu", StringComparison.OrdinalIgnoreCase))
        {
            return torch.device(DeviceType.CPU);
        }

        // Always with an index: a module moved to a device without one would take its weights for lying elsewhere.
        int index = 0;
        bool known = name.Equals(Cuda, StringComparison.OrdinalIgnoreCase)
            || (name.StartsWith(Cuda + ":", StringComparison.OrdinalIgnoreCase) && int.TryParse(name.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out index));
        if (!known)
        {
            throw new ArgumentException($"There is no device '{name}'; it is cpu, cuda or cuda with a number, as cuda:1.", nameof(name));
        }

        int count = cuda ? torch.cuda.device_count() : 0;
        return index < count ? torch.device(DeviceType.CUDA, index) : throw new ArgumentException($"The device '{name}' was asked for, but libtorch sees {count} CUDA devices here.", nameof(name));
    }
}
