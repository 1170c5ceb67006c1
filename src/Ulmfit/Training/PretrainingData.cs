using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>A text as token ids, with what identifies it.</summary>
/// <param name="Documents">Token ids of each document, first token first.</param>
/// <param name="Tokens">Tokens of all documents.</param>
/// <param name="UnknownRate">Share of words that the vocabulary does not have.</param>
/// <param name="Digest">SHA-256 over the documents' texts in their order.</param>
public sealed record EncodedText(IReadOnlyList<int[]> Documents, long Tokens, double UnknownRate, string Digest);

/// <summary>A corpus turned into token ids: what both directions of a pretraining train on.</summary>
public sealed class PretrainingData
{
    private const int HeldOutShare = 100;

    private PretrainingData(Vocabulary vocabulary, EncodedText train, EncodedText heldOut)
    {
        Vocabulary = vocabulary;
        Train = train;
        HeldOut = heldOut;
    }

    /// <summary>The vocabulary, made of the words of what is trained on.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>What is trained on.</summary>
    public EncodedText Train { get; }

    /// <summary>What is only measured on.</summary>
    public EncodedText HeldOut { get; }

    /// <summary>Whether that is a text of its own; otherwise it is the end of the corpus.</summary>
    public bool HeldOutIsApart { get; private init; }

    /// <summary>
    /// Goes through the corpus three times, to number, to count and to encode it, so that of the text itself little is in
    /// memory at any time. What is made of it does not depend on the number of threads.
    /// </summary>
    /// <param name="corpus">The documents; each enumeration must give the same.</param>
    /// <param name="heldOut">The documents that are only measured on; when null, the last hundredth of the corpus.</param>
    /// <param name="settings">Limits of the vocabulary.</param>
    /// <param name="threads">How many documents are read at once.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidDataException">There is too little text, or more than a training can hold.</exception>
    public static PretrainingData Prepare(IEnumerable<string> corpus, IEnumerable<string>? heldOut, PretrainingSettings settings, int threads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        (int count, string digest) = Survey(corpus, cancellationToken);
        if (count == 0)
        {
            throw new InvalidDataException("The corpus holds no text.");
        }

        IEnumerable<string> train = corpus;
        string heldOutDigest = digest;
        bool apart = heldOut is not null;
        if (heldOut is not null)
        {
            (int measured, heldOutDigest) = Survey(heldOut, cancellationToken);
            if (measured == 0)
            {
                throw new InvalidDataException("The held-out file holds no text.");
            }
        }
        else
        {
            if (count == 1)
            {
                throw new InvalidDataException("The corpus is a single document, so that no part of it can be held out: part it by blank lines, or name a file of held-out text.");
            }

            int last = Math.Max(1, count / HeldOutShare);
            train = corpus.Take(count - last);
            heldOut = corpus.Skip(count - last);
        }

        var vocabulary = Vocabulary.Build(
            Count(train, threads, cancellationToken),
            new VocabularyOptions { MinimumCount = settings.MinimumCount, MaximumSize = settings.Resolved(fromAnother: false).MaximumVocabulary!.Value });
        EncodedText encoded = Encode(train, vocabulary, digest, threads, cancellationToken);
        return encoded.Tokens is >= 3 and <= int.MaxValue / 2
            ? new PretrainingData(vocabulary, encoded, Encode(heldOut, vocabulary, heldOutDigest, threads, cancellationToken)) { HeldOutIsApart = apart }
            : throw new InvalidDataException($"The corpus has {encoded.Tokens} tokens to train on; from 3 to {int.MaxValue / 2} can be used.");
    }

    private static (int Count, string Digest) Survey(IEnumerable<string> documents, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int count = 0;
        foreach (string document in documents)
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[] bytes = Encoding.UTF8.GetBytes(document);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
            count++;
        }

        return (count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static Dictionary<string, long> Count(IEnumerable<string> documents, int threads, CancellationToken cancellationToken)
    {
        var tokenizer = new Tokenizer();
        var total = new Dictionary<string, long>(StringComparer.Ordinal);
        var gate = new Lock();
        Parallel.ForEach(
            Partitioner.Create(documents, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken },
            () => (Counts: new Dictionary<string, long>(StringComparer.Ordinal), Tokens: new List<string>()),
            (document, loop, mine) =>
            {
                mine.Tokens.Clear();
                tokenizer.Tokenize(document, mine.Tokens);
                foreach (string token in mine.Tokens)
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(mine.Counts, token, out _)++;
                }

                return mine;
            },
            mine =>
            {
                lock (gate)
                {
                    foreach ((string token, long count) in mine.Counts)
                    {
                        CollectionsMarshal.GetValueRefOrAddDefault(total, token, out _) += count;
                    }
                }
            });
        return total;
    }

    private static EncodedText Encode(IEnumerable<string> documents, Vocabulary vocabulary, string digest, int threads, CancellationToken cancellationToken)
    {
        const int MostThreads = 512;
        var tokenizer = new Tokenizer();
        int[][] encoded = documents.AsParallel().AsOrdered().WithDegreeOfParallelism(Math.Min(threads, MostThreads)).WithCancellation(cancellationToken)
            .Select(text =>
            {
                var ids = new List<int>(text.Length / 4);
                tokenizer.Encode(text, vocabulary, ids);
                return ids.ToArray();
            })
            .ToArray();
        return new EncodedText(encoded, encoded.Sum(document => (long)document.Length), Vocabulary.UnknownRate(encoded), digest);
    }
}
