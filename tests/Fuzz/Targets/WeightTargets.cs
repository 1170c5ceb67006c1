using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Fuzz.Mutation;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Onnx;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Fuzz.Targets;

/// <summary>Files of weights: safetensors, as a pretrained model or a checkpoint, and ONNX.</summary>
internal static class WeightTargets
{
    private const long Buffers = 4L << 20;

    // Beside the numbers themselves: the header as a document, names and shapes, messages, the digest's block.
    private const long PerByte = 256;

    private static readonly Vocabulary Words = Vocabulary.Build([["good", "bad", "good", "bad"]], new VocabularyOptions { MinimumCount = 1 });

    private static readonly AwdLstmConfig Config = new(Words.Count, 2, 3, 2);

    private static readonly byte[] Pretrained = Written(WeightInitialization.LanguageModel(Config, 1), new Dictionary<string, string> { ["format"] = "pt" }, half: false);

    private static readonly byte[] Half = Written(WeightInitialization.LanguageModel(Config, 1), null, half: true);

    private static readonly byte[] Small = Written(new StateDict { ["a"] = new Tensor([2, 3], [1, 2, 3, 4, 5, 6]), ["b"] = new Tensor([], [1]), ["c"] = new Tensor([0, 4], []) }, null, half: false);

    private static readonly byte[] CheckpointFile = CheckpointBytes();

    private static readonly byte[] Onnx = OnnxBytes();

    private static readonly byte[][] Samples = [Pretrained, Half, Small, CheckpointFile];

    private static readonly byte[][] HeaderWords =
        Soup.Bytes("\"dtype\":\"F32\"", "\"F64\"", "\"BF16\"", "\"I64\"", "\"shape\":[", "\"data_offsets\":[0,8]", "9223372036854775807", "-1", "4294967296", "[0,0,0]", "__metadata__", "{", "}", "]", ",", "\"");

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new("safetensors", 90, random => MakeSafetensors(random, random.Of<byte[]>(Samples)), Safetensor, length => Buffers + (PerByte * length)),
        new("pretrained", 40, random => MakeSafetensors(random, random.OneIn(4) ? Half : Pretrained), Model, length => Buffers + (PerByte * length)),
        new("checkpoint", 30, random => MakeSafetensors(random, CheckpointFile), CheckpointOf, length => Buffers + (PerByte * length)),
        new("onnx", 30, random => random.OneIn(12) ? random.Bytes(3000) : ByteMutator.Mutate(random, Onnx, [Onnx], []), OnnxWeights, length => Buffers + (PerByte * length)),
    ];

    private static byte[] MakeSafetensors(FuzzRandom random, byte[] sample)
    {
        if (random.OneIn(20))
        {
            return random.Bytes(1000);
        }

        if (random.OneIn(4))
        {
            return ByteMutator.Mutate(random, sample, Samples, HeaderWords);
        }

        // The header is changed, and its length made to fit as a rule; the numbers stay, or are more or fewer.
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(sample);
        byte[] header = JsonMutator.Mutate(random, sample[8..(8 + length)], [sample]);
        byte[] data = sample[(8 + length)..];
        data = random.Below(6) switch { 0 => data[..random.Below(data.Length + 1)], 1 => [.. data, .. random.Bytes(64)], _ => data };
        byte[] file = [.. new byte[8], .. header, .. data];
        BinaryPrimitives.WriteInt64LittleEndian(file, random.OneIn(10) ? (long)random.Next() >> random.Below(64) : header.Length);
        return file;
    }

    private static bool Safetensor(byte[] input) => Refusing(() =>
    {
        using var stream = new MemoryStream(input);
        SafetensorsFile file = Safetensors.Read(stream);
        Promise.Holds(file.Tensors.All(tensor => tensor.Value.Data.Length == tensor.Value.Shape.Aggregate(1L, (product, extent) => product * extent)), "each tensor has as many numbers as its shape says");

        // What was read can be written and reads the same.
        using var copy = new MemoryStream();
        Safetensors.Write(copy, file.Tensors, file.Metadata);
        copy.Position = 0;
        Promise.Holds(Safetensors.Read(copy).Tensors.Names.SequenceEqual(file.Tensors.Names, StringComparer.Ordinal), "what is written again reads the same");
    });

    private static bool Model(byte[] input) => Refusing(() =>
    {
        using var stream = new MemoryStream(input);
        PretrainedModel model = PretrainedModel.Of(Words, Safetensors.Read(stream).Tensors, null);
        Promise.Holds(model.Config.VocabularySize == Words.Count, "the model is one of its vocabulary");
    });

    private static bool CheckpointOf(byte[] input) => Refusing(() =>
    {
        using var stream = new MemoryStream(input);
        Checkpoint.Read(stream);
    });

    private static bool OnnxWeights(byte[] input) => Refusing(() => OnnxClassifierReader.Read(input));

    private static bool Refusing(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static byte[] Written(StateDict tensors, Dictionary<string, string>? metadata, bool half)
    {
        using var file = new MemoryStream();
        Safetensors.Write(file, tensors, metadata, half);
        return file.ToArray();
    }

    private static byte[] CheckpointBytes()
    {
        StateDict weights = WeightInitialization.LanguageModel(Config, 2);
        var checkpoint = new Checkpoint(new TrainingPosition(1, 2, 3), false, weights)
        {
            EpochLoss = new LossSum(1.5, 4),
            Best = new BestEpoch(1, 1, 0.5, 1, WeightInitialization.LanguageModel(Config, 3)),
        };
        using var file = new MemoryStream();
        checkpoint.Write(file);
        return file.ToArray();
    }

    private static byte[] OnnxBytes()
    {
        var config = new ClassifierConfig(Config, 2, 2);
        StateDict weights = AwdLstmNames.EncoderForClassifier(WeightInitialization.LanguageModel(Config, 4));
        foreach ((string name, Tensor tensor) in WeightInitialization.Head(config, 4))
        {
            weights.Add(name, tensor);
        }

        using var file = new MemoryStream();
        OnnxClassifierWriter.Write(file, new DirectionWeights(config, weights), null, new OnnxModelMetadata(["bad", "good"], "fuzz", new Dictionary<string, string>()));
        return file.ToArray();
    }
}
