using Microsoft.ML.OnnxRuntime;
using Ulmfit.Metrics;
using Ulmfit.Onnx.Export;

namespace Ulmfit.Onnx.Execution;

/// <summary>The heads of all directions: from what was pooled of a document to its calibrated probabilities, a document at a time.</summary>
internal sealed class ClassifierHead : IDisposable
{
    private static readonly string[] OutputNames = [ServingGraphs.Probabilities];

    private readonly InferenceSession session;
    private readonly string[] inputs;
    private readonly double temperature;

    /// <summary>Opens the heads of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="layouts">Its directions.</param>
    /// <param name="temperature">What the probabilities are scaled with.</param>
    /// <exception cref="InvalidDataException">A constant is missing, or ONNX Runtime refuses the model.</exception>
    public ClassifierHead(OnnxFile file, IReadOnlyList<DirectionLayout> layouts, double temperature)
    {
        this.temperature = temperature;
        session = Sessions.Open(ServingGraphs.Head(file, layouts).Model, threads: 1);
        inputs = [.. layouts.Select(layout => ServingGraphs.Pooled(layout.Direction))];
    }

    /// <summary>The probabilities of a document.</summary>
    /// <param name="pooled">What was pooled in each direction.</param>
    public float[] Classify(IReadOnlyList<float[]> pooled)
    {
        OrtValue[] values = [.. pooled.Select(features => OrtValue.CreateTensorValueFromMemory(features, [1, features.Length]))];
        try
        {
            using var run = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, inputs, values, OutputNames);
            float[] probabilities = outputs[0].GetTensorDataAsSpan<float>().ToArray();

            // Not in the graph: there a logarithm or a power may be computed otherwise at the end of a batch than within it.
            TemperatureScaling.Apply(probabilities, temperature);
            return probabilities;
        }
        finally
        {
            foreach (OrtValue value in values)
            {
                value.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();
}
