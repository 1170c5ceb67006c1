using System.Text;

namespace Fuzz.Mutation;

/// <summary>Makes and changes pickles: opcodes with their arguments, rather than bytes.</summary>
internal static class PickleMutator
{
    private static readonly byte[][] Names = Soup.Bytes(
        "cbuiltins\nlist\n", "cbuiltins\ndict\n", "cbuiltins\ntuple\n", "cbuiltins\nset\n", "c__builtin__\nstr\n", "ccollections\nOrderedDict\n", "ccollections\ndefaultdict\n",
        "c_codecs\nencode\n", "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch._utils\n_rebuild_parameter\n", "ctorch\nFloatStorage\n", "ctorch\nHalfStorage\n", "ctorch\nSize\n",
        "cfastcore.foundation\nL\n", "cnumpy\ndtype\n", "cnumpy.core.multiarray\nscalar\n", "cos\nsystem\n", "cposix\nsystem\n", "cbuiltins\neval\n", "csubprocess\nPopen\n");

    private static readonly byte[][] Opcodes =
    [
        .. Names,
        .. Soup.Bytes("(", ".", "0", "1", "N", "Q", "R", "a", "b", "d", "e", "l", "s", "t", "u", "}", "]", ")", "I1\n", "I00\n", "I01\n", "L5L\n", "F1.5\n", "Fnan\n", "Vabc\n", "V\\u0041\n", "Sx\n", "p0\n", "g0\n", "p1999999\n", "g99\n"),
        [0x80, 2], [0x80, 5], [0x80, 9], [0x81], [0x85], [0x86], [0x87], [0x88], [0x89], [0x8F], [0x90], [0x91], [0x93], [0x94], [0x92], [0x97], [0x98],
        [(byte)'K', 3], [(byte)'M', 1, 2], [(byte)'J', 255, 255, 255, 127], [(byte)'J', 0, 0, 0, 128], [(byte)'G', 0x7F, 0xF0, 0, 0, 0, 0, 0, 0],
        [0x8A, 0], [0x8A, 8, 255, 255, 255, 255, 255, 255, 255, 127], [0x8A, 255], [0x8B, 255, 255, 255, 127], [0x8B, 255, 255, 255, 255],
        [(byte)'X', 3, 0, 0, 0, (byte)'a', (byte)'b', (byte)'c'], [(byte)'X', 255, 255, 255, 255], [(byte)'X', 1, 0, 0, 0, 0xFF], [0x8C, 1, (byte)'z'], [0x8C, 0], [0x8D, 0, 0, 0, 0, 0, 0, 0, 128],
        [0x8E, 255, 255, 255, 255, 0, 0, 0, 0], [0x96, 0, 0, 0, 0, 0, 0, 0, 0], [(byte)'B', 0, 0, 0, 16], [(byte)'C', 2, 0, 0],
        [0x95, 255, 255, 255, 255, 255, 255, 255, 127], [(byte)'q', 0], [(byte)'q', 255], [(byte)'h', 0], [(byte)'h', 255], [(byte)'r', 0, 0, 0, 128], [(byte)'r', 63, 66, 15, 0], [(byte)'j', 0, 0, 0, 0],
        .. Soup.Bytes("(K\u0001K\u0002K\u0003t", "]q\u0000h\u0000a", "}(X\u0001\0\0\0aK\u0001u", "((((((((", "]]]]]]]]]]]]]]]]", "aaaaaaaa", ")))))))", "00000000"),
    ];

    /// <summary>A changed copy of a sample, or a pickle of any opcodes.</summary>
    public static byte[] Mutate(FuzzRandom random, byte[] sample, ReadOnlySpan<byte[]> others) => random.Below(8) switch
    {
        0 => [0x80, 2, .. Soup.Of(random, Opcodes, 60), .. random.OneIn(4) ? Array.Empty<byte>() : "."u8.ToArray()],
        1 => Doubling(random),
        2 or 3 => ByteMutator.Mutate(random, sample, others, []),
        _ => ByteMutator.Mutate(random, sample, others, Opcodes),
    };

    /// <summary>A pickle that copies a list into itself or into others again and again: what would grow without end if it were let.</summary>
    private static byte[] Doubling(FuzzRandom random)
    {
        var text = new StringBuilder("\u0080\u0002");
        text.Append(random.OneIn(2) ? "]q\0" : "}q\0");
        for (int round = random.Below(400); round > 0; round--)
        {
            text.Append(random.Below(5) switch
            {
                0 => "cbuiltins\nlist\nh\0\u0085R",
                1 => "h\0h\0\u0086q\0",
                2 => "h\0a",
                3 => "(h\0h\0h\0h\0l" + "q\0",
                _ => "ccollections\nOrderedDict\nh\0\u0085R",
            });
        }

        return Encoding.Latin1.GetBytes(text.Append('.').ToString());
    }
}
