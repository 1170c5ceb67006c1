using System.Security.Cryptography;
using System.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli.Pretrain;

/// <summary>What <c>--json</c> gets.</summary>
/// <param name="Perplexity">exp of the held-out loss, of two directions of its mean.</param>
/// <param name="UnknownRate">Share of held-out words that the vocabulary does not have.</param>
/// <param name="Finished">Whether every direction asked for was trained to the end.</param>
/// <param name="WeightsDigest">Of the trained weights; of two directions, SHA-256 over both digests; null when nothing was trained.</param>
/// <param name="Seconds">Time of this command.</param>
/// <param name="Directions">Each direction.</param>
internal sealed record PretrainReport(double? Perplexity, double UnknownRate, bool Finished, string? WeightsDigest, double Seconds, IReadOnlyDictionary<string, DirectionCard> Directions)
{
    public static PretrainReport Of(IReadOnlyDictionary<Direction, DirectionCard> trained, PretrainingData data, bool finished, TimeSpan time)
    {
        DirectionCard[] cards = [.. trained.OrderBy(pair => pair.Key).Select(pair => pair.Value)];
        double[] losses = [.. cards.Where(card => card.HeldOutLoss is not null).Select(card => card.HeldOutLoss!.Value)];
        return new PretrainReport(
            losses.Length == 0 ? null : Math.Exp(losses.Average()), data.HeldOut.UnknownRate, finished,
            DigestOf(cards), time.TotalSeconds,
            trained.ToDictionary(pair => pair.Key.ToString().ToLowerInvariant(), pair => pair.Value));
    }

    private static string? DigestOf(DirectionCard[] cards) => cards switch
    {
        [] => null,
        [DirectionCard only] => only.WeightsDigest,
        _ => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(cards.Select(card => card.WeightsDigest))))),
    };
}
