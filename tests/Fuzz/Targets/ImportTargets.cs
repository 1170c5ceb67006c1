using System.IO.Compression;
using System.Reflection;
using Fuzz.Mutation;
using Ulmfit.Import;

namespace Fuzz.Targets;

/// <summary>Files of fastai: weights (.pth, a zip archive or the older row of pickles) and vocabularies (.pkl).</summary>
internal static class ImportTargets
{
    private const long Buffers = 8L << 20;

    // A pickle's values are objects of up to some 100 bytes for a byte or two of file; messages name what was found.
    private const long PerByte = 2048;

    private static readonly Dictionary<string, byte[]> Files = Resources();

    private static readonly byte[][] Weights = [.. Files.Where(file => file.Key.EndsWith(".pth", StringComparison.Ordinal)).OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => file.Value)];

    private static readonly byte[][] Pickles = [.. Files.Where(file => file.Key.EndsWith(".pkl", StringComparison.Ordinal)).OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => file.Value)];

    private static readonly byte[] Words = Files["v2-itos-protocol-4.pkl"];

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new("fastai-weights", 60, MakeWeights, input => Reads(input, Words), length => Buffers + (PerByte * length)),
        new("fastai-vocabulary", 90, MakeVocabulary, Vocabulary, length => Buffers + (PerByte * length)),
    ];

    private static byte[] MakeVocabulary(FuzzRandom random) => random.Below(12) switch
    {
        0 => random.Bytes(500),
        1 => MakeWeights(random),
        _ => PickleMutator.Mutate(random, random.Of<byte[]>(Pickles), Pickles),
    };

    private static byte[] MakeWeights(FuzzRandom random)
    {
        byte[] sample = random.Of<byte[]>(Weights);
        return random.Below(10) switch
        {
            0 => random.Bytes(2000),
            1 or 2 or 3 => ByteMutator.Mutate(random, sample, Weights, []),
            _ when sample.AsSpan().StartsWith("PK"u8) => Rezipped(random, sample),
            _ => PickleMutator.Mutate(random, sample, Weights),
        };
    }

    /// <summary>The same archive with changed parts, parts of other names, of the same name, compressed, or none.</summary>
    private static byte[] Rezipped(FuzzRandom random, byte[] sample)
    {
        using var packed = new MemoryStream();
        using (var old = new ZipArchive(new MemoryStream(sample)))
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (ZipArchiveEntry entry in old.Entries)
            {
                byte[] content = new byte[entry.Length];
                using (Stream from = entry.Open())
                {
                    from.ReadExactly(content);
                }

                bool pickle = entry.FullName.EndsWith("data.pkl", StringComparison.Ordinal);
                if (random.OneIn(pickle ? 2 : 10))
                {
                    content = pickle ? PickleMutator.Mutate(random, content, Pickles) : ByteMutator.Mutate(random, content, [], []);
                }

                if (random.OneIn(30))
                {
                    continue;
                }

                string name = random.OneIn(20) ? random.Of<string>(["../../evil", "/etc/passwd", "archive/data.pkl", "archive/data/0", "archive/byteorder", "C:\\x", " ", "a\0b"]) : entry.FullName;
                ZipArchiveEntry added = zip.CreateEntry(name, random.OneIn(20) ? CompressionLevel.Fastest : CompressionLevel.NoCompression);
                using Stream to = added.Open();
                to.Write(content);
            }
        }

        byte[] bytes = packed.ToArray();
        return random.OneIn(4) ? ByteMutator.Mutate(random, bytes, [], []) : bytes;
    }

    private static bool Vocabulary(byte[] input)
    {
        using var file = new MemoryStream(input);
        try
        {
            IReadOnlyList<string> words = FastaiVocabulary.ReadWords(file);
            var vocabulary = FastaiVocabulary.Of(words, (words.Count + 7) / 8 * 8);
            Promise.Holds(vocabulary.SourceRow.Length == vocabulary.Vocabulary.Count, "each word of ours has its row");
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static bool Reads(byte[] weights, byte[] vocabulary)
    {
        using var forward = new MemoryStream(weights);
        using var words = new MemoryStream(vocabulary);
        try
        {
            FastaiModel model = FastaiModel.Read(forward, words);
            Promise.Holds(model.Pretrained.Vocabulary.Count == model.Pretrained.Config.VocabularySize, "there are as many words as rows");
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static Dictionary<string, byte[]> Resources()
    {
        const string Prefix = "fastai/";
        Assembly assembly = typeof(ImportTargets).Assembly;
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using Stream content = assembly.GetManifestResourceStream(name)!;
            byte[] bytes = new byte[content.Length];
            content.ReadExactly(bytes);
            files.Add(name[Prefix.Length..], bytes);
        }

        return files;
    }
}
