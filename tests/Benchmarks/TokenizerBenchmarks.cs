using BenchmarkDotNet.Attributes;
using Ulmfit.Text;

namespace Benchmarks;

/// <summary>The tokenizer on one thread over a paragraph of a review: to tokens, to ids, and the vocabulary's look-up alone.</summary>
public class TokenizerBenchmarks : IMeasuresWork
{
    private const string Paragraph =
        "I've seen this film 3 times now, and it doesn't get any better...<br /><br />The story (what there is of it) was written by Mr. J. Smith in 1987; "
        + "the U.S. release came in '89. GREAT actors, but sooooo slow &amp; dull! \"Why would anyone watch it?\", my wife asked -- and she's right. "
        + "At $12.50 a ticket, I'd rather stay at home/read a book. 2/10, well-meant but half-baked. See http://example.org/review?id=7 or write to someone@example.org.\n";

    private readonly Tokenizer tokenizer = new();
    private readonly List<string> tokens = [];
    private readonly List<int> ids = [];
    private readonly string text = string.Concat(Enumerable.Repeat(Paragraph, 8));
    private Vocabulary vocabulary = Vocabulary.FromTokens(SpecialTokens.All);
    private string[] words = [];

    [GlobalSetup]
    public void Setup()
    {
        words = [.. tokenizer.Tokenize(text)];
        vocabulary = Vocabulary.Build([words], new VocabularyOptions { MinimumCount = 1 });
    }

    [Benchmark]
    public void Tokenize()
    {
        tokens.Clear();
        tokenizer.Tokenize(text, tokens);
    }

    [Benchmark]
    public void Encode()
    {
        ids.Clear();
        tokenizer.Encode(text, vocabulary, ids);
    }

    [Benchmark]
    public int[] LookUp() => vocabulary.Encode(words);

    public Work WorkOf(string method) => new(1e-6 * text.Length, "MB");
}
