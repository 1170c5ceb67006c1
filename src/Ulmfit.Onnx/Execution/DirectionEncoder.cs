using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using Ulmfit.Model;
using Ulmfit.Onnx.Export;

namespace Ulmfit.Onnx.Execution;

/// <summary>
/// The encoder of one direction: runs a batch of sequences some steps on. All members may be called by any number of threads at once.
/// </summary>
/// <remarks>
/// A sequence gets the same bits alone and in a batch, and however it is cut, because nothing that is computed for a row of a batch
/// depends on its other rows: in int8 the products are exact sums of integers under constant scales; in float32 each element of a
/// product is one chain of fused multiply-adds over its row in the order of the packed weights, whatever the number of rows, as ONNX
/// Runtime 1.29 does it on x86-64. For other processors and other versions that is no promise, so <see cref="ProveBatching"/> looks
/// before the first batch runs, and where it does not hold, sequences go one by one.
/// </remarks>
internal sealed class DirectionEncoder : IDisposable
{
    /// <summary>The most sequences of a run.</summary>
    public const int MaxBatch = 16;

    /// <summary>The most tokens of a run, over all its sequences: it bounds how long a run keeps others waiting, and the memory of it.</summary>
    public const int MaxTokensPerRun = 256;

    /// <summary>The most tokens of a lone sequence that its caller computes, which is done in a few milliseconds: cutting it would serve nobody.</summary>
    public const int MaxTokensInCaller = 2 * MaxTokensPerRun;

    private const int Unknown = 0, Proving = 1, Proven = 2, Refuted = 3;

    private readonly InferenceSession session;
    private readonly GivenConstants given;
    private readonly ConcurrentBag<EncoderBuffers> idle = [];
    private readonly float[][] beginning;
    private readonly string[] inputs, outputs;
    private volatile int batching;

    private DirectionEncoder(InferenceSession session, GivenConstants given, DirectionLayout layout, float[][] beginning)
    {
        this.session = session;
        this.given = given;
        this.beginning = beginning;
        Layout = layout;
        IEnumerable<int> layers = Enumerable.Range(0, layout.Config.Encoder.Layers);
        inputs = [ServingGraphs.Tokens, .. layers.SelectMany(layer => new[] { ServingGraphs.Hidden(layer), ServingGraphs.Cell(layer) })];
        outputs = [ServingGraphs.Output, .. layers.SelectMany(layer => new[] { ServingGraphs.NextHidden(layer), ServingGraphs.NextCell(layer) })];
        StateWidths = [.. layers.SelectMany(layer => Enumerable.Repeat(layout.WidthOf(layer), 2))];
    }

    /// <summary>What it encodes.</summary>
    public DirectionLayout Layout { get; }

    /// <summary>Widths of the states of a sequence: state and cell of each layer.</summary>
    public IReadOnlyList<int> StateWidths { get; }

    /// <summary>Whether sequences may be run in batches; null as long as <see cref="ProveBatching"/> has not looked.</summary>
    public bool? Batches => batching switch { Unknown or Proving => null, var known => known == Proven };

    /// <summary>Opens the encoder of a file, which it may keep: it is not to be changed.</summary>
    /// <exception cref="InvalidDataException">A constant is missing, or ONNX Runtime refuses the model.</exception>
    public static DirectionEncoder Open(OnnxFile file, DirectionLayout layout, int threads)
    {
        ServingGraph graph = ServingGraphs.Encoder(file, layout);
        var given = new GivenConstants(file, graph.Given);
        InferenceSession? session = null;
        try
        {
            session = Sessions.Open(graph.Model, threads, given);
            var constants = new GraphConstants(file);
            float[][] beginning =
            [
                .. Enumerable.Range(0, layout.Config.Encoder.Layers).SelectMany(layer => layout.IsInt8
                    ? new[] { BeginningOf("h0", layer), BeginningOf("c0", layer) }
                    : [new float[layout.WidthOf(layer)], new float[layout.WidthOf(layer)]]),
            ];
            var encoder = new DirectionEncoder(session, given, layout, beginning);
            if (layout.IsInt8)
            {
                encoder.SettleRange();
            }

            return encoder;

            float[] BeginningOf(string constant, int layer)
            {
                float[] values = constants.Read($"{layout.Direction}/lstm{layer}/{constant}").Data;
                return values.Length == layout.WidthOf(layer)
                    ? values
                    : throw new InvalidDataException($"The constant '{layout.Direction}/lstm{layer}/{constant}' has {values.Length} values, but the layer is {layout.WidthOf(layer)} wide.");
            }
        }
        catch (OnnxRuntimeException e)
        {
            Close();
            throw new InvalidDataException($"ONNX Runtime cannot run the model: {e.Message}", e);
        }
        catch
        {
            Close();
            throw;
        }

        void Close()
        {
            session?.Dispose();
            given.Dispose();
        }
    }

    /// <summary>Runs sequences on, each by the same number of steps.</summary>
    /// <param name="batch">The sequences, each of this direction and with as many tokens left.</param>
    /// <param name="steps">How many steps, at least 1.</param>
    /// <param name="run">Ends the run when it is told to.</param>
    /// <exception cref="OnnxRuntimeException">The run failed or was ended.</exception>
    public void Run(ReadOnlySpan<Sequence> batch, int steps, RunOptions run)
    {
        EncoderBuffers buffers = Rent();
        try
        {
            buffers.Shape(batch.Length, steps);
            buffers.Load(batch, steps, beginning);
            session.Run(run, inputs, buffers.Inputs, outputs, buffers.Outputs);
            buffers.Store(batch, steps);
        }
        finally
        {
            idle.Add(buffers);
        }
    }

    /// <summary>Whether the caller is the one to call <see cref="ProveBatching"/>.</summary>
    public bool TryBeginProof() => Interlocked.CompareExchange(ref batching, Proving, Unknown) == Unknown;

    /// <summary>Says that sequences must not be run in batches.</summary>
    public void RefuseBatching() => batching = Refuted;

    /// <summary>Looks whether sequences in a batch get the bits that they get alone, on this machine and with this model. A matter of some eighty tokens.</summary>
    public void ProveBatching()
    {
        const int Steps = 1;
        using var run = new RunOptions();
        Sequence[] alone = Probes(0, MaxBatch);
        foreach (Sequence sequence in alone)
        {
            Run([sequence], 2 * Steps, run);
        }

        // Numbers of rows that fill a kernel's blocks and that leave some over; cut in two, and the second half beside one that begins.
        foreach ((int first, int count) in ((int, int)[])[(0, MaxBatch - 1), (1, MaxBatch - 1), (0, 1), (1, 2), (3, 4), (7, 6)])
        {
            Sequence[] together = [.. Probes(first, count), .. Probes(0, 1)];
            Run(together.AsSpan(0, count), Steps, run);
            Run(together, Steps, run);
            Run([together[^1]], Steps, run);
            for (int i = 0; i < together.Length; i++)
            {
                if (!together[i].HasBitsOf(alone[i < count ? first + i : 0]))
                {
                    RefuseBatching();
                    return;
                }
            }
        }

        batching = Proven;

        Sequence[] Probes(int first, int count) =>
        [
            .. Enumerable.Range(first, count).Select(probe => new Sequence(
                null, this, [.. Enumerable.Range(0, 2 * Steps).Select(step => (int)(((probe * 2_654_435_761L) + (step * 40_503L)) % Layout.Config.Encoder.VocabularySize))])),
        ];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (EncoderBuffers buffers in idle)
        {
            buffers.Dispose();
        }

        session.Dispose();
        given.Dispose();
    }

    private EncoderBuffers Rent() => idle.TryTake(out EncoderBuffers? buffers) ? buffers : new EncoderBuffers(this);

    // The units that hold the range begin at ±1, but what ONNX Runtime's tanh and logistic function make of them may be a unit in the
    // last place less. Sequences that begin would then have another range than those that go on, and which of the two counts in a batch
    // would depend on the batch. So all begin with what the units come to by themselves.
    private void SettleRange()
    {
        var probe = new Sequence(null, this, [0, 0, 0]);
        using var run = new RunOptions();
        Run([probe], 1, run);
        float[] settled = probe.State!.ToArray();
        Run([probe], 1, run);
        for (int state = 0, offset = 0; state < StateWidths.Count; offset += StateWidths[state], state++)
        {
            // Of the cells only tanh is seen, which is the same for all of their magnitude.
            if (state % 2 == 0)
            {
                int units = StateWidths[state] - Int8Encoder.RangeUnits;
                ReadOnlySpan<float> held = settled.AsSpan(offset + units, Int8Encoder.RangeUnits);
                if (!held.SequenceEqual(probe.State.AsSpan(offset + units, Int8Encoder.RangeUnits)) || held[0] != -held[1] || !(held[1] > 0.99f))
                {
                    throw new InvalidDataException($"The int8 model does not hold the range of its activations (at {held[0]} and {held[1]}), without which an answer would depend on its batch. Publish the model again, or serve its float32 file.");
                }

                held.CopyTo(beginning[state].AsSpan(units));
            }
        }
    }
}
