using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>
/// Texts cut into tokens once, for the vocabulary as well as for the ids. Several threads take part; each numbers the
/// tokens that it meets in its own way, and nothing that is given out depends on which of them read which text.
/// </summary>
internal sealed class TokenizedTexts
{
    private const int TextsOfChunk = 32;

    private readonly int[][] documents;
    private readonly int[] readerOfChunk;
    private readonly List<Reader> readers = [];

    /// <summary>Cuts texts into tokens.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="counted">How many of them, from the first on, <see cref="Counts"/> counts.</param>
    internal TokenizedTexts(IReadOnlyList<string> texts, int counted)
    {
        documents = new int[texts.Count][];
        readerOfChunk = new int[(texts.Count + TextsOfChunk - 1) / TextsOfChunk];
        int taken = -1;
        Parallel.For(0, Math.Min(Environment.ProcessorCount, readerOfChunk.Length), _ =>
        {
            int number = -1;
            Reader? reader = null;
            for (int chunk; (chunk = Interlocked.Increment(ref taken)) < readerOfChunk.Length;)
            {
                if (reader is null)
                {
                    reader = new Reader();
                    lock (readers)
                    {
                        number = readers.Count;
                        readers.Add(reader);
                    }
                }

                readerOfChunk[chunk] = number;
                for (int i = chunk * TextsOfChunk; i < Math.Min(texts.Count, (chunk + 1) * TextsOfChunk); i++)
                {
                    documents[i] = reader.Read(texts[i], i < counted);
                }
            }
        });
    }

    /// <summary>How often each token occurs in the counted texts.</summary>
    internal Dictionary<string, long> Counts()
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (Reader reader in readers)
        {
            reader.AddCounts(counts);
        }

        return counts;
    }

    /// <summary>The ids of each text's tokens.</summary>
    internal int[][] Encode(Vocabulary vocabulary)
    {
        int[][] idsOfReaders = [.. readers.Select(reader => reader.IdsIn(vocabulary))];
        var encoded = new int[documents.Length][];
        Parallel.For(0, documents.Length, i =>
        {
            int[] ids = idsOfReaders[readerOfChunk[i / TextsOfChunk]];
            encoded[i] = Array.ConvertAll(documents[i], number => ids[number]);
        });
        return encoded;
    }

    private sealed class Reader
    {
        private readonly WordReader words = new();
        private long[] counts = new long[1 << 14];

        internal int[] Read(string text, bool count)
        {
            int[] numbers = words.Read(text).ToArray();
            if (counts.Length < words.Tokens.Count)
            {
                Array.Resize(ref counts, Math.Max(counts.Length * 2, words.Tokens.Count));
            }

            if (count)
            {
                foreach (int number in numbers)
                {
                    counts[number]++;
                }
            }

            return numbers;
        }

        internal void AddCounts(Dictionary<string, long> sums)
        {
            for (int number = 0; number < words.Tokens.Count; number++)
            {
                if (counts[number] > 0)
                {
                    string token = words.Tokens[number];
                    sums[token] = sums.GetValueOrDefault(token) + counts[number];
                }
            }
        }

        internal int[] IdsIn(Vocabulary vocabulary)
        {
            var ids = new int[words.Tokens.Count];
            for (int number = 0; number < ids.Length; number++)
            {
                ids[number] = vocabulary.IdOf(words.Tokens[number]);
            }

            return ids;
        }
    }
}
