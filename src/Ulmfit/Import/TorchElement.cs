namespace Ulmfit.Import;

/// <summary>The type of a storage's elements, by the name that PyTorch's storage types have.</summary>
internal enum TorchElement
{
    Float,
    Double,
    Half,
    BFloat16,
    Long,
    Int,
    Short,
    Char,
    Byte,
    Bool,
}

/// <summary>Helpers over <see cref="TorchElement"/>.</summary>
internal static class TorchElementExtensions
{
    /// <summary>Bytes of an element.</summary>
    public static int Size(this TorchElement element) => element switch
    {
        TorchElement.Double or TorchElement.Long => 8,
        TorchElement.Float or TorchElement.Int => 4,
        TorchElement.Half or TorchElement.BFloat16 or TorchElement.Short => 2,
        _ => 1,
    };

    /// <summary>Whether it is a floating-point type, as weights are.</summary>
    public static bool IsFloatingPoint(this TorchElement element) => element is TorchElement.Float or TorchElement.Double or TorchElement.Half or TorchElement.BFloat16;
}
