using Ulmfit.Engine;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>
/// The loss of a language model on documents each of which is read from a zero state, as a classifier reads it. Of a
/// document every token but the first is predicted.
/// </summary>
internal static class DocumentLoss
{
    private const int MaximumLanes = 64;
    private const int Window = 70;

    /// <summary>Summed loss over all documents.</summary>
    /// <param name="network">The model; its evaluation state is used, that of training is left alone.</param>
    /// <param name="documents">Token ids in the direction of reading.</param>
    /// <param name="cancellationToken">Checked before every window.</param>
    public static LossSum Of(ILanguageModelNetwork network, IEnumerable<int[]> documents, CancellationToken cancellationToken)
    {
        // Longest first: lanes that share a window have documents of like length, and they all end at about the same time.
        int[][] queue = [.. documents.Where(document => document.Length > 1).OrderByDescending(document => document.Length)];
        var sum = default(LossSum);
        if (queue.Length == 0)
        {
            return sum;
        }

        long predictions = queue.Sum(document => document.Length - 1L);
        var lanes = new Lane[(int)Math.Clamp(predictions / (queue[0].Length - 1), 1, Math.Min(MaximumLanes, queue.Length))];
        int next = 0;
        network.ResetState(evaluation: true);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var fresh = new bool[lanes.Length];
            for (int lane = 0; lane < lanes.Length && next < queue.Length; lane++)
            {
                if (lanes[lane].Left == 0)
                {
                    lanes[lane] = new Lane(queue[next++], 0);
                    fresh[lane] = true;
                }
            }

            int time = Math.Min(Window, lanes.Max(lane => lane.Left));
            if (time == 0)
            {
                return sum;
            }

            sum += network.Evaluate(Take(lanes, time, fresh));
        }
    }

    private static LanguageModelBatch Take(Lane[] lanes, int time, bool[] fresh)
    {
        int rows = time * lanes.Length;
        int[] input = new int[rows], target = new int[rows];
        Array.Fill(input, SpecialTokens.PaddingId);
        Array.Fill(target, SpecialTokens.PaddingId);
        var counted = new bool[rows];
        for (int lane = 0; lane < lanes.Length; lane++)
        {
            (int[] tokens, int position) = lanes[lane];
            int count = Math.Min(time, lanes[lane].Left);
            for (int t = 0; t < count; t++)
            {
                int row = (t * lanes.Length) + lane;
                input[row] = tokens[position + t];
                target[row] = tokens[position + t + 1];
                counted[row] = true;
            }

            lanes[lane] = lanes[lane] with { Position = position + count };
        }

        return new LanguageModelBatch(time, lanes.Length, input, target, fresh) { Counted = counted };
    }

    /// <summary>A document that is being read; <c>default</c> for none.</summary>
    private readonly record struct Lane(int[] Tokens, int Position)
    {
        public int Left => Tokens is null ? 0 : Tokens.Length - 1 - Position;
    }
}
