using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Import;

/// <summary>What a file of fastai's holds.</summary>
public enum FastaiFileKind
{
    /// <summary>A language model: encoder and decoder.</summary>
    LanguageModel,

    /// <summary>An encoder alone, as <c>save_encoder</c> writes it.</summary>
    Encoder,

    /// <summary>A classifier: encoder and head.</summary>
    Classifier,
}

/// <summary>What was found, for a person to judge whether the import will serve.</summary>
/// <param name="Kind">What the forward file holds.</param>
/// <param name="WordsInFile">Words of the vocabulary's file.</param>
/// <param name="WholeWords">How many of our vocabulary's words the tokenizer leaves whole where they stand alone; the others a text can hardly reach.</param>
/// <param name="Words">Words of our vocabulary, special tokens and filling not counted.</param>
/// <param name="Notes">What was left out, added or renamed, one sentence each.</param>
public sealed record FastaiReport(FastaiFileKind Kind, int WordsInFile, int WholeWords, int Words, IReadOnlyList<string> Notes);

/// <summary>A pretrained language model that fastai made.</summary>
/// <param name="Pretrained">The model.</param>
/// <param name="Report">What was found.</param>
public sealed record FastaiModel(PretrainedModel Pretrained, FastaiReport Report)
{
    /// <summary>
    /// Reads weights that fastai (0.7, 1 or 2) saved and their vocabulary. The files may come from anywhere: nothing in them
    /// is run. Of a classifier the encoder is taken, as a language model to start from.
    /// </summary>
    /// <param name="forward">The <c>.pth</c> file of the forward model; it can be read at any place.</param>
    /// <param name="vocabulary">The <c>.pkl</c> file with its words, by row.</param>
    /// <param name="backward">The <c>.pth</c> file of a backward model of the same vocabulary and architecture.</param>
    /// <exception cref="InvalidDataException">A file is damaged, or holds another architecture, or they do not go together; the message tells which and why.</exception>
    public static FastaiModel Read(Stream forward, Stream vocabulary, Stream? backward = null)
    {
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(vocabulary);
        FastaiWeights first = Named("forward weights", () => WeightsOf(forward));
        FastaiWeights? second = backward is null ? null : Named("backward weights", () => WeightsOf(backward));
        IReadOnlyList<string> words = Named("vocabulary", () => FastaiVocabulary.ReadWords(vocabulary));
        FastaiVocabulary ours = FastaiVocabulary.Of(words, first.Rows);
        if (second is not null && second.Rows != first.Rows)
        {
            throw new InvalidDataException($"The backward weights are of {second.Rows} words, the forward ones of {first.Rows}: both directions share one vocabulary.");
        }

        var notes = new List<string>();
        notes.AddRange(NotesOn(first, "forward"));
        if (second is not null)
        {
            notes.AddRange(NotesOn(second, "backward"));
        }

        notes.AddRange(NotesOn(ours));
        (int whole, int all) = Whole(ours.Vocabulary);
        return new FastaiModel(
            PretrainedModel.Of(ours.Vocabulary, InOurOrder(first.Weights, ours), second is null ? null : InOurOrder(second.Weights, ours)),
            new FastaiReport(first.Kind, words.Count, whole, all, notes));
    }

    private static FastaiWeights WeightsOf(Stream source)
    {
        using var file = TorchFile.Open(source);
        return FastaiWeights.Read(file);
    }

    private static T Named<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"The {what}: {exception.Message}", exception);
        }
    }

    private static StateDict InOurOrder(StateDict weights, FastaiVocabulary vocabulary)
    {
        string embedding = AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder);
        var ordered = new StateDict();
        foreach ((string name, Tensor tensor) in weights)
        {
            int width = name == embedding ? tensor.Shape[1] : 1;
            ordered[name] = name == embedding || name == AwdLstmNames.DecoderBias
                ? new Tensor([vocabulary.Vocabulary.Count, .. tensor.Shape.Skip(1)], vocabulary.InOurOrder(tensor.Data, width))
                : tensor;
        }

        return ordered;
    }

    private static IEnumerable<string> NotesOn(FastaiWeights weights, string direction)
    {
        if (weights.Kind == FastaiFileKind.Classifier)
        {
            yield return $"The {direction} file is a classifier: its encoder is taken as a language model to start from, its head is left out.";
        }
        else if (weights.Kind == FastaiFileKind.Encoder)
        {
            yield return $"The {direction} file is an encoder without decoder: the decoder is the embedding.";
        }

        if (!weights.HasDecoderBias)
        {
            yield return $"The {direction} file has no decoder bias: it begins at zero, so perplexity says little before the language model is fine-tuned.";
        }
    }

    private static IEnumerable<string> NotesOn(FastaiVocabulary vocabulary)
    {
        if (vocabulary.Renamed.Count > 0)
        {
            yield return $"Special tokens of an older fastai: {string.Join(", ", vocabulary.Renamed)}.";
        }

        if (vocabulary.Missing.Count > 0)
        {
            yield return $"The vocabulary lacks {string.Join(", ", vocabulary.Missing)}: each begins with the mean row.";
        }

        if (vocabulary.Repeated > 0)
        {
            yield return $"{vocabulary.Repeated} rows are of empty or repeated words: they keep their place and stand for no word.";
        }
    }

    private static (int Whole, int All) Whole(Vocabulary vocabulary)
    {
        var tokenizer = new Tokenizer();
        int whole = 0, all = 0;
        foreach (string word in vocabulary.Tokens.Skip(SpecialTokens.Count).Where(word => word != SpecialTokens.Filler))
        {
            all++;

            // Line ends at the ends of a text are dropped, so alone they cannot be seen.
            whole += word is "\n" or "\n\n" || tokenizer.Tokenize(word) is [_, var only] && only == word ? 1 : 0;
        }

        return (whole, all);
    }
}
