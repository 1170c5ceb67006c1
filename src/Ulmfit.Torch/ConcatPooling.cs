using TorchSharp;

namespace Ulmfit.Torch;

/// <summary>
/// Concat pooling (Howard &amp; Ruder 2018, 3.3): the last output, the maximum and the mean over the pooled times of each
/// document, <c>[documents, 3·output]</c>.
/// </summary>
internal static class ConcatPooling
{
    /// <summary>Pools the outputs of documents of different lengths.</summary>
    /// <param name="outputs">Outputs <c>[time, documents, output]</c>; what lies outside a document may be anything finite.</param>
    /// <param name="start">The time of the first.</param>
    /// <param name="ranges">The pooled times of each document, from and to (exclusive), none before <paramref name="start"/>.</param>
    /// <param name="device">Where the outputs lie.</param>
    public static Tensor Pool(Tensor outputs, int start, IReadOnlyList<(int From, int To)> ranges, Device device)
    {
        long time = outputs.shape[0], documents = outputs.shape[1];
        var outside = new bool[time * documents];
        var inverse = new float[documents];
        for (int document = 0; document < documents; document++)
        {
            (int from, int to) = ranges[document];
            for (int t = 0; t < time; t++)
            {
                outside[(t * documents) + document] = start + t < from || start + t >= to;
            }

            inverse[document] = 1f / (to - from);
        }

        Tensor masked = HostData.Flags(outside, device, time, documents, 1);
        Tensor last = Last(outputs, start, ranges, device);
        Tensor max = outputs.masked_fill(masked, float.NegativeInfinity).max(0).values;
        Tensor mean = outputs.masked_fill(masked, 0f).sum(0L).mul(HostData.Floats(inverse, device, documents, 1));
        return torch.cat([last, max, mean], 1);
    }

    /// <summary>The last output of each document alone, <c>[documents, output]</c>; the parameters are those of <see cref="Pool"/>.</summary>
    public static Tensor Last(Tensor outputs, int start, IReadOnlyList<(int From, int To)> ranges, Device device)
    {
        long documents = outputs.shape[1], width = outputs.shape[2];
        long[] final = [.. ranges.Select(range => (long)(range.To - 1 - start))];
        return outputs.gather(0, HostData.Indices(final, device, 1, documents, 1).expand(1, documents, width)).squeeze(0);
    }
}
