using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Ulmfit.Onnx.Export;

namespace Ulmfit.Onnx.Execution;

/// <summary>Constants that a session reads where they stand in a file. To be disposed after the session.</summary>
internal sealed class GivenConstants : IDisposable
{
    private readonly List<OrtValue> values = [];
    private GCHandle pin;

    /// <summary>Pins the file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="constants">Tensors of floats, known to hold as many values as their shapes say.</param>
    public GivenConstants(OnnxFile file, IReadOnlyList<OnnxConstant> constants)
    {
        Constants = constants;
        pin = file.Pin();
        foreach (OnnxConstant constant in constants)
        {
            (int offset, int length) = constant.Data.GetOffsetAndLength(int.MaxValue);
            long[] shape = [.. constant.Shape.Select(extent => (long)extent)];
            values.Add(OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, TensorElementType.Float, shape, pin.AddrOfPinnedObject() + offset, length));
        }
    }

    /// <summary>The constants.</summary>
    public IReadOnlyList<OnnxConstant> Constants { get; }

    /// <summary>Gives them to the session that is opened with these options.</summary>
    public void AddTo(SessionOptions options)
    {
        for (int i = 0; i < values.Count; i++)
        {
            options.AddInitializer(Constants[i].Name, values[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in values)
        {
            value.Dispose();
        }

        if (pin.IsAllocated)
        {
            pin.Free();
        }
    }
}
