namespace Ulmfit.Onnx;

/// <summary>What the weights of a classifier's encoder are; its head is always float32.</summary>
public enum OnnxPrecision
{
    /// <summary>32-bit floating point.</summary>
    Float32,

    /// <summary>Integers of eight bits.</summary>
    Int8,
}
