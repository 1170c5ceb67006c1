using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Cli.Pretrain;

/// <summary>A text that a language model was trained or measured on.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Digest">SHA-256 over its documents.</param>
/// <param name="Documents">How many there are.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="UnknownRate">Share of words that the vocabulary does not have.</param>
internal sealed record TextCard(string File, string Digest, int Documents, long Tokens, double UnknownRate);

/// <summary>What is known of one direction of a pretrained language model.</summary>
/// <param name="Command">What made it.</param>
/// <param name="MadeFrom">All that its weights depend on, by name: settings and digests.</param>
/// <param name="Finished">Whether all planned steps were trained.</param>
/// <param name="Step">Steps trained.</param>
/// <param name="Steps">Steps planned.</param>
/// <param name="Epochs">How often the corpus was read.</param>
/// <param name="TokensSeen">Tokens trained on.</param>
/// <param name="TrainLoss">Mean cross-entropy in nats of the last slice, with dropout.</param>
/// <param name="HeldOutLoss">Mean cross-entropy in nats on held-out documents, each read from a zero state.</param>
/// <param name="Perplexity">exp of it.</param>
/// <param name="HeldOutTokens">Predictions that it is the mean of.</param>
/// <param name="WeightsDigest">Of the trained weights, before they were rounded to 16 bits.</param>
/// <param name="FileDigest">SHA-256 of the weights' file.</param>
/// <param name="FileBytes">Its size.</param>
/// <param name="Seconds">Time of training.</param>
/// <param name="Checkpoints">Measurements on the way.</param>
internal sealed record DirectionCard(
    string Command, IReadOnlyDictionary<string, string> MadeFrom, bool Finished, int Step, int Steps, double Epochs, long TokensSeen, double TrainLoss,
    double? HeldOutLoss, double? Perplexity, long HeldOutTokens, string WeightsDigest, string FileDigest, long FileBytes, double Seconds, IReadOnlyList<PretrainingMetrics> Checkpoints);

/// <summary>What is known of a pretrained language model: <c>card.json</c>, and for people <c>README.md</c>.</summary>
internal sealed record PretrainedCard(
    string Name, string? Source, string? License, string Tokenizer, int VocabularySize, string VocabularyDigest, int EmbeddingSize, int HiddenSize, int Layers,
    TextCard Corpus, TextCard HeldOut, DirectionCard? Forward, DirectionCard? Backward)
{
    private const string File = "card.json";
    private const string Readme = "README.md";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public DirectionCard? Of(Direction direction) => direction == Direction.Forward ? Forward : Backward;

    public PretrainedCard With(Direction direction, DirectionCard? card) => direction == Direction.Forward ? this with { Forward = card } : this with { Backward = card };

    /// <summary>The card of a folder, null where there is none.</summary>
    /// <exception cref="InvalidDataException">The file is no such card.</exception>
    public static PretrainedCard? Find(string directory)
    {
        string path = Path.Combine(directory, File);
        if (!System.IO.File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<PretrainedCard>(System.IO.File.ReadAllBytes(path), Json);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"'{path}' is not the card of a pretrained model: {exception.Message}", exception);
        }
    }

    public void Save(string directory)
    {
        ModelDirectory.WriteWhole(Path.Combine(directory, File), stream => JsonSerializer.Serialize(stream, this, Json));
        ModelDirectory.WriteWhole(Path.Combine(directory, Readme), stream => stream.Write(Encoding.UTF8.GetBytes(ToMarkdown())));
    }

    private string ToMarkdown()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"# {Name}");
        Line($"");
        Line($"A pretrained AWD-LSTM language model for ULMFiT: weights in 16-bit floats under fastai's names, `vocabulary.json` the tokens by id.");
        Line($"");
        Line($"- Trained on: {Source ?? "source not stated"} (`{Corpus.File}`, {Corpus.Documents} documents, {Corpus.Tokens} tokens)");
        Line($"- Licence of the text: {License ?? "not stated"}");
        Line($"- Architecture: vocabulary {VocabularySize}, embedding {EmbeddingSize}, hidden {HiddenSize}, {Layers} layers, decoder tied to the embedding");
        Line($"- Tokenizer: `{Tokenizer}`; {Corpus.UnknownRate:P2} of the corpus's words are not in the vocabulary, {HeldOut.UnknownRate:P2} of those held out");
        Line($"- Held-out text: `{HeldOut.File}`, {HeldOut.Documents} documents, {HeldOut.Tokens} tokens; perplexity is per token (case and unknown tokens counted), each document read from a zero state");
        Line($"");
        Line($"| direction | perplexity | over tokens | tokens seen | epochs | steps | weights (SHA-256) |");
        Line($"| --- | --- | --- | --- | --- | --- | --- |");
        foreach ((Direction direction, DirectionCard card) in Directions())
        {
            Line($"| {direction.ToString().ToLowerInvariant()}{(card.Finished ? "" : " (unfinished)")} | {card.Perplexity:F2} | {card.HeldOutTokens} | {card.TokensSeen} | {card.Epochs:F2} | {card.Step} of {card.Steps} | `{card.WeightsDigest}` |");
        }

        foreach ((Direction direction, DirectionCard card) in Directions())
        {
            Line($"");
            Line($"The {direction.ToString().ToLowerInvariant()} model:");
            Line($"");
            Line($"    {card.Command}");
        }

        return text.ToString();
    }

    private IEnumerable<(Direction Direction, DirectionCard Card)> Directions() =>
        Enum.GetValues<Direction>().Where(direction => Of(direction) is not null).Select(direction => (direction, Of(direction)!));
}

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
