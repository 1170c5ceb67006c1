using System.Runtime.CompilerServices;
using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

/// <summary>What the tokenizer remembers words with.</summary>
public sealed class WordMemoryTests
{
    [Fact]
    public void WordKey_DifferentWords_HaveDifferentKeys()
    {
        string[] words =
        [
            "a", "b", "ab", "ba", "aa", "A", "é", "‘", "’", "“", "”", "–", "—", "…", "a’", "’a", "abcdefgh", "abcdefghi", "iabcdefgh", "abcdefghabcdefgh", "habcdefgabcdefgh",
            .. Enumerable.Range(0, 20_000).Select(i => $"w{i}x{i % 7}"),
        ];
        Assert.Equal(words.Length, words.Distinct(StringComparer.Ordinal).Select(KeyOf).Distinct().Count());
    }

    [Fact]
    public void WordKey_CharacterWithoutAPlace_HasNone()
    {
        Assert.False(WordKey.TryOf("漢", out _));
        Assert.False(WordKey.TryOf("aЖ", out _));
        Assert.True(WordKey.TryOf("don’t", out _));
    }

    [Fact]
    public void WordCache_WordThatIsMetAgain_StaysWhenManyOthersComeOnce()
    {
        var cache = new WordCache();
        WordKey often = KeyOf("often");
        cache.Keep(often, [7, 8]);
        var tokens = new TokenBuffer();
        for (int i = 0; i < 500_000; i++)
        {
            tokens.Clear();
            Assert.True(cache.TryAppend(often, tokens));
            Assert.True(tokens.Written.SequenceEqual([7, 8]));
            WordKey once = KeyOf($"w{i}");
            Assert.False(cache.TryAppend(once, tokens));
            cache.Keep(once, [i]);
        }
    }

    [Fact]
    public void WordCache_WordOfManyTokens_IsNotKept()
    {
        var cache = new WordCache();
        var tokens = new TokenBuffer();
        cache.Keep(KeyOf("a-b-c"), [1, 2, 3, 4, 5]);
        Assert.False(cache.TryAppend(KeyOf("a-b-c"), tokens));
        cache.Keep(KeyOf("a-b"), [1, 2, 3, 4]);
        Assert.True(cache.TryAppend(KeyOf("a-b"), tokens));
        Assert.True(tokens.Written.SequenceEqual([1, 2, 3, 4]));
    }

    [Fact]
    public void IdleScanners_FromSeveralThreads_GiveEachToOneAtATime()
    {
        var idle = new IdleScanners<StrongBox<int>>();
        Parallel.For(0, 20_000, _ =>
        {
            StrongBox<int> box = idle.Take() ?? new StrongBox<int>();
            Assert.Equal(1, Interlocked.Increment(ref box.Value));
            Interlocked.Decrement(ref box.Value);
            idle.GiveBack(box);
        });
    }

    [Fact]
    public void SpanMap_AnyStrings_AnswersAsADictionary()
    {
        var map = new SpanMap<int>(1);
        for (int i = 0; i < 3000; i++)
        {
            Assert.False(map.TryGet($"word {i}", out _));
            map.Add($"word {i}", i * 3);
        }

        for (int i = 0; i < 3000; i++)
        {
            Assert.True(map.TryGet($"word {i}".AsSpan(), out int value));
            Assert.Equal(i * 3, value);
            Assert.Equal($"word {i}", map.KeyAt(i));
        }

        Assert.Equal(3000, map.Count);
        Assert.False(map.TryGet("", out _));
        Assert.Throws<ArgumentException>(() => map.Add("word 5", 1));
    }

    private static WordKey KeyOf(string word)
    {
        Assert.True(WordKey.TryOf(word, out WordKey key));
        return key;
    }
}
