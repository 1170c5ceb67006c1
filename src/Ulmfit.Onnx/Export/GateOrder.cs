namespace Ulmfit.Onnx.Export;

/// <summary>The order of an LSTM's gates, which stand in blocks one after the other.</summary>
internal static class GateOrder
{
    /// <summary>PyTorch's gate blocks i, f, g, o in ONNX's order i, o, f, c.</summary>
    public static float[] ToOnnx(ReadOnlySpan<float> gates) => Blocks(gates, [0, 3, 1, 2]);

    /// <summary>ONNX's gate blocks i, o, f, c in PyTorch's order i, f, g, o.</summary>
    public static float[] ToPyTorch(ReadOnlySpan<float> gates) => Blocks(gates, [0, 2, 3, 1]);

    private static float[] Blocks(ReadOnlySpan<float> gates, ReadOnlySpan<int> order)
    {
        float[] ordered = new float[gates.Length];
        int block = gates.Length / 4;
        for (int gate = 0; gate < 4; gate++)
        {
            gates.Slice(order[gate] * block, block).CopyTo(ordered.AsSpan(gate * block));
        }

        return ordered;
    }
}
