using System.Numerics;
using System.Text;
using Ulmfit.Import;

namespace Ulmfit.Tests.Import;

public sealed class PickleReaderTests
{
    private static readonly string[] Words = ["xxunk", "xxpad", "xxbos", "xxeos", "xxfld", "xxrep", "xxwrep", "xxup", "xxmaj", "the", ",", ".", "and", "of", "to", "in", "\n", "a", "was", "n't", "café", "东", "😀", "don", "i", "'s"];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Read_AListOfWordsInAnyProtocol_GivesTheWords(int protocol)
    {
        var list = Assert.IsType<PickleSequence>(Read(ImportFiles.Bytes($"v2-itos-protocol-{protocol}.pkl")));

        Assert.Equal(PickleSequenceKind.List, list.Kind);
        Assert.Equal([.. Words, .. Enumerable.Repeat("xxfake", 6)], list.Items);
    }

    public static TheoryData<string, object?> Scalars => new()
    {
        { "N.", null },
        { "I01\n.", true },
        { "I-17\n.", -17L },
        { "L12345678901234567890123L\n.", BigInteger.Parse("12345678901234567890123", System.Globalization.CultureInfo.InvariantCulture) },
        { "F2.5\n.", 2.5 },
        { "\u0080\u0002J\u00FF\u00FF\u00FF\u00FF.", -1L },
        { "\u0080\u0002M\u0001\u0002.", 513L },
        { "\u0080\u0002\u008A\u0002\u0000\u0080.", -32768L },
        { "\u0080\u0002\u008A\u0000.", 0L },
        { "G@\u0004\u0000\u0000\u0000\u0000\u0000\u0000.", 2.5 },
        { "V\\u0141\\u00f3d\\U0001f600\u00E9\n.", "Łód😀é" },
        { "Np0\n0g0\n.", null },
    };

    [Theory]
    [MemberData(nameof(Scalars))]
    public void Read_AScalar_GivesItsValue(string pickle, object? expected) => Assert.Equal(expected, Read(pickle));

    [Fact]
    public void Read_SetsAndBytesAndOrderedDicts_MakesPlainDataOfThem()
    {
        Assert.Equal(PickleSequenceKind.Set, Assert.IsType<PickleSequence>(Read(ImportFiles.Bytes("set.pkl"))).Kind);
        Assert.Equal(new byte[] { 0, 233 }, Read("c_codecs\nencode\n(V\\u0000\u00E9\nVlatin1\ntR."));
        var dictionary = Assert.IsType<PickleDictionary>(Read("ccollections\nOrderedDict\n((l(Va\nI1\nta(Va\nI2\ntatR."));
        Assert.Equal(2L, dictionary.Named["a"]);
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("builtins", "exec")]
    [InlineData("builtins", "getattr")]
    [InlineData("builtins", "__import__")]
    [InlineData("__builtin__", "apply")]
    [InlineData("subprocess", "Popen")]
    [InlineData("torch", "load")]
    [InlineData("torch.nn.modules.linear", "Linear")]
    [InlineData("copyreg", "_reconstructor")]
    [InlineData("numpy.core.multiarray", "_reconstruct")]
    [InlineData("collections", "OrderedDict.__init__")]
    public void Read_ANameThatIsNotListed_IsRefusedByThatName(string module, string name)
    {
        foreach (string pickle in (string[])[$"c{module}\n{name}\n(Vecho\ntR.", $"\u0080\u0004\u008C{(char)module.Length}{module}\u008C{(char)name.Length}{name}\u0093(\u008C\u0004echotR."])
        {
            var exception = Assert.Throws<InvalidDataException>(() => Read(pickle));
            Assert.Contains($"{module}.{name}", exception.Message, StringComparison.Ordinal);
            Assert.Contains("could run code", exception.Message, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, string> Malformed => new()
    {
        { "", "the file ends" },
        { ".", "0 values on its stack" },
        { "N", "the file ends" },
        { "NN.", "2 values on its stack" },
        { "(N.", "1 marks" },
        { "\u0080\u0006N.", "protocol is 6" },
        { "i", "opcode 0x69" },
        { "(ios\nsystem\n.", "opcode 0x69" },
        { "(o.", "opcode 0x6f" },
        { "S'text'\n.", "opcode 0x53" },
        { "\u0082\u0001.", "opcode 0x82" },
        { "\u0092.", "opcode 0x92" },
        { "P1\n.", "opcode 0x50" },
        { "N)R.", "it calls nothing" },
        { "cbuiltins\nint\n(I1\ntR.", "builtins.int" },
        { "ctorch\nFloatStorage\n)R.", "torch.FloatStorage" },
        { "cbuiltins\nlist\n(VrR.", "ends in the middle of a line" },
        { "cbuiltins\nlist\n(Vabc\ntR.", "builtins.list" },
        { "cbuiltins\ndict\n(I1\ntR.", "builtins.dict" },
        { "c_codecs\nencode\n(Va\nVrot13\ntR.", "Latin-1" },
        { "cbuiltins\nlist\n)\u0081.", "it makes an object of builtins.list" },
        { "I1\n}b.", "it sets attributes" },
        { "I1\nI2\na.", "it adds to" },
        { ")I2\na.", "it adds to a tuple" },
        { "]I1\nI2\ns.", "it sets items of a list" },
        { "}(I1\nu.", "a key without a value" },
        { "0.", "its stack is empty" },
        { "N(0a.", "its stack is empty" },
        { "t.", "no mark" },
        { "NQ.", "outside of itself" },
        { "g7\n.", "recalls the number 7" },
        { "Np99999999999\n.", "under the number 99999999999" },
        { "Np-1\n.", "'-1' is no number" },
        { "Iseven\n.", "'seven' is no integer" },
        { "F1,5\n.", "'1,5' is no number" },
        { "V\\ud800\n.", "an escape that is no character" },
        { "\u0080\u0002X\u0001\u0000\u0000\u0000\u00FF.", "not UTF-8" },
        { "\u0080\u0002X\u00FF\u00FF\u00FF\u00FFa.", "a string of 4294967295 bytes" },
        { "\u0080\u0004\u008D\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u007Fa.", "a string of 9223372036854775807 bytes" },
        { "\u0080\u0004\u008D\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FFa.", "a string of -1 bytes" },
        { "\u0080\u0003B\u00FF\u00FF\u00FF\u00FFa.", "bytes of 4294967295" },
        { "\u0080\u0005\u0096\u0000\u0000\u0000\u0000\u0001\u0000\u0000\u0000a.", "bytes of 4294967296" },
        { "\u0080\u0002\u008B\u00FF\u00FF\u00FF\u007Fa.", "an integer of 2147483647 bytes" },
        { "\u0080\u0002\u008B\u00FF\u00FF\u00FF\u00FFa.", "an integer of -1 bytes" },
        { "\u0080\u0004\u0095\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FFN.", "a frame of -1 bytes" },
        { "\u0080\u0002X\u0000\u0000\u0010\u0000a.", "the file ends" },
        { "Nr\u00FF\u00FF\u00FF\u00FF.", "under the number 4294967295" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Read_AMalformedPickle_IsRefusedWithTheReason(string pickle, string reason)
    {
        string message = Assert.Throws<InvalidDataException>(() => Read(pickle)).Message;

        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Contains("from byte", message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, int, string> Floods => new()
    {
        { "", "]", 3_000_000, "values" },
        { "", "}", 3_000_000, "values" },
        { "", "\u008F", 3_000_000, "values" },
        { "", "N", 3_000_000, "values" },
        { "", "](", 3_000_000, "marks" },
        { "Nq\u0000", "h\u0000", 3_000_000, "values" },
        { ")", "\u0085", 3_000_000, "deep" },
        { new string(']', 100), "a", 99, "deep" },
        { new string('}', 100), "N\u0086", 99, "deep" },
    };

    [Theory]
    [MemberData(nameof(Floods))]
    public void Read_AFloodOfOneThing_IsRefusedBeforeItFillsTheMemory(string start, string again, int times, string reason)
    {
        byte[] pickle = Encoding.Latin1.GetBytes(start + string.Concat(Enumerable.Repeat(again, times)) + ".");
        long before = GC.GetAllocatedBytesForCurrentThread();

        var exception = Assert.Throws<InvalidDataException>(() => Read(pickle));

        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200L << 20);
    }

    [Fact]
    public void Read_ACopyOfACopyOfALongList_IsRefusedBeforeItFillsTheMemory()
    {
        var pickle = new StringBuilder("(l");
        pickle.Append(string.Concat(Enumerable.Repeat("Na", 20_000))).Append("p0\n0");
        for (int i = 0; i < 10_000; i++)
        {
            pickle.Append("cbuiltins\nlist\n(g0\ntR0");
        }

        Assert.Contains("values", Assert.Throws<InvalidDataException>(() => Read(pickle.Append("N.").ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RandomOpcodes_GiveAValueOrTheDocumentedException()
    {
        byte[] opcodes = [.. Enum.GetValues<PickleOpcode>().Select(opcode => (byte)opcode)];
        var random = new Random(1);
        for (int i = 0; i < 50_000; i++)
        {
            var pickle = new byte[random.Next(1, 40)];
            for (int at = 0; at < pickle.Length; at++)
            {
                pickle[at] = random.Next(3) == 0 ? (byte)random.Next(random.Next(2) == 0 ? 4 : 256) : opcodes[random.Next(opcodes.Length)];
            }

            Try(pickle);
        }
    }

    [Theory]
    [InlineData("v2-itos-protocol-0.pkl")]
    [InlineData("v2-itos-protocol-2.pkl")]
    [InlineData("v2-itos-protocol-4.pkl")]
    [InlineData("v2-vocab-fastcore.pkl")]
    public void Read_EveryTruncationAndEveryFlippedBit_GivesAValueOrTheDocumentedException(string file)
    {
        byte[] whole = ImportFiles.Bytes(file);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => Read(whole[..length]));
        }

        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] flipped = [.. whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Try(flipped);
        }
    }

    private static void Try(byte[] pickle)
    {
        try
        {
            Read(pickle);
        }
        catch (InvalidDataException)
        {
            // What is documented; anything else ends the test.
        }
    }

    private static object? Read(string pickle) => Read(Encoding.Latin1.GetBytes(pickle));

    private static object? Read(byte[] pickle) => new PickleReader(pickle).Read();
}
