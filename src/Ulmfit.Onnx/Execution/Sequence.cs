using System.Numerics;
using System.Runtime.InteropServices;
using Ulmfit.Model;

namespace Ulmfit.Onnx.Execution;

/// <summary>A document on its way through one direction: where it stands, the states that it carries, and what is pooled of it so far.</summary>
/// <remarks>
/// Pooling goes token by token in the order of the document, so it does not matter how the document is cut: the maximum is exact, and
/// the sum adds the same numbers in the same order.
/// </remarks>
internal sealed class Sequence
{
    private readonly int width, pooledFrom;
    private readonly bool takesLastAlone;

    /// <summary>Begins a document.</summary>
    /// <param name="document">The document; null for one that nobody asked for.</param>
    /// <param name="encoder">The direction.</param>
    /// <param name="tokens">Its tokens in the order that the direction reads them.</param>
    public Sequence(DocumentWork? document, DirectionEncoder encoder, int[] tokens)
    {
        ClassifierConfig config = encoder.Layout.Config;
        Document = document;
        Encoder = encoder;
        Tokens = tokens;
        width = config.Encoder.OutputSize;
        takesLastAlone = config.Head == HeadKind.LastState;
        pooledFrom = Math.Max(0, tokens.Length - config.MaxLength);
        Pooled = new float[config.PooledSize];
    }

    /// <summary>What it is part of.</summary>
    public DocumentWork? Document { get; }

    /// <summary>The direction.</summary>
    public DirectionEncoder Encoder { get; }

    /// <summary>The tokens in the order that they are read.</summary>
    public int[] Tokens { get; }

    /// <summary>How many of them are read.</summary>
    public int Position { get; private set; }

    /// <summary>How many are left.</summary>
    public int Remaining => Tokens.Length - Position;

    /// <summary>Whether all are read.</summary>
    public bool IsFinished => Position == Tokens.Length;

    /// <summary>State and cell of each layer, one after the other; null at the beginning.</summary>
    public float[]? State { get; set; }

    /// <summary>What the head takes, once all is read: <c>[last, max, mean]</c>, or the last state alone.</summary>
    public float[] Pooled { get; }

    /// <summary>Its turn among those that wait: the least goes first.</summary>
    public long Turn { get; set; }

    /// <summary>Its place in the queue while it waits.</summary>
    public LinkedListNode<Sequence>? Place { get; set; }

    /// <summary>The run that it is in while it is computed.</summary>
    public EncoderRun? Running { get; set; }

    /// <summary>Takes the output of the next token.</summary>
    /// <param name="output">The last layer's output, at least as wide as the direction's.</param>
    public void Pool(ReadOnlySpan<float> output)
    {
        output = output[..width];
        int position = Position++;
        if (IsFinished)
        {
            output.CopyTo(Pooled);
        }

        if (takesLastAlone || position < pooledFrom)
        {
            return;
        }

        Span<float> maximum = Pooled.AsSpan(width, width), sum = Pooled.AsSpan(2 * width, width);
        if (position == pooledFrom)
        {
            output.CopyTo(maximum);
            output.CopyTo(sum);
        }
        else
        {
            TakeIn(output, maximum, sum);
        }

        if (IsFinished)
        {
            float count = Tokens.Length - pooledFrom;
            foreach (ref float value in sum)
            {
                value /= count;
            }
        }
    }

    /// <summary>Whether it stands where another does, with the same bits of what is pooled.</summary>
    public bool HasBitsOf(Sequence other) =>
        Position == other.Position && MemoryMarshal.AsBytes(Pooled.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(other.Pooled.AsSpan()));

    // Element by element, so whole vectors give the bits that single numbers would.
    private static void TakeIn(ReadOnlySpan<float> output, Span<float> maximum, Span<float> sum)
    {
        int i = 0;
        for (; i <= output.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = new Vector<float>(output[i..]);
            Vector.Max(new Vector<float>(maximum[i..]), value).CopyTo(maximum[i..]);
            (new Vector<float>(sum[i..]) + value).CopyTo(sum[i..]);
        }

        for (; i < output.Length; i++)
        {
            maximum[i] = Math.Max(maximum[i], output[i]);
            sum[i] += output[i];
        }
    }
}
