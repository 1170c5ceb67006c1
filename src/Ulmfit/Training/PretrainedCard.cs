using System.Globalization;
using System.Text;
using System.Text.Json;
using Ulmfit.Model;
using Ulmfit.Reports;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>A text that a language model was trained or measured on.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Digest">SHA-256 over its documents.</param>
/// <param name="Documents">How many there are.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="UnknownRate">Share of words that the vocabulary does not have.</param>
public sealed record TextCard(string File, string Digest, int Documents, long Tokens, double UnknownRate)
{
    /// <summary>The card of a corpus.</summary>
    /// <param name="data">The corpus and what is held out.</param>
    /// <param name="file">The corpus's file or files.</param>
    public static TextCard OfCorpus(PretrainingData data, string file)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Of(data.Train, file);
    }

    /// <summary>The card of the held-out text.</summary>
    /// <param name="data">The corpus and what is held out.</param>
    /// <param name="file">The corpus's file or files.</param>
    /// <param name="heldOut">Those of the held-out text; null where it is the end of the corpus.</param>
    public static TextCard OfHeldOut(PretrainingData data, string file, string? heldOut)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Of(data.HeldOut, heldOut ?? $"the end of {file}");
    }

    private static TextCard Of(EncodedText text, string file) => new(file, text.Digest, text.Documents.Count, text.Tokens, text.UnknownRate);
}

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
public sealed record DirectionCard(
    string Command, IReadOnlyDictionary<string, string> MadeFrom, bool Finished, int Step, int Steps, double Epochs, long TokensSeen, double TrainLoss,
    double? HeldOutLoss, double? Perplexity, long HeldOutTokens, string WeightsDigest, string FileDigest, long FileBytes, double Seconds, IReadOnlyList<PretrainingMetrics> Checkpoints)
{
    /// <summary>The card of weights as they stand after some checkpoints.</summary>
    /// <param name="command">What made them.</param>
    /// <param name="madeFrom">All that they depend on.</param>
    /// <param name="finished">Whether all planned steps were trained.</param>
    /// <param name="weights">The trained weights.</param>
    /// <param name="fileDigest">SHA-256 of their file.</param>
    /// <param name="fileBytes">Its size.</param>
    /// <param name="checkpoints">Measurements on the way, at least one.</param>
    public static DirectionCard Of(
        string command, IReadOnlyDictionary<string, string> madeFrom, bool finished, StateDict weights, string fileDigest, long fileBytes, IReadOnlyList<PretrainingMetrics> checkpoints)
    {
        ArgumentNullException.ThrowIfNull(checkpoints);
        PretrainingMetrics last = checkpoints[^1];
        return new DirectionCard(
            command, madeFrom, finished, last.Step, last.Steps, last.Epochs, last.Tokens, last.TrainLoss, last.HeldOutLoss, last.Perplexity, last.HeldOutTokens,
            Training.WeightsDigest.Of(weights), fileDigest, fileBytes, checkpoints.Sum(line => line.Seconds), checkpoints);
    }
}

/// <summary>What is known of a pretrained language model: <c>card.json</c> beside its weights, and for people <c>README.md</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">What the corpus is and where it comes from, if that was stated.</param>
/// <param name="License">Licence of the corpus, if that was stated.</param>
/// <param name="Tokenizer">Version of the tokenizer.</param>
/// <param name="VocabularySize">Tokens of the vocabulary.</param>
/// <param name="VocabularyDigest">What identifies it.</param>
/// <param name="EmbeddingSize">Width of the embedding.</param>
/// <param name="HiddenSize">Width of the inner LSTM layers.</param>
/// <param name="Layers">LSTM layers.</param>
/// <param name="Corpus">What it was trained on.</param>
/// <param name="HeldOut">What it was measured on.</param>
/// <param name="Forward">Its forward model, if there is one.</param>
/// <param name="Backward">Its backward model, if there is one.</param>
public sealed record PretrainedCard(
    string Name, string? Source, string? License, string Tokenizer, int VocabularySize, string VocabularyDigest, int EmbeddingSize, int HiddenSize, int Layers,
    TextCard Corpus, TextCard HeldOut, DirectionCard? Forward, DirectionCard? Backward)
{
    private static readonly JsonSerializerOptions Json = new(StrictJson.Web) { WriteIndented = true };

    /// <summary>The card of a model without its directions.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="vocabulary">Its vocabulary.</param>
    /// <param name="config">Its architecture.</param>
    /// <param name="corpus">What it was trained on.</param>
    /// <param name="heldOut">What it was measured on.</param>
    public static PretrainedCard Of(string name, Vocabulary vocabulary, AwdLstmConfig config, TextCard corpus, TextCard heldOut)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(config);
        return new PretrainedCard(
            name, null, null, Text.Tokenizer.Version, vocabulary.Count, vocabulary.Digest, config.EmbeddingSize, config.HiddenSize, config.Layers, corpus, heldOut, null, null);
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no such card.</exception>
    public static PretrainedCard Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            StrictJson.Check(json);
            return JsonSerializer.Deserialize<PretrainedCard>(json, Json) ?? throw new InvalidDataException("It holds null.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(exception.Message, exception);
        }
    }

    /// <summary>One direction's part, null where there is none.</summary>
    public DirectionCard? Of(Direction direction) => direction == Direction.Forward ? Forward : Backward;

    /// <summary>The card with another part for one direction.</summary>
    public PretrainedCard With(Direction direction, DirectionCard? card) => direction == Direction.Forward ? this with { Forward = card } : this with { Backward = card };

    /// <summary>The card as indented JSON in UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>The card as a page for people.</summary>
    public string ToMarkdown()
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
        foreach ((Direction direction, DirectionCard card) in EachDirection())
        {
            Line($"| {direction.ToString().ToLowerInvariant()}{(card.Finished ? "" : " (unfinished)")} | {card.Perplexity:F2} | {card.HeldOutTokens} | {card.TokensSeen} | {card.Epochs:F2} | {card.Step} of {card.Steps} | `{card.WeightsDigest}` |");
        }

        foreach ((Direction direction, DirectionCard card) in EachDirection())
        {
            Line($"");
            Line($"The {direction.ToString().ToLowerInvariant()} model:");
            Line($"");
            Line($"    {card.Command}");
        }

        return text.ToString();
    }

    private IEnumerable<(Direction Direction, DirectionCard Card)> EachDirection() =>
        Enum.GetValues<Direction>().Where(direction => Of(direction) is not null).Select(direction => (direction, Of(direction)!));
}
