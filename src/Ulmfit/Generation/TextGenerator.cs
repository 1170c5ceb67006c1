using Ulmfit.Engine;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Generation;

/// <summary>What a language model wrote.</summary>
/// <param name="Text">The text to read, prompt and all.</param>
/// <param name="Tokens">Its tokens in the order of reading, without <c>xxbos</c>.</param>
/// <param name="Written">How many of them the model wrote: the last ones, of a backward model the first.</param>
/// <param name="UnknownInPrompt">How many words of the prompt the model does not know.</param>
/// <param name="Ended">Whether the model ended the text itself.</param>
/// <param name="MeanLogProbability">Mean of ln p over the tokens that it wrote, by its own probabilities; null where there are none.</param>
public sealed record GeneratedText(string Text, IReadOnlyList<string> Tokens, int Written, int UnknownInPrompt, bool Ended, double? MeanLogProbability);

/// <summary>
/// Lets a language model go on with a text, token by token. A forward model writes what follows the prompt; a backward one,
/// which reads from the end, what goes before it. The text ends where the model begins another one.
/// </summary>
public static class TextGenerator
{
    /// <summary>Writes a text.</summary>
    /// <param name="network">The model. Its evaluation state is reset before and after.</param>
    /// <param name="vocabulary">Its vocabulary.</param>
    /// <param name="direction">In which direction it reads.</param>
    /// <param name="prompt">What it goes on with; may be empty.</param>
    /// <param name="options">How it writes.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <exception cref="ArgumentException">The options make no sense, or the vocabulary is not the model's.</exception>
    public static GeneratedText Generate(
        ILanguageModelNetwork network, Vocabulary vocabulary, Direction direction, string prompt, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(options);
        var sampler = new TokenSampler(options.Validated(), vocabulary);
        var encoded = new List<int>();
        new Tokenizer().Encode(prompt, vocabulary, encoded);
        int[] given = [.. encoded.Skip(1)];

        // Both directions have xxbos before a text's first token: as its own first, or as the last of the text before it.
        int[] read = [SpecialTokens.BeginningId, .. direction == Direction.Forward ? given : given.Reverse()];
        var probabilities = new float[vocabulary.Count];
        network.ResetState(evaluation: true);
        foreach (int token in read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            network.PredictNext([token], probabilities);
        }

        var written = new List<int>();
        double logarithms = 0;
        bool ended = false;
        while (written.Count < options.Tokens)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int token = sampler.Next(probabilities, mayEnd: given.Length + written.Count > 0);
            if (TokenSampler.IsEnd(token))
            {
                ended = true;
                break;
            }

            written.Add(token);
            logarithms += Math.Log(Math.Max(probabilities[token], float.Epsilon));
            network.PredictNext([token], probabilities);
        }

        network.ResetState(evaluation: true);
        IEnumerable<int> whole = direction == Direction.Forward ? given.Concat(written) : Enumerable.Reverse(written).Concat(given);
        string[] tokens = [.. whole.Select(id => vocabulary.Tokens[id])];
        return new GeneratedText(
            Detokenizer.ToText(tokens), tokens, written.Count, given.Count(id => id == SpecialTokens.UnknownId), ended, written.Count == 0 ? null : logarithms / written.Count);
    }
}
