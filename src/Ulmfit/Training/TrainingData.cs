using Ulmfit.Data;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>A document as training sees it.</summary>
/// <param name="Tokens">Token ids, first token first.</param>
/// <param name="Label">Class.</param>
public sealed record Document(int[] Tokens, int Label);

/// <summary>Text turned into token ids: what both directions of a run train on.</summary>
public sealed class TrainingData
{
    private readonly Lazy<string> digest;

    private TrainingData(Vocabulary vocabulary, IReadOnlyList<string> labels, IReadOnlyList<Document> train, IReadOnlyList<Document> heldOut, IReadOnlyList<int[]> unlabeled, IReadOnlyList<int[]> languageModelTexts)
    {
        Vocabulary = vocabulary;
        Labels = labels;
        Train = train;
        HeldOut = heldOut;
        Unlabeled = unlabeled;
        LanguageModelTexts = languageModelTexts;
        digest = new Lazy<string>(() => TrainingFingerprint.OfData(this));
    }

    /// <summary>The vocabulary.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>The classes in ordinal order; a document's label is an index into them.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>The labelled documents that are trained on.</summary>
    public IReadOnlyList<Document> Train { get; }

    /// <summary>The labelled documents that are only measured on.</summary>
    public IReadOnlyList<Document> HeldOut { get; }

    /// <summary>Documents without a class; they join the language model's training.</summary>
    public IReadOnlyList<int[]> Unlabeled { get; }

    /// <summary>What the language model is trained on: the labelled documents and those without a class.</summary>
    public IReadOnlyList<int[]> LanguageModelTexts { get; }

    /// <summary>SHA-256 over everything here, in lower-case hexadecimal.</summary>
    public string Digest => digest.Value;

    /// <summary>
    /// Tokenises everything and builds the vocabulary from what is trained on, which with the method <c>lstm</c> is labelled text alone. A pretrained vocabulary joins whole: its
    /// words are known to the pretrained model, and a text to be classified may hold any of them.
    /// </summary>
    /// <exception cref="ArgumentException">There are fewer than two classes or two rows to train on.</exception>
    public static TrainingData Prepare(IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> heldOut, IEnumerable<string> unlabeled, TrainingSettings settings, Vocabulary? pretrained)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(heldOut);
        ArgumentNullException.ThrowIfNull(settings);
        string[] labels = [.. train.Concat(heldOut).Select(row => row.Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (labels.Length < 2 || train.Count < 2)
        {
            throw new ArgumentException($"A classifier needs at least two classes and two rows to train on; there are {labels.Length} classes and {train.Count} rows.", nameof(train));
        }

        if (settings.Method == Method.Lstm)
        {
            // Nothing would be learned of the words that occur in it alone.
            unlabeled = [];
        }

        string[] texts = [.. train.Select(row => row.Text), .. unlabeled, .. heldOut.Select(row => row.Text)];
        int counted = texts.Length - heldOut.Count;
        var tokenized = new TokenizedTexts(texts, counted);
        var options = new VocabularyOptions { MinimumCount = settings.MinimumCount, MaximumSize = settings.MaximumVocabulary };
        var vocabulary = Vocabulary.Build(tokenized.Counts(), options);
        if (pretrained is not null)
        {
            vocabulary = Vocabulary.FromTokens(vocabulary.Tokens.Concat(pretrained.Tokens).Where(token => token != SpecialTokens.Filler).Distinct(StringComparer.Ordinal));
        }

        Dictionary<string, int> classOf = labels.Select((label, index) => (label, index)).ToDictionary(pair => pair.label, pair => pair.index, StringComparer.Ordinal);
        int[][] ids = tokenized.Encode(vocabulary);
        Document[] Documents(IReadOnlyList<LabeledRow> rows, int first) => [.. rows.Select((row, i) => new Document(ids[first + i], classOf[row.Label]))];
        return new TrainingData(vocabulary, labels, Documents(train, 0), Documents(heldOut, counted), ids[train.Count..counted], ids[..counted]);
    }

    /// <summary>
    /// The same texts with the labels of some rows alone: the others stay among what the language model is trained on, in
    /// the same order, so that it is the same language model whichever rows are labelled.
    /// </summary>
    /// <param name="rows">Indices into <see cref="Train"/>.</param>
    /// <exception cref="ArgumentException">There are fewer than two rows.</exception>
    public TrainingData WithLabelsOf(IReadOnlyCollection<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count < 2)
        {
            throw new ArgumentException($"A classifier needs at least two rows to train on; there are {rows.Count}.", nameof(rows));
        }

        var labeled = rows.ToHashSet();
        IEnumerable<int[]> others = Train.Where((_, row) => !labeled.Contains(row)).Select(document => document.Tokens);
        return new TrainingData(Vocabulary, Labels, [.. rows.Select(row => Train[row])], HeldOut, [.. others, .. Unlabeled], LanguageModelTexts);
    }

    /// <summary>The same texts, some of those without a class with the one that a classifier gave them: they follow the labelled ones.</summary>
    /// <param name="labels">Labels of texts of <see cref="Unlabeled"/>.</param>
    /// <exception cref="ArgumentException">A text is not there or named twice, or a class is not known.</exception>
    public TrainingData WithPseudoLabels(IReadOnlyList<PseudoLabel> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        var given = labels.Select(label => label.Text).ToHashSet();
        if (given.Count < labels.Count || labels.Any(label => label.Text < 0 || label.Text >= Unlabeled.Count || label.Label < 0 || label.Label >= Labels.Count))
        {
            throw new ArgumentException("A label names a text that is not there, or one twice, or a class that is not known.", nameof(labels));
        }

        return new TrainingData(
            Vocabulary, Labels, [.. Train, .. labels.Select(label => new Document(Unlabeled[label.Text], label.Label))], HeldOut,
            [.. Unlabeled.Where((_, text) => !given.Contains(text))], LanguageModelTexts);
    }
}
