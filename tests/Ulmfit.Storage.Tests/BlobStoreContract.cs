using System.Security.Cryptography;
using System.Text;

namespace Ulmfit.Storage.Tests;

/// <summary>What every store does. A derived class runs it on one of them.</summary>
public abstract class BlobStoreContract
{
    private static readonly Dictionary<string, string> Invalid = new()
    {
        ["empty"] = "",
        ["parent"] = "..",
        ["parent first"] = "../secret",
        ["parent within"] = "a/../../secret",
        ["parent last"] = "a/..",
        ["current"] = ".",
        ["current within"] = "a/./b",
        ["absolute"] = "/etc/passwd",
        ["drive"] = "C:/secret",
        ["drive relative"] = "C:secret",
        ["backslash"] = "a\\b",
        ["backslash parent"] = "..\\secret",
        ["empty segment"] = "a//b",
        ["slash at the end"] = "a/",
        ["hidden"] = ".hidden",
        ["hidden folder"] = ".blobs/tmp/x",
        ["dot at the end"] = "a.",
        ["space at the end"] = "a ",
        ["space at a segment's end"] = "a /b",
        ["null character"] = "a\0b",
        ["new line"] = "a\nb",
        ["delete character"] = "a\u007Fb",
        ["C1 control"] = "a\u0085b",
        ["lone high surrogate"] = "a\uD83D",
        ["lone low surrogate"] = "\uDE00a",
        ["question mark"] = "a?b",
        ["asterisk"] = "*",
        ["pipe"] = "a|b",
        ["quote"] = "a\"b",
        ["angle"] = "a<b",
        ["stream"] = "a:b",
        ["device"] = "con",
        ["device with extension"] = "a/NUL.txt",
        ["device with space"] = "com1 .txt",
        ["device with a superscript"] = "LPT¹",
        ["too long"] = string.Join('/', Enumerable.Repeat(new string('a', 204), 5)) + "a",
        ["segment too long"] = new string('a', 256),
        ["segment too long in UTF-8"] = new string('é', 128),
    };

    private static readonly Dictionary<string, string> InvalidContainer = new()
    {
        ["empty"] = "",
        ["short"] = "ab",
        ["long"] = new string('a', 64),
        ["upper case"] = "Labeled",
        ["parent"] = "..",
        ["parent and more"] = "../x",
        ["slash"] = "a/bc",
        ["absolute"] = "/etc",
        ["hidden"] = ".git",
        ["hyphen first"] = "-abc",
        ["hyphen last"] = "abc-",
        ["two hyphens"] = "a--b",
        ["underscore"] = "a_b",
        ["letter beyond ASCII"] = "étude",
        ["device"] = "con",
    };

    public static TheoryData<string> InvalidNames => [.. Invalid.Keys];

    public static TheoryData<string> InvalidContainers => [.. InvalidContainer.Keys];

    public static TheoryData<string> OddNames =>
    [
        "with space.csv", " leading space", "plus+plus", "%41", "a%2Fb", "100%", "hash#tag", "amp&equals=;", "comma,semi;colon", "(brackets)[and]{braces}",
        "naïve/größe/日本語.csv", "emoji-😀.txt", "e\u0301 decomposed", "a'b`c", "~tilde", "$dollar!", "@at^caret", "UPPER/lower", "a.b..c", "sha256/0f", "x",
    ];

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract IBlobStore Store { get; }

    /// <summary>A container of this test's own.</summary>
    protected string Container { get; } = $"t{Guid.NewGuid():N}";

    [Fact]
    public async Task GetAsync_AfterPut_ReturnsWhatWasPut()
    {
        var put = await Store.PutAsync(Container, "a/b.bin", [1, 2, 3], Ct);

        var got = await Store.GetAsync(Container, "a/b.bin", Ct);

        Assert.NotNull(got);
        Assert.Equal([1, 2, 3], got.Bytes);
        Assert.Equal(put, got.Info);
        Assert.Equal("a/b.bin", put.Name);
        Assert.Equal(3, put.Length);
        Assert.NotEmpty(put.ETag.Value);
        Assert.Equal(put, await Store.GetInfoAsync(Container, "a/b.bin", Ct));
        Assert.Equal([put], await ListAsync());
    }

    [Fact]
    public async Task PutAsync_LastModified_IsNow()
    {
        // The service keeps whole seconds.
        var before = DateTimeOffset.UtcNow.AddSeconds(-2);

        var put = await Store.PutTextAsync(Container, "a", "x", Ct);

        Assert.InRange(put.LastModified, before, DateTimeOffset.UtcNow.AddSeconds(2));
    }

    [Fact]
    public async Task EveryRead_OfAnUnknownBlob_SaysAbsent()
    {
        await Store.PutTextAsync(Container, "there", "x", Ct);

        await AssertAbsentAsync(Container, "not/there");
        await AssertAbsentAsync(Container, "there/below");
        await AssertAbsentAsync(Container, "the");
    }

    [Fact]
    public async Task EveryRead_OfAnUnknownContainer_SaysAbsent()
    {
        await AssertAbsentAsync(Container, "a");
        Assert.Empty(await ListAsync());
        Assert.Empty(await ListAsync("a/"));
        Assert.Null(await Store.PutIfMatchAsync(Container, "a", [1], new ETag("0x8D0000000000000"), Ct));
    }

    [Fact]
    public async Task GetAsync_OfAFolder_SaysAbsent()
    {
        await Store.PutTextAsync(Container, "folder/blob", "x", Ct);

        await AssertAbsentAsync(Container, "folder");
    }

    [Fact]
    public async Task PutAsync_Again_ReplacesContentAndETag()
    {
        var first = await Store.PutTextAsync(Container, "a", "first", Ct);

        var second = await Store.PutTextAsync(Container, "a", "second", Ct);

        Assert.NotEqual(first.ETag, second.ETag);
        Assert.Equal("second", await Store.GetTextAsync(Container, "a", Ct));
        Assert.Equal([second], await ListAsync());
    }

    [Fact]
    public async Task PutAsync_TheSameContentAgainAndAgain_GivesANewETagEachTime()
    {
        var seen = new HashSet<ETag>();

        for (var i = 0; i < 200; i++)
        {
            seen.Add((await Store.PutTextAsync(Container, "a", "same", Ct)).ETag);
        }

        Assert.Equal(200, seen.Count);
    }

    [Fact]
    public async Task PutIfAbsentAsync_AfterDelete_GivesANewETag()
    {
        var seen = new HashSet<ETag>();

        for (var i = 0; i < 100; i++)
        {
            seen.Add((await Store.PutIfAbsentAsync(Container, "a", "same"u8.ToArray(), Ct))!.ETag);
            Assert.True(await Store.DeleteAsync(Container, "a", Ct));
        }

        Assert.Equal(100, seen.Count);
    }

    [Fact]
    public async Task PutAsync_FromAPositionWithinAStream_WritesTheRest()
    {
        using var content = new MemoryStream("head and tail"u8.ToArray()) { Position = 9 };

        var put = await Store.PutAsync(Container, "a", content, Ct);

        Assert.Equal(4, put.Length);
        Assert.Equal("tail", await Store.GetTextAsync(Container, "a", Ct));
        Assert.True(content.CanRead);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1 << 22)]
    [InlineData((1 << 23) + 1)]
    public async Task GetDigestedAsync_AnyLength_GivesTheBytesAndTheirSha256(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var put = await Store.PutAsync(Container, "large", bytes, Ct);

        var got = await Store.GetDigestedAsync(Container, "large", Ct);

        Assert.NotNull(got);
        Assert.Equal(put, got.Content.Info);
        Assert.True(bytes.AsSpan().SequenceEqual(got.Content.Bytes));
        Assert.Equal(SHA256.HashData(bytes), got.Sha256);
    }

    [Fact]
    public async Task GetDigestedAsync_OfNothing_GivesNothing() => Assert.Null(await Store.GetDigestedAsync(Container, "absent", Ct));

    [Fact]
    public async Task EmptyBlob_IsABlob()
    {
        var put = await Store.PutAsync(Container, "empty", [], Ct);

        Assert.Equal(0, put.Length);
        Assert.Empty((await Store.GetAsync(Container, "empty", Ct))!.Bytes);
        await using var stream = await Store.OpenReadAsync(Container, "empty", Ct);
        Assert.Equal(0, stream!.Length);
        Assert.Equal(-1, stream.ReadByte());
        Assert.Equal([put], await ListAsync());
        Assert.Null(await Store.PutIfAbsentAsync(Container, "empty", [1], Ct));
    }

    [Theory]
    [MemberData(nameof(OddNames))]
    public async Task EveryCall_WithAnOddName_TakesItLiterally(string name)
    {
        var put = await Store.PutTextAsync(Container, name, name, Ct);

        Assert.Equal(name, put.Name);
        Assert.Equal(name, await Store.GetTextAsync(Container, name, Ct));
        Assert.Equal([put], await ListAsync());
        Assert.Equal([put], await ListAsync(name[..1]));
        Assert.Equal([put], await ListAsync(name));
        await using (var stream = await Store.OpenReadAsync(Container, name, Ct))
        {
            Assert.Equal(put.Length, stream!.Length);
        }
        Assert.Null(await Store.PutIfAbsentAsync(Container, name, [1], Ct));
        Assert.True(await Store.DeleteIfMatchAsync(Container, name, put.ETag, Ct));
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Names_ThatDecodeOrFoldToOneAnother_AreDifferentBlobs()
    {
        string[] names = ["%41", "+", "%2B", " x", "%20x", "\u00E9", "e\u0301"];
        foreach (var name in names)
        {
            Assert.NotNull(await Store.PutIfAbsentAsync(Container, name, Encoding.UTF8.GetBytes(name), Ct));
        }

        foreach (var name in names)
        {
            Assert.Equal(name, await Store.GetTextAsync(Container, name, Ct));
        }
        Assert.Null(await Store.GetInfoAsync(Container, "A", Ct));
        Assert.Equal(names.Order(StringComparer.Ordinal), (await ListAsync()).Select(blob => blob.Name));
    }

    [Fact]
    public async Task PutAsync_WithTheLongestName_Works()
    {
        var name = string.Join('/', Enumerable.Repeat(new string('n', 204), 5));
        Assert.Equal(1024, name.Length);

        var put = await Store.PutTextAsync(Container, name, "x", Ct);

        Assert.Equal([put], await ListAsync(name));
    }

    [Theory]
    [MemberData(nameof(InvalidNames))]
    public async Task EveryCall_WithAnInvalidName_ThrowsArgumentException(string which)
    {
        var name = Invalid[which];
        using var content = new MemoryStream([1]);
        var etag = new ETag("0x8D0000000000000");

        Assert.NotEmpty((await Assert.ThrowsAsync<ArgumentException>(() => Store.GetAsync(Container, name, Ct))).Message);
        await Assert.ThrowsAsync<ArgumentException>(() => Store.OpenReadAsync(Container, name, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.GetInfoAsync(Container, name, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutAsync(Container, name, content, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutIfAbsentAsync(Container, name, content, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutIfMatchAsync(Container, name, content, etag, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(Container, name, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteIfMatchAsync(Container, name, etag, Ct));
        Assert.Empty(await ListAsync());
    }

    [Theory]
    [MemberData(nameof(InvalidContainers))]
    public async Task EveryCall_WithAnInvalidContainer_ThrowsArgumentException(string which)
    {
        var container = InvalidContainer[which];
        using var content = new MemoryStream([1]);
        var etag = new ETag("0x8D0000000000000");

        await Assert.ThrowsAsync<ArgumentException>(() => Store.GetAsync(container, "a", Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.OpenReadAsync(container, "a", Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.GetInfoAsync(container, "a", Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutAsync(container, "a", content, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutIfAbsentAsync(container, "a", content, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutIfMatchAsync(container, "a", content, etag, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(container, "a", Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteIfMatchAsync(container, "a", etag, Ct));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.ListAsync(container, "", Ct).ToListAsync(Ct));
    }

    [Theory]
    [InlineData("../")]
    [InlineData("/")]
    [InlineData("a//")]
    [InlineData(".blobs")]
    [InlineData("a\\")]
    [InlineData("con/")]
    public async Task ListAsync_WithAPrefixNoBlobCanHave_ThrowsArgumentException(string prefix) =>
        await Assert.ThrowsAsync<ArgumentException>(() => ListAsync(prefix));

    [Fact]
    public async Task ListAsync_OfManyBlobs_IsInOrdinalOrder()
    {
        string[] names =
        [
            "a", "a-b", "a b/c", "a.b/c", "a0", "ab/c", "ab/c/d", "ab-c", "B", "b/1", "b/10", "b/2", "b/1/x", "b/1.x", "é", "z", "\uFF5E", "😀",
        ];
        // Names of which one is another's folder cannot all be files.
        names = [.. names.Where(name => !names.Any(other => other.StartsWith(name + "/", StringComparison.Ordinal)))];
        foreach (var name in names.OrderBy(name => name.GetHashCode(StringComparison.Ordinal)))
        {
            await Store.PutTextAsync(Container, name, "x", Ct);
        }

        var listed = (await ListAsync()).Select(blob => blob.Name);

        Assert.Equal(names.Order(StringComparer.Ordinal), listed);
    }

    [Theory]
    [InlineData("", "ab/1,ab/2,abc,b/c/d,b/cd")]
    [InlineData("a", "ab/1,ab/2,abc")]
    [InlineData("ab/", "ab/1,ab/2")]
    [InlineData("ab/1", "ab/1")]
    [InlineData("ab/1/", "")]
    [InlineData("b/c", "b/c/d,b/cd")]
    [InlineData("b/c/", "b/c/d")]
    [InlineData("A", "")]
    [InlineData("none/there", "")]
    public async Task ListAsync_WithAPrefix_ReturnsTheNamesThatBeginSo(string prefix, string expected)
    {
        foreach (var name in new[] { "ab/1", "ab/2", "abc", "b/c/d", "b/cd" })
        {
            await Store.PutTextAsync(Container, name, "x", Ct);
        }

        var listed = (await ListAsync(prefix)).Select(blob => blob.Name);

        Assert.Equal(expected.Split(',', StringSplitOptions.RemoveEmptyEntries), listed);
    }

    [Fact]
    public async Task ListAsync_OfOneContainer_ShowsNoOther()
    {
        await Store.PutTextAsync(Container, "a", "x", Ct);
        await Store.PutTextAsync(Container + "x", "b", "x", Ct);

        Assert.Equal("a", Assert.Single(await ListAsync()).Name);
    }

    [Fact]
    public async Task PutIfAbsentAsync_OfABlobThatExists_ReturnsNullAndChangesNothing()
    {
        var first = await Store.PutIfAbsentAsync(Container, "a", "first"u8.ToArray(), Ct);

        var second = await Store.PutIfAbsentAsync(Container, "a", "second"u8.ToArray(), Ct);

        Assert.NotNull(first);
        Assert.Null(second);
        Assert.Equal("first", await Store.GetTextAsync(Container, "a", Ct));
        Assert.Equal(first, await Store.GetInfoAsync(Container, "a", Ct));
    }

    [Fact]
    public async Task PutIfAbsentAsync_BySeveralAtOnce_ExactlyOneWins()
    {
        for (var round = 0; round < 5; round++)
        {
            var name = $"round/{round}";
            var start = new TaskCompletionSource();
            var writers = Enumerable.Range(0, 32).Select(async writer =>
            {
                await start.Task;
                return (Writer: writer, Info: await Store.PutIfAbsentAsync(Container, name, [(byte)writer], Ct));
            }).ToList();
            start.SetResult();

            var won = Assert.Single(await Task.WhenAll(writers), result => result.Info is not null);

            var blob = await Store.GetAsync(Container, name, Ct);
            Assert.Equal([(byte)won.Writer], blob!.Bytes);
            Assert.Equal(won.Info, blob.Info);
        }
    }

    [Fact]
    public async Task PutIfMatchAsync_OfTheVersionSeen_Replaces()
    {
        var first = await Store.PutTextAsync(Container, "a", "first", Ct);

        var second = await Store.PutIfMatchAsync(Container, "a", "second"u8.ToArray(), first.ETag, Ct);

        Assert.NotNull(second);
        Assert.NotEqual(first.ETag, second.ETag);
        Assert.Equal("second", await Store.GetTextAsync(Container, "a", Ct));
    }

    [Fact]
    public async Task PutIfMatchAsync_OfAnotherVersion_ReturnsNullAndChangesNothing()
    {
        var first = await Store.PutTextAsync(Container, "a", "same", Ct);
        var second = await Store.PutTextAsync(Container, "a", "same", Ct);

        Assert.Null(await Store.PutIfMatchAsync(Container, "a", "third"u8.ToArray(), first.ETag, Ct));

        Assert.Equal(second, (await Store.GetAsync(Container, "a", Ct))!.Info);
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("\"*\"")]
    [InlineData("nothing such")]
    [InlineData("0x8D0000000000000")]
    public async Task ConditionalCalls_WithAnETagThatNoBlobHas_Lose(string etag)
    {
        await Store.PutTextAsync(Container, "a", "kept", Ct);

        Assert.Null(await Store.PutIfMatchAsync(Container, "a", [1], new ETag(etag), Ct));
        Assert.False(await Store.DeleteIfMatchAsync(Container, "a", new ETag(etag), Ct));

        Assert.Equal("kept", await Store.GetTextAsync(Container, "a", Ct));
    }

    [Fact]
    public async Task ConditionalCalls_WithoutAnETag_Throw()
    {
        await Assert.ThrowsAsync<ArgumentNullException>(() => Store.PutIfMatchAsync(Container, "a", [1], default, Ct));
        await Assert.ThrowsAsync<ArgumentNullException>(() => Store.DeleteIfMatchAsync(Container, "a", default, Ct));
    }

    [Fact]
    public async Task PutIfMatchAsync_OfADeletedBlob_ReturnsNullAndCreatesNothing()
    {
        var put = await Store.PutTextAsync(Container, "a", "x", Ct);
        await Store.DeleteAsync(Container, "a", Ct);

        Assert.Null(await Store.PutIfMatchAsync(Container, "a", [1], put.ETag, Ct));

        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task PutIfMatchAsync_BySeveralAtOnce_LosesNoUpdate()
    {
        await Store.PutJsonAsync(Container, "counter", 0, ct: Ct);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Child.IncrementAsync(Store, Container, "counter", 12, Ct)));

        Assert.Equal(96, (await Store.GetJsonAsync<int>(Container, "counter", ct: Ct))!.Value);
    }

    [Fact]
    public async Task PutAsync_BySeveralAtOnce_LeavesOneOfThemWhole()
    {
        const int size = 200_000;

        var written = await Task.WhenAll(Enumerable.Range(1, 8).Select(async writer =>
        {
            var content = Child.Filled((byte)writer, size);
            return await Store.PutAsync(Container, "a", content, Ct);
        }));

        var blob = await Store.GetAsync(Container, "a", Ct);
        Assert.Equal(size, blob!.Bytes.Length);
        Assert.Single(blob.Bytes.Distinct());
        Assert.Equal(written[blob.Bytes[0] - 1], blob.Info);
    }

    [Fact]
    public async Task DeleteAsync_OfABlob_RemovesItAlone()
    {
        await Store.PutTextAsync(Container, "a/1", "x", Ct);
        await Store.PutTextAsync(Container, "a/2", "x", Ct);

        Assert.True(await Store.DeleteAsync(Container, "a/1", Ct));
        Assert.False(await Store.DeleteAsync(Container, "a/1", Ct));

        Assert.Equal("a/2", Assert.Single(await ListAsync()).Name);
        await AssertAbsentAsync(Container, "a/1");
    }

    [Fact]
    public async Task DeleteAsync_OfTheLastBlobOfAFolder_FreesTheFoldersName()
    {
        await Store.PutTextAsync(Container, "a/b/c", "x", Ct);
        await Store.DeleteAsync(Container, "a/b/c", Ct);

        var put = await Store.PutTextAsync(Container, "a", "now a blob", Ct);

        Assert.Equal([put], await ListAsync());
    }

    [Fact]
    public async Task DeleteIfMatchAsync_OfAnotherVersion_KeepsTheBlob()
    {
        var first = await Store.PutTextAsync(Container, "a", "x", Ct);
        var second = await Store.PutTextAsync(Container, "a", "x", Ct);

        Assert.False(await Store.DeleteIfMatchAsync(Container, "a", first.ETag, Ct));
        Assert.True(await Store.DeleteIfMatchAsync(Container, "a", second.ETag, Ct));
        Assert.False(await Store.DeleteIfMatchAsync(Container, "a", second.ETag, Ct));

        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task DeleteIfMatchAsync_BySeveralAtOnce_ExactlyOneWins()
    {
        var put = await Store.PutTextAsync(Container, "a", "x", Ct);

        var won = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Store.DeleteIfMatchAsync(Container, "a", put.ETag, Ct)));

        Assert.Single(won, true);
    }

    [Fact]
    public async Task PutAndDelete_OfOneFoldersBlobsAtOnce_LoseNothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            for (var i = 0; i < 20; i++)
            {
                await Store.PutTextAsync(Container, $"folder/deep/{worker}", "x", Ct);
                Assert.True(await Store.DeleteAsync(Container, $"folder/deep/{worker}", Ct));
            }
            await Store.PutTextAsync(Container, $"folder/deep/{worker}", "kept", Ct);
        }));

        Assert.Equal(8, (await ListAsync("folder/deep/")).Count);
    }

    [Fact]
    public async Task LargeBlob_StreamedInAndOut_IsTheSame()
    {
        const long size = (64L << 20) + 12_345;
        await using var content = new PatternStream(size);

        var put = await Store.PutAsync(Container, "large", content, Ct);

        Assert.Equal(size, put.Length);
        await using var stream = await Store.OpenReadAsync(Container, "large", Ct);
        Assert.Equal(size, stream!.Length);
        await AssertPatternAsync(stream, 0, size);
        stream.Seek(-1000, SeekOrigin.End);
        await AssertPatternAsync(stream, size - 1000, 1000);
        Assert.Equal(put, await Store.GetInfoAsync(Container, "large", Ct));
    }

    [Fact]
    public async Task LargeBlob_PutIfAbsentBySeveralAtOnce_IsTheWinnersWhole()
    {
        const int size = 40 << 20;

        var results = await Task.WhenAll(Enumerable.Range(1, 3).Select(async writer =>
        {
            var content = Child.Filled((byte)writer, size);
            return (Writer: (byte)writer, Info: await Store.PutIfAbsentAsync(Container, "large", content, Ct));
        }));

        var won = Assert.Single(results, result => result.Info is not null);
        var blob = await Store.GetAsync(Container, "large", Ct);
        Assert.Equal(size, blob!.Bytes.Length);
        Assert.Equal(-1, blob.Bytes.AsSpan().IndexOfAnyExcept(won.Writer));
    }

    [Fact]
    public async Task LargeBlob_PutBySeveralAtOnce_IsOneWriterWhole()
    {
        const int size = 40 << 20;

        await Task.WhenAll(Enumerable.Range(1, 3).Select(async writer =>
        {
            var content = Child.Filled((byte)writer, size);
            Assert.NotNull(await Store.PutAsync(Container, "large", content, Ct));
        }));

        var blob = await Store.GetAsync(Container, "large", Ct);
        Assert.Equal(size, blob!.Bytes.Length);
        Assert.Equal(-1, blob.Bytes.AsSpan().IndexOfAnyExcept(blob.Bytes[0]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OpenReadAsync_OfABlobReplacedMeanwhile_GivesTheVersionOpenedOrThrows(bool deleted)
    {
        const int size = 10 << 20;
        await Store.PutAsync(Container, "a", Child.Filled(1, size), Ct);
        await using var stream = await Store.OpenReadAsync(Container, "a", Ct);
        Assert.Equal(1, stream!.ReadByte());
        if (deleted)
        {
            await Store.DeleteAsync(Container, "a", Ct);
        }
        else
        {
            await Store.PutAsync(Container, "a", Child.Filled(2, size), Ct);
        }

        using var rest = new MemoryStream();
        try
        {
            await stream.CopyToAsync(rest, Ct);
            Assert.Equal(size - 1, rest.Length);
        }
        catch (IOException e)
        {
            Assert.Contains($"{Container}/a", e.Message, StringComparison.Ordinal);
        }
        Assert.Equal(-1, rest.ToArray().AsSpan().IndexOfAnyExcept((byte)1));
    }

    [Fact]
    public async Task EveryCall_WhenCancelledBefore_Throws()
    {
        var put = await Store.PutTextAsync(Container, "a", "x", Ct);
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        var canceled = source.Token;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.GetAsync(Container, "a", canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.OpenReadAsync(Container, "a", canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.GetInfoAsync(Container, "a", canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutAsync(Container, "a", [1], canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutIfAbsentAsync(Container, "b", [1], canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutIfMatchAsync(Container, "a", [1], put.ETag, canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.DeleteAsync(Container, "a", canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.DeleteIfMatchAsync(Container, "a", put.ETag, canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.ListAsync(Container, "", canceled).ToListAsync(canceled));
        Assert.Equal([put], await ListAsync());
    }

    [Fact]
    public async Task PutAsync_CancelledInTheMiddle_KeepsTheOldVersion()
    {
        var put = await Store.PutTextAsync(Container, "a", "old", Ct);
        using var source = new CancellationTokenSource();
        await using var content = new HaltingStream(source.Cancel);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutAsync(Container, "a", content, source.Token));

        Assert.Equal([put], await ListAsync());
        Assert.Equal("old", await Store.GetTextAsync(Container, "a", Ct));
    }

    [Fact]
    public async Task PutAsync_OfAStreamThatFails_KeepsTheOldVersion()
    {
        var put = await Store.PutTextAsync(Container, "a", "old", Ct);
        await using var content = new HaltingStream(() => throw new InvalidDataException("broken source"));

        await Assert.ThrowsAsync<InvalidDataException>(() => Store.PutAsync(Container, "a", content, Ct));

        Assert.Equal([put], await ListAsync());
    }

    [Fact]
    public async Task TextAndJson_WrittenAndRead_AreTheSame()
    {
        await Store.PutTextAsync(Container, "text", "Größe 😀\n", Ct);
        await Store.PutAsync(Container, "marked", [0xEF, 0xBB, 0xBF, (byte)'x'], Ct);
        var put = await Store.PutJsonAsync(Container, "json", new Sample("tickets", 3), ct: Ct);

        Assert.Equal("Größe 😀\n", await Store.GetTextAsync(Container, "text", Ct));
        Assert.Equal("x", await Store.GetTextAsync(Container, "marked", Ct));
        Assert.Equal(new BlobDocument<Sample>(put, new Sample("tickets", 3)), await Store.GetJsonAsync<Sample>(Container, "json", ct: Ct));
        Assert.Contains("\"dataSet\": \"tickets\"", await Store.GetTextAsync(Container, "json", Ct), StringComparison.Ordinal);
        Assert.Null(await Store.GetJsonAsync<Sample>(Container, "none", ct: Ct));
        Assert.Null(await Store.PutJsonIfAbsentAsync(Container, "json", new Sample("x", 1), ct: Ct));
        Assert.NotNull(await Store.PutJsonIfMatchAsync(Container, "json", new Sample("x", 1), put.ETag, ct: Ct));
        Assert.True(await Store.ExistsAsync(Container, "json", Ct));
        Assert.False(await Store.ExistsAsync(Container, "none", Ct));
    }

    [Fact]
    public async Task GetTextAndJson_OfAMalformedBlob_NameTheBlob()
    {
        await Store.PutAsync(Container, "bytes", [0x41, 0xFF], Ct);
        await Store.PutTextAsync(Container, "broken.json", "{\"dataSet\": ", Ct);
        await Store.PutTextAsync(Container, "null.json", "null", Ct);

        Assert.Contains("bytes", (await Assert.ThrowsAsync<InvalidDataException>(() => Store.GetTextAsync(Container, "bytes", Ct))).Message, StringComparison.Ordinal);
        foreach (var name in new[] { "broken.json", "null.json" })
        {
            var error = await Assert.ThrowsAsync<InvalidDataException>(() => Store.GetJsonAsync<Sample>(Container, name, ct: Ct));
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        }
    }

    protected async Task<List<BlobInfo>> ListAsync(string prefix = "") => await Store.ListAsync(Container, prefix, Ct).ToListAsync(Ct);

    protected async Task AssertAbsentAsync(string container, string name)
    {
        Assert.Null(await Store.GetAsync(container, name, Ct));
        Assert.Null(await Store.GetInfoAsync(container, name, Ct));
        Assert.Null(await Store.OpenReadAsync(container, name, Ct));
        Assert.Null(await Store.GetTextAsync(container, name, Ct));
        Assert.False(await Store.DeleteAsync(container, name, Ct));
        Assert.False(await Store.DeleteIfMatchAsync(container, name, new ETag("0x8D0000000000000"), Ct));
    }

    private static async Task AssertPatternAsync(Stream stream, long from, long length)
    {
        var buffer = new byte[1 << 20];
        for (var position = from; position < from + length;)
        {
            var read = await stream.ReadAsync(buffer, Ct);
            Assert.NotEqual(0, read);
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] != PatternStream.At(position++))
                {
                    Assert.Fail($"The byte at {position - 1} differs.");
                }
            }
        }
        Assert.Equal(0, await stream.ReadAsync(buffer, Ct));
    }

    private sealed record Sample(string DataSet, int Version);
}
