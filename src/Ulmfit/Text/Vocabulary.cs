using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ulmfit.Text;

/// <summary>
/// The tokens a model knows, by id: the special tokens, then words by falling count. Immutable.
/// <para>
/// Its file is <c>vocabulary.json</c>, a JSON array of the tokens in order. <see cref="SpecialTokens.Filler"/> may
/// stand in it several times, any other token once.
/// </para>
/// </summary>
public sealed class Vocabulary
{
    private static readonly JsonWriterOptions WriterOptions = new()
    {
        // The file is no part of a page; tokens stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string[] tokens;
    private readonly SpanMap<int> ids;
    private readonly Lazy<string> digest;

    private Vocabulary(string[] tokens)
    {
        this.tokens = tokens;
        ids = new SpanMap<int>(tokens.Length);
        for (int id = 0; id < tokens.Length; id++)
        {
            if (tokens[id] != SpecialTokens.Filler)
            {
                ids.Add(tokens[id], id);
            }
        }

        Tokens = Array.AsReadOnly(tokens);
        digest = new Lazy<string>(() => Convert.ToHexStringLower(SHA256.HashData(ToJson())));
    }

    /// <summary>How many tokens, the filling counted: the rows of the embedding.</summary>
    public int Count => tokens.Length;

    /// <summary>The tokens by id.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>SHA-256 of what <see cref="Save"/> writes, in small hexadecimal letters: equal for equal vocabularies.</summary>
    public string Digest => digest.Value;

    /// <summary>
    /// Counts the tokens of documents and keeps the frequent ones: special tokens first, then by falling count, equal
    /// counts in ordinal order. The order of the documents makes no difference.
    /// </summary>
    /// <param name="documents">The tokens of each document.</param>
    /// <param name="options">Limits; fastai's if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static Vocabulary Build(IEnumerable<IEnumerable<string>> documents, VocabularyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        options ??= new VocabularyOptions();
        options.Validate();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (IEnumerable<string> document in documents)
        {
            foreach (string token in document)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, token, out _)++;
            }
        }

        return Build(counts, options);
    }

    /// <summary>The same from counts already taken.</summary>
    /// <param name="counts">How often each token occurs.</param>
    /// <param name="options">Limits; fastai's if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static Vocabulary Build(IReadOnlyDictionary<string, long> counts, VocabularyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(counts);
        options ??= new VocabularyOptions();
        options.Validate();
        KeyValuePair<string, long>[] words =
            [.. counts.Where(c => c.Value >= options.MinimumCount && !SpecialTokens.IsReserved(c.Key))];
        Array.Sort(words, (a, b) =>
        {
            int byCount = b.Value.CompareTo(a.Value);
            return byCount != 0 ? byCount : string.CompareOrdinal(a.Key, b.Key);
        });

        var tokens = new List<string>(SpecialTokens.All);
        tokens.AddRange(words.Take(options.MaximumSize - SpecialTokens.Count).Select(w => w.Key));
        while (options.PadToMultipleOf8 && tokens.Count % 8 != 0)
        {
            tokens.Add(SpecialTokens.Filler);
        }

        return new Vocabulary([.. tokens]);
    }

    /// <summary>A vocabulary of given tokens.</summary>
    /// <exception cref="InvalidDataException">The special tokens do not stand first and in order, or a token is empty or occurs twice.</exception>
    public static Vocabulary FromTokens(IEnumerable<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        string[] all = [.. tokens];
        Validate(all);
        return new Vocabulary(all);
    }

    /// <summary>Reads <c>vocabulary.json</c>.</summary>
    /// <exception cref="InvalidDataException">The content is no JSON array of strings, or breaks a rule of <see cref="FromTokens"/>.</exception>
    public static Vocabulary Load(Stream content)
    {
        ArgumentNullException.ThrowIfNull(content);
        string?[]? tokens;
        try
        {
            tokens = JsonSerializer.Deserialize<string?[]>(content);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"The vocabulary is not a JSON array of strings: line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}: {e.Message}", e);
        }

        if (tokens is null)
        {
            throw new InvalidDataException("The vocabulary is null; a JSON array of strings was expected.");
        }

        int missing = Array.IndexOf(tokens, null);
        if (missing >= 0)
        {
            throw new InvalidDataException($"The vocabulary's token {missing} is null; a string was expected.");
        }

        return FromTokens(tokens!);
    }

    /// <summary>Reads <c>vocabulary.json</c> from a file.</summary>
    /// <exception cref="InvalidDataException">As <see cref="Load(Stream)"/>; the message names the file.</exception>
    public static Vocabulary Load(string path)
    {
        using FileStream content = File.OpenRead(path);
        try
        {
            return Load(content);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Writes <c>vocabulary.json</c>.</summary>
    public void Save(Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        destination.Write(ToJson());
    }

    /// <summary>The bytes of <c>vocabulary.json</c>.</summary>
    public byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartArray();
            foreach (string token in tokens)
            {
                writer.WriteStringValue(token);
            }

            writer.WriteEndArray();
        }

        return buffer.ToArray();
    }

    /// <summary>The id of a token, <see cref="SpecialTokens.UnknownId"/> if the vocabulary has no such word.</summary>
    public int IdOf(string token) => ids.TryGet(token, out int id) ? id : SpecialTokens.UnknownId;

    /// <summary>The id of a token, <see cref="SpecialTokens.UnknownId"/> if the vocabulary has no such word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int IdOf(ReadOnlySpan<char> token) => ids.TryGet(token, out int id) ? id : SpecialTokens.UnknownId;

    /// <summary>True if the token has an id of its own.</summary>
    public bool Contains(string token) => ids.TryGet(token, out _);

    /// <summary>The ids of tokens, one each.</summary>
    public int[] Encode(IReadOnlyList<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var ids = new int[tokens.Count];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = IdOf(tokens[i]);
        }

        return ids;
    }

    /// <summary>The share of unknown words among encoded tokens, special tokens other than <c>xxunk</c> not counted; 0 if there are none.</summary>
    /// <param name="ids">Ids as <see cref="Encode"/> gives them.</param>
    public static double UnknownRate(ReadOnlySpan<int> ids)
    {
        (long words, long unknown) = CountWords(ids);
        return words == 0 ? 0 : (double)unknown / words;
    }

    /// <summary>The same over several documents.</summary>
    public static double UnknownRate(IEnumerable<int[]> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        long words = 0;
        long unknown = 0;
        foreach (int[] document in documents)
        {
            (long Words, long Unknown) counted = CountWords(document);
            words += counted.Words;
            unknown += counted.Unknown;
        }

        return words == 0 ? 0 : (double)unknown / words;
    }

    /// <summary>How many words there are among encoded tokens, and how many of them are unknown; special tokens other than <c>xxunk</c> not counted.</summary>
    internal static (long Words, long Unknown) CountWords(ReadOnlySpan<int> ids)
    {
        long words = 0;
        long unknown = 0;
        foreach (int id in ids)
        {
            if (id == SpecialTokens.UnknownId)
            {
                unknown++;
                words++;
            }
            else if (id >= SpecialTokens.Count)
            {
                words++;
            }
        }

        return (words, unknown);
    }

    private static void Validate(string[] tokens)
    {
        for (int id = 0; id < SpecialTokens.Count; id++)
        {
            string found = id < tokens.Length ? $"'{tokens[id]}'" : "nothing";
            if (id >= tokens.Length || tokens[id] != SpecialTokens.All[id])
            {
                throw new InvalidDataException(
                    $"The vocabulary must begin with the special tokens {string.Join(", ", SpecialTokens.All)}; " +
                    $"at id {id} '{SpecialTokens.All[id]}' was expected, {found} was found.");
            }
        }

        var seen = new Dictionary<string, int>(tokens.Length, StringComparer.Ordinal);
        for (int id = 0; id < tokens.Length; id++)
        {
            string token = tokens[id];
            if (string.IsNullOrEmpty(token))
            {
                throw new InvalidDataException($"The vocabulary's token {id} is empty.");
            }

            if (token != SpecialTokens.Filler && !seen.TryAdd(token, id))
            {
                throw new InvalidDataException($"The vocabulary has '{token}' twice, at ids {seen[token]} and {id}.");
            }
        }
    }
}
