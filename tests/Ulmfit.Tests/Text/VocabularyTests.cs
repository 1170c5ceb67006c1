using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

public sealed class VocabularyTests
{
    private static readonly VocabularyOptions Everything = new() { MinimumCount = 1, PadToMultipleOf8 = false };

    [Fact]
    public void SpecialTokens_Ids_AreFixed()
    {
        Assert.Equal(["xxunk", "xxpad", "xxbos", "xxeos", "xxfld", "xxrep", "xxwrep", "xxup", "xxmaj"], SpecialTokens.All);
        Assert.Equal("xxunk", SpecialTokens.All[SpecialTokens.UnknownId]);
        Assert.Equal("xxpad", SpecialTokens.All[SpecialTokens.PaddingId]);
        Assert.Equal("xxbos", SpecialTokens.All[SpecialTokens.BeginningId]);
        Assert.Equal("xxeos", SpecialTokens.All[SpecialTokens.EndId]);
        Assert.Equal("xxfld", SpecialTokens.All[SpecialTokens.FieldId]);
        Assert.Equal("xxrep", SpecialTokens.All[SpecialTokens.CharacterRepetitionId]);
        Assert.Equal("xxwrep", SpecialTokens.All[SpecialTokens.WordRepetitionId]);
        Assert.Equal("xxup", SpecialTokens.All[SpecialTokens.AllCapitalsId]);
        Assert.Equal("xxmaj", SpecialTokens.All[SpecialTokens.CapitalisedId]);
    }

    [Fact]
    public void Build_Documents_OrdersByCountThenOrdinally()
    {
        Vocabulary vocabulary = Vocabulary.Build([["xxbos", "b", "b", "a", "a", "é", "B"], ["xxbos", "c", "c", "c"]], Everything);

        Assert.Equal(["c", "a", "b", "B", "é"], vocabulary.Tokens.Skip(SpecialTokens.Count));
    }

    [Fact]
    public void Build_DocumentsInAnotherOrder_GivesTheSameVocabulary()
    {
        string[][] documents = [.. Enumerable.Range(0, 50).Select(i => new[] { $"w{i % 7}", $"v{i % 3}", $"u{i}" })];

        Assert.Equal(
            Vocabulary.Build(documents, Everything).Digest,
            Vocabulary.Build(documents.Reverse().Select(d => d.Reverse()), Everything).Digest);
    }

    [Fact]
    public void Build_RareWords_AreLeftOutAndTheRestIsFilledToAMultipleOfEight()
    {
        Vocabulary vocabulary = Vocabulary.Build([["a", "a", "a", "b", "b", "xxfake", "xxfake", "xxfake"]]);

        Assert.Equal(16, vocabulary.Count);
        Assert.Equal("a", vocabulary.Tokens[9]);
        Assert.All(vocabulary.Tokens.Skip(10), t => Assert.Equal("xxfake", t));
        Assert.Equal(SpecialTokens.UnknownId, vocabulary.IdOf("b"));
        Assert.Equal(SpecialTokens.UnknownId, vocabulary.IdOf("xxfake"));
    }

    [Fact]
    public void Build_TooManyWords_KeepsTheMostFrequent()
    {
        IEnumerable<string> words = Enumerable.Range(0, 100).SelectMany(i => Enumerable.Repeat($"w{i:D3}", 100 - i));
        Vocabulary vocabulary = Vocabulary.Build([words], new VocabularyOptions { MaximumSize = 24 });

        Assert.Equal(24, vocabulary.Count);
        Assert.Equal("w014", vocabulary.Tokens[^1]);
    }

    [Fact]
    public void Build_SenselessOptions_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Vocabulary.Build([[]], new VocabularyOptions { MaximumSize = 3 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Vocabulary.Build([[]], new VocabularyOptions { MinimumCount = 0 }));
    }

    [Fact]
    public void Encode_Tokens_GivesIdsAndUnknownRate()
    {
        Vocabulary vocabulary = Vocabulary.Build([["good", "film"]], Everything);
        int[] ids = vocabulary.Encode(["xxbos", "xxmaj", "good", "bad", "film", "xxunk"]);

        Assert.Equal([2, 8, 10, 0, 9, 0], ids);
        Assert.Equal(0.5, Vocabulary.UnknownRate(ids));
        Assert.Equal(0, Vocabulary.UnknownRate([2, 8]));
        Assert.Equal(10, vocabulary.IdOf("good".AsSpan()));
        Assert.True(vocabulary.Contains("good"));
        Assert.False(vocabulary.Contains("bad"));
    }

    [Fact]
    public void Save_ThenLoad_GivesTheSameTokensAndTheDigestIsThatOfTheFile()
    {
        Vocabulary vocabulary = Vocabulary.Build([["\n", "\"", "–", "é", "😀", "\\", "<", "a"]], new VocabularyOptions { MinimumCount = 1 });
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.Create(path))
            {
                vocabulary.Save(file);
            }

            Vocabulary loaded = Vocabulary.Load(path);
            Assert.Equal(vocabulary.Tokens, loaded.Tokens);
            Assert.Equal(vocabulary.Digest, loaded.Digest);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), loaded.Digest);
            Assert.Equal(vocabulary.Tokens, JsonSerializer.Deserialize<string[]>(File.ReadAllText(path)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("{}", "not a JSON array of strings")]
    [InlineData("[\"xxunk\", 3]", "not a JSON array of strings")]
    [InlineData("[\"xxunk\",", "not a JSON array of strings")]
    [InlineData("null", "is null")]
    [InlineData("[\"xxunk\", null]", "token 1 is null")]
    [InlineData("[\"the\"]", "at id 0 'xxunk' was expected, 'the' was found")]
    [InlineData("[\"xxunk\", \"xxpad\"]", "at id 2 'xxbos' was expected, nothing was found")]
    public void Load_WrongFile_SaysWhatIsWrong(string json, string reason)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(json));

        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Vocabulary.Load(content)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromTokens_DuplicateOrEmptyToken_SaysWhere()
    {
        Assert.Contains("'a' twice, at ids 9 and 11",
            Assert.Throws<InvalidDataException>(() => Vocabulary.FromTokens([.. SpecialTokens.All, "a", "b", "a"])).Message, StringComparison.Ordinal);
        Assert.Contains("token 9 is empty",
            Assert.Throws<InvalidDataException>(() => Vocabulary.FromTokens([.. SpecialTokens.All, ""])).Message, StringComparison.Ordinal);
        Assert.Equal(11, Vocabulary.FromTokens([.. SpecialTokens.All, "xxfake", "xxfake"]).Count);
    }

    [Fact]
    public void Load_PublishedStartVocabulary_IsAccepted()
    {
        string path = Path.Combine(SharedData.Folder, "models", "en-small-start", "vocabulary.json");
        Assert.SkipUnless(File.Exists(path), "the start model is not beside the repository");

        Vocabulary vocabulary = Vocabulary.Load(path);
        Assert.Equal(12_000, vocabulary.Count);
        Assert.Equal("the", vocabulary.Tokens[9]);
    }
}
