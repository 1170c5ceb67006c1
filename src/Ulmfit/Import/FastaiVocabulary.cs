using Ulmfit.Text;

namespace Ulmfit.Import;

/// <summary>
/// A vocabulary as fastai saves it, brought into the order of ours: special tokens first and in our order, then the words in
/// the file's. What stands for nothing (<see cref="SpecialTokens.Filler"/>, a word's second row) keeps its row and no name.
/// </summary>
/// <param name="Vocabulary">Our vocabulary.</param>
/// <param name="SourceRow">For each of its ids the row of the file, −1 for a special token that the file lacks.</param>
/// <param name="Renamed">Special tokens that the file has under older names, as <c>old → new</c>.</param>
/// <param name="Missing">Special tokens that the file lacks.</param>
/// <param name="Repeated">How many rows belong to a word that an earlier row stands for, or to an empty one.</param>
internal sealed record FastaiVocabulary(Vocabulary Vocabulary, int[] SourceRow, IReadOnlyList<string> Renamed, IReadOnlyList<string> Missing, int Repeated)
{
    private const int MaximumBytes = 64 << 20;
    private const string Expected = "Expected is a pickled list of words, as fastai's itos or dls.vocab, or a pair whose first part it is";

    /// <summary>What fastai 0.7 called the special tokens.</summary>
    private static readonly Dictionary<string, string> OlderNames = new(StringComparer.Ordinal)
    {
        ["_unk_"] = "xxunk",
        ["_pad_"] = "xxpad",
        ["_bos_"] = "xxbos",
        ["xbos"] = "xxbos",
        ["_eos_"] = "xxeos",
        ["xfld"] = "xxfld",
        ["tk_rep"] = "xxrep",
        ["tk_wrep"] = "xxwrep",
        ["t_up"] = "xxup",
    };

    /// <summary>The words of a file, by row: a pickle, or what <c>torch.save</c> made of the same.</summary>
    /// <param name="source">The file, from which can be read at any place.</param>
    /// <exception cref="InvalidDataException">It holds no list of words.</exception>
    public static IReadOnlyList<string> ReadWords(Stream source)
    {
        object? root;
        if (TorchFile.IsZip(source))
        {
            using var file = TorchFile.Open(source);
            root = file.Root;
        }
        else
        {
            if (source.Length > MaximumBytes)
            {
                throw new InvalidDataException($"The vocabulary's file has {source.Length} bytes; up to {MaximumBytes} are read. {Expected}.");
            }

            var bytes = new byte[source.Length];
            source.Position = 0;
            source.ReadExactly(bytes);
            root = new PickleReader(bytes).Read();
        }

        return WordsIn(root) ?? WordsIn(ItemsOf(root) is PickleSequence { Items: [var first, _] } ? first : null)
            ?? throw new InvalidDataException($"The vocabulary's file holds no list of words. {Expected}.");
    }

    /// <summary>Brings words into our order.</summary>
    /// <param name="words">The words by row.</param>
    /// <param name="rows">Rows of the embedding.</param>
    /// <exception cref="InvalidDataException">There are not as many words as rows, the filling up to a multiple of 8 aside.</exception>
    public static FastaiVocabulary Of(IReadOnlyList<string> words, int rows)
    {
        words = Fitted(words, rows);
        var renamed = new List<string>();
        var rowOf = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = new string[rows];
        int repeated = 0;
        for (int pass = 0; pass < 2; pass++)
        {
            // Today's names before older ones, so that a word which happens to be spelt like an old name stays a word.
            for (int row = 0; row < rows; row++)
            {
                string word = words[row];
                bool old = OlderNames.TryGetValue(word, out string? today);
                if (old == (pass == 0))
                {
                    continue;
                }

                string name = old && !rowOf.ContainsKey(today!) ? today! : word;
                if (name == SpecialTokens.Filler)
                {
                    names[row] = name;
                }
                else if (name.Length == 0 || !rowOf.TryAdd(name, row))
                {
                    names[row] = SpecialTokens.Filler;
                    repeated++;
                }
                else
                {
                    names[row] = name;
                    if (name != word)
                    {
                        renamed.Add($"{word} → {name}");
                    }
                }
            }
        }

        int[] special = [.. SpecialTokens.All.Select(name => rowOf.GetValueOrDefault(name, -1))];
        var isSpecial = special.ToHashSet();
        int[] order = [.. special, .. Enumerable.Range(0, rows).Where(row => !isSpecial.Contains(row))];
        var vocabulary = Vocabulary.FromTokens([.. SpecialTokens.All, .. order.Skip(special.Length).Select(row => names[row])]);
        return new FastaiVocabulary(vocabulary, order, renamed, [.. SpecialTokens.All.Where((_, id) => special[id] < 0)], repeated);
    }

    /// <summary>
    /// Rows in our order, of the file's: <c>[vocabulary, width]</c>. A special token that the file lacks gets the mean row, taken
    /// in double precision, row after row, so that it has the same bits on every machine.
    /// </summary>
    public float[] InOurOrder(ReadOnlySpan<float> rows, int width)
    {
        float[] ordered = new float[checked(SourceRow.Length * width)];
        float[]? mean = null;
        for (int id = 0; id < SourceRow.Length; id++)
        {
            ReadOnlySpan<float> row = SourceRow[id] >= 0 ? rows.Slice(SourceRow[id] * width, width) : mean ??= MeanRow(rows, width);
            row.CopyTo(ordered.AsSpan(id * width, width));
        }

        return ordered;
    }

    private static float[] MeanRow(ReadOnlySpan<float> rows, int width)
    {
        var sums = new double[width];
        for (int i = 0; i < rows.Length; i++)
        {
            sums[i % width] += rows[i];
        }

        int count = rows.Length / width;
        return Array.ConvertAll(sums, sum => (float)(sum / count));
    }

    private static IReadOnlyList<string> Fitted(IReadOnlyList<string> words, int rows)
    {
        const int Multiple = 8;
        int real = words.Count;
        while (real > 0 && words[real - 1] == SpecialTokens.Filler)
        {
            real--;
        }

        if (rows == words.Count)
        {
            return words;
        }

        // fastai fills a vocabulary up after its words are listed, so either side may be told without the filling.
        int filled = (words.Count + Multiple - 1) / Multiple * Multiple;
        return rows == filled ? [.. words, .. Enumerable.Repeat(SpecialTokens.Filler, rows - words.Count)]
            : rows == real ? [.. words.Take(real)]
            : throw new InvalidDataException($"The vocabulary has {words.Count} words, but the embedding has {rows} rows: they are not of the same model.");
    }

    private static List<string>? WordsIn(object? value) =>
        ItemsOf(value) is PickleSequence { Kind: not PickleSequenceKind.Set, Items: [_, ..] and var items } && items.All(item => item is string) ? items.ConvertAll(item => (string)item!) : null;

    /// <summary>A sequence, or that within one of fastai's own lists.</summary>
    private static PickleSequence? ItemsOf(object? value) => value switch
    {
        PickleSequence sequence => sequence,
        PickleInstance { State: PickleDictionary { Named: var attributes } } => attributes.GetValueOrDefault("items") as PickleSequence,
        _ => null,
    };
}
