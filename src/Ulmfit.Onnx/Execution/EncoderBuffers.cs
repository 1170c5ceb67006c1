using Microsoft.ML.OnnxRuntime;

namespace Ulmfit.Onnx.Execution;

/// <summary>The tensors of a run, kept for the next: nothing is allocated as long as the shape stays.</summary>
internal sealed class EncoderBuffers(DirectionEncoder encoder) : IDisposable
{
    private readonly int outputWidth = encoder.Layout.WidthOf(encoder.Layout.Config.Encoder.Layers - 1);
    private readonly float[][] states = new float[encoder.StateWidths.Count][], next = new float[encoder.StateWidths.Count][];
    private readonly OrtValue?[] inputs = new OrtValue?[1 + encoder.StateWidths.Count], outputs = new OrtValue?[1 + encoder.StateWidths.Count];

    private long[] tokens = [];
    private float[] output = [];
    private int sequences, time;

    /// <summary>Tokens, then state and cell of each layer.</summary>
    public IReadOnlyCollection<OrtValue> Inputs => inputs!;

    /// <summary>Outputs, then next state and cell of each layer.</summary>
    public IReadOnlyCollection<OrtValue> Outputs => outputs!;

    /// <summary>Makes the tensors for so many sequences and steps.</summary>
    public void Shape(int batch, int steps)
    {
        if (batch != sequences)
        {
            for (int state = 0; state < states.Length; state++)
            {
                int width = encoder.StateWidths[state];
                Renew(ref inputs[1 + state], ref states[state], batch * width, [1, batch, width]);
                Renew(ref outputs[1 + state], ref next[state], batch * width, [1, batch, width]);
            }
        }

        if (batch != sequences || steps != time)
        {
            Renew(ref inputs[0], ref tokens, batch * steps, [steps, batch]);
            Renew(ref outputs[0], ref output, batch * steps * outputWidth, [steps, 1, batch, outputWidth]);
        }

        (sequences, time) = (batch, steps);
    }

    /// <summary>Puts the sequences' next tokens and their states in.</summary>
    public void Load(ReadOnlySpan<Sequence> batch, int steps, float[][] beginning)
    {
        for (int row = 0; row < batch.Length; row++)
        {
            Sequence sequence = batch[row];
            ReadOnlySpan<int> ahead = sequence.Tokens.AsSpan(sequence.Position, steps);
            for (int t = 0; t < ahead.Length; t++)
            {
                tokens[(t * batch.Length) + row] = ahead[t];
            }

            for (int state = 0, offset = 0; state < states.Length; offset += encoder.StateWidths[state], state++)
            {
                int width = encoder.StateWidths[state];
                ReadOnlySpan<float> source = sequence.State is { } carried ? carried.AsSpan(offset, width) : beginning[state];
                source.CopyTo(states[state].AsSpan(row * width));
            }
        }
    }

    /// <summary>Takes the sequences' outputs and states out, and puts them <paramref name="steps"/> on.</summary>
    public void Store(ReadOnlySpan<Sequence> batch, int steps)
    {
        for (int row = 0; row < batch.Length; row++)
        {
            Sequence sequence = batch[row];
            for (int t = 0; t < steps; t++)
            {
                sequence.Pool(output.AsSpan(((t * batch.Length) + row) * outputWidth, outputWidth));
            }

            if (!sequence.IsFinished)
            {
                float[] carried = sequence.State ??= new float[encoder.StateWidths.Sum()];
                for (int state = 0, offset = 0; state < states.Length; offset += encoder.StateWidths[state], state++)
                {
                    int width = encoder.StateWidths[state];
                    next[state].AsSpan(row * width, width).CopyTo(carried.AsSpan(offset));
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue? value in inputs.Concat(outputs))
        {
            value?.Dispose();
        }
    }

    private static void Renew<T>(ref OrtValue? value, ref T[] values, int count, long[] shape)
        where T : unmanaged
    {
        value?.Dispose();
        value = null;
        if (values is null || values.Length < count)
        {
            values = GC.AllocateUninitializedArray<T>(count);
        }

        value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values.AsMemory(0, count), shape);
    }
}
