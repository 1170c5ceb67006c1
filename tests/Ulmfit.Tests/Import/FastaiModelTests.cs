using System.Globalization;
using System.IO.Compression;
using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Import;
using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Tests.Import;

/// <summary>Files in fastai's formats, and what PyTorch's LSTM makes of their weights (<c>make_fastai_files.py</c>).</summary>
public sealed class FastaiModelTests
{
    private const int Layers = 3, Embedding = 6, Hidden = 10;

    public static TheoryData<string, string, string, FastaiFileKind, float> Files => new()
    {
        { "v2-lm.pth", "v2-itos-protocol-4.pkl", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm.pth", "v2-vocab-pair.pkl", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm.pth", "v2-itos-stoi.pkl", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm.pth", "v2-vocab-fastcore.pkl", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm.pth", "v2-vocab.pth", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm.pth", "v2-itos-unpadded.pkl", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm-legacy.pth", "v2-itos-protocol-4.pkl", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm-views.pth", "v2-itos-protocol-4.pkl", "v2", FastaiFileKind.LanguageModel, 0f },
        { "v2-lm-half.pth", "v2-itos-protocol-4.pkl", "v2", FastaiFileKind.LanguageModel, 1e-3f },
        { "v2-encoder.pth", "v2-itos-protocol-4.pkl", "v2", FastaiFileKind.Encoder, 0f },
        { "v2-classifier.pth", "v2-itos-protocol-4.pkl", "v2", FastaiFileKind.Classifier, 0f },
        { "v1-lm.pth", "v1-itos.pkl", "v1", FastaiFileKind.LanguageModel, 0f },
        { "v1-classifier.pth", "v1-itos.pkl", "v1", FastaiFileKind.Classifier, 0f },
        { "v07-lm.h5", "v07-itos.pkl", "v07", FastaiFileKind.LanguageModel, 0f },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_AFileOfFastai_GivesItsWeightsAndTheHiddenStatesOfPyTorch(string weights, string words, string golden, FastaiFileKind kind, float rounding)
    {
        StateDict expected = Golden();
        FastaiModel model = Read(weights, words);

        Assert.Equal(kind, model.Report.Kind);
        Assert.Equal((Embedding, Hidden, Layers), (model.Pretrained.Config.EmbeddingSize, model.Pretrained.Config.HiddenSize, model.Pretrained.Config.Layers));
        for (int layer = 0; layer < Layers; layer++)
        {
            AssertClose(expected[$"{golden}.rnns.{layer}.weight_hh_l0"].Data, model.Pretrained.Forward[AwdLstmNames.HiddenWeight("0.", layer)].Data, rounding);
            AssertClose(expected[$"{golden}.rnns.{layer}.weight_ih_l0"].Data, model.Pretrained.Forward[AwdLstmNames.InputWeight("0.", layer)].Data, rounding);
        }

        if (rounding == 0f)
        {
            AssertHiddenStates(expected, golden, model, words);
        }
    }

    [Fact]
    public void Read_ALanguageModel_KeepsEachWordsRowAndBias()
    {
        StateDict golden = Golden();
        foreach ((string file, string words, string name) in new[] { ("v2-lm.pth", "v2-itos-protocol-4.pkl", "v2"), ("v1-lm.pth", "v1-itos.pkl", "v1") })
        {
            FastaiModel model = Read(file, words);
            IReadOnlyList<string> rows = Words(words);
            foreach (string word in rows.Where(word => word != SpecialTokens.Filler))
            {
                int id = model.Pretrained.Vocabulary.IdOf(word), row = rows.ToList().IndexOf(word);
                Assert.Equal(golden[$"{name}.encoder.weight"].Data[(row * Embedding)..((row + 1) * Embedding)], model.Pretrained.Forward["0.encoder.weight"].Data[(id * Embedding)..((id + 1) * Embedding)]);
                Assert.Equal(golden[$"{name}.decoder.bias"].Data[row], model.Pretrained.Forward["1.decoder.bias"].Data[id]);
            }

            Assert.Equal(SpecialTokens.All, model.Pretrained.Vocabulary.Tokens.Take(SpecialTokens.Count));
            Assert.Equal(rows.Count, model.Pretrained.Vocabulary.Count);
        }
    }

    [Fact]
    public void Read_BothDirections_GivesAModelOfBoth()
    {
        using MemoryStream forward = ImportFiles.Open("v2-lm.pth"), words = ImportFiles.Open("v2-itos-protocol-2.pkl"), backward = ImportFiles.Open("v2-lm-backward.pth");
        FastaiModel model = FastaiModel.Read(forward, words, backward);

        Assert.NotNull(model.Pretrained.Backward);
        Assert.NotEqual(model.Pretrained.Forward["0.encoder.weight"].Data, model.Pretrained.Backward["0.encoder.weight"].Data);
        Assert.Empty(model.Report.Notes);
        Assert.Equal(17, model.Report.Words);
        Assert.InRange(model.Report.WholeWords, 14, 17);
    }

    [Fact]
    public void Read_AModelOfFastai07_MapsOldNamesAndTellsWhatIsMissing()
    {
        FastaiModel model = Read("v07-lm.h5", "v07-itos.pkl");
        Vocabulary vocabulary = model.Pretrained.Vocabulary;
        StateDict golden = Golden();
        float[] source = golden["v07.encoder.weight"].Data, target = model.Pretrained.Forward["0.encoder.weight"].Data;

        Assert.Equal(24 + 2, vocabulary.Count);
        Assert.Equal(source[(2 * Embedding)..(3 * Embedding)], target[(SpecialTokens.BeginningId * Embedding)..((SpecialTokens.BeginningId + 1) * Embedding)]);
        Assert.Equal(source[(4 * Embedding)..(5 * Embedding)], target[(SpecialTokens.AllCapitalsId * Embedding)..((SpecialTokens.AllCapitalsId + 1) * Embedding)]);
        for (int i = 0; i < Embedding; i++)
        {
            double mean = Enumerable.Range(0, 24).Average(row => (double)source[(row * Embedding) + i]);
            Assert.Equal(mean, target[(SpecialTokens.CapitalisedId * Embedding) + i], 1e-6);
        }

        Assert.All(model.Pretrained.Forward["1.decoder.bias"].Data, bias => Assert.Equal(0f, bias));
        Assert.Contains(model.Report.Notes, note => note.Contains("t_up → xxup", StringComparison.Ordinal));
        Assert.Contains(model.Report.Notes, note => note.Contains("lacks xxeos, xxmaj", StringComparison.Ordinal));
        Assert.Contains(model.Report.Notes, note => note.Contains("no decoder bias", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_AClassifier_SaysThatItsHeadIsLeftOut() =>
        Assert.Contains(Read("v2-classifier.pth", "v2-itos-protocol-4.pkl").Report.Notes, note => note.Contains("head is left out", StringComparison.Ordinal));

    [Theory]
    [InlineData("qrnn.pth", "a QRNN")]
    [InlineData("transformer.pth", "a Transformer")]
    [InlineData("gru.pth", "a GRU has three")]
    [InlineData("whole-module.pth", "torch.nn.modules.linear.Linear")]
    [InlineData("no-dict.pth", "no dict of weights")]
    [InlineData("missing-key.pth", "0.rnns.1.module.bias_ih_l0")]
    [InlineData("wrong-shape.pth", "'0.rnns.1.module.weight_ih_l0' has the shape [40, 11], but [40, 10] was expected")]
    [InlineData("unknown-key.pth", "'2.adapter.weight', which no AWD-LSTM of fastai has")]
    [InlineData("untied.pth", "tied to the embedding")]
    [InlineData("integers.pth", "elements of the type Long")]
    [InlineData("not-finite.pth", "not finite")]
    [InlineData("v2-itos-protocol-2.pkl", "goes to --itos")]
    [InlineData("v2-itos-protocol-0.pkl", "neither as a zip archive nor as a pickle")]
    [InlineData("golden.safetensors", "neither as a zip archive nor as a pickle")]
    public void Read_WhatIsNoSuchModel_IsRefusedWithWhatWasFound(string weights, string message)
    {
        string found = Assert.Throws<InvalidDataException>(() => Read(weights, "v2-itos-protocol-4.pkl")).Message;

        Assert.StartsWith("The forward weights:", found, StringComparison.Ordinal);
        Assert.Contains(message, found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v2-itos-short.pkl", "20 words, but the embedding has 32 rows")]
    [InlineData("v1-lm.pth", "The vocabulary:")]
    [InlineData("not-words.pkl", "no list of words")]
    [InlineData("set.pkl", "no list of words")]
    public void Read_AVocabularyThatDoesNotFit_IsRefusedWithWhatWasFound(string words, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Read("v2-lm.pth", words)).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_ACompressedArchive_IsRefusedWithAdvice()
    {
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        using (Stream entry = archive.CreateEntry("archive/data.pkl", CompressionLevel.SmallestSize).Open())
        {
            entry.Write(new byte[1 << 20]);
        }

        using MemoryStream words = ImportFiles.Open("v1-itos.pkl");
        Assert.Contains("torch.save", Assert.Throws<InvalidDataException>(() => FastaiModel.Read(zip, words)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v2-lm-half.pth")]
    [InlineData("v1-lm.pth")]
    public void Read_EveryTruncation_IsRefused(string file)
    {
        byte[] whole = ImportFiles.Bytes(file);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => ReadWeights(whole[..length]));
        }
    }

    [Theory]
    [InlineData("v2-lm-half.pth")]
    [InlineData("v1-lm.pth")]
    public void Read_AFlippedBitInAnyByte_GivesWeightsOrTheDocumentedExceptionInBoundedMemory(string file)
    {
        byte[] whole = ImportFiles.Bytes(file);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= (byte)(1 << (at % 8));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                ReadWeights(flipped);
            }
            catch (InvalidDataException)
            {
                // What is documented; anything else ends the test.
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        }
    }

    [Fact]
    public void Read_AViewLargerThanItsStorage_IsRefused()
    {
        // A storage of one element, shown 2^30 times by a stride of zero.
        string text = "(dp0\nVencoder.weight\nctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI1\ntQI0\n(I32768\nI32768\nt(I0\nI0\ntI00\nNtRs.";
        var reader = new PickleReader(System.Text.Encoding.Latin1.GetBytes(text), 0, _ => new TorchStorage("0", TorchElement.Float, 1));

        Assert.Contains("does not lie within its storage", Assert.Throws<InvalidDataException>(() => reader.Read()).Message, StringComparison.Ordinal);
    }

    private static FastaiWeights ReadWeights(byte[] bytes)
    {
        using var file = TorchFile.Open(new MemoryStream(bytes, writable: false));
        return FastaiWeights.Read(file);
    }

    private static FastaiModel Read(string weights, string words)
    {
        using MemoryStream forward = ImportFiles.Open(weights), vocabulary = ImportFiles.Open(words);
        return FastaiModel.Read(forward, vocabulary);
    }

    private static IReadOnlyList<string> Words(string file)
    {
        using MemoryStream stream = ImportFiles.Open(file);
        return FastaiVocabulary.ReadWords(stream);
    }

    private static StateDict Golden()
    {
        using MemoryStream stream = ImportFiles.Open("golden.safetensors");
        return Safetensors.Read(stream).Tensors;
    }

    /// <summary>Token by token through our engine, nothing trained: what it carries are the hidden states.</summary>
    private static void AssertHiddenStates(StateDict golden, string name, FastaiModel model, string words)
    {
        int rows = (int)golden[$"{name}.rows"].Data[0];
        FastaiVocabulary vocabulary = FastaiVocabulary.Of(Words(words), rows);
        Tensor tokens = golden["tokens"];
        int time = tokens.Shape[0], batch = tokens.Shape[1];
        using var engine = new CpuTrainingEngine(1);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(new LanguageModelOptions(model.Pretrained.Config, DropoutRates.None, batch, 1), model.Pretrained.Forward);
        var frozen = new OptimizerStep(default, 1, [.. Enumerable.Repeat(new GroupStep(false, 0f), Layers + 1)]);
        for (int t = 0; t < time; t++)
        {
            int[] input = [.. tokens.Data.Skip(t * batch).Take(batch).Select(token => Array.IndexOf(vocabulary.SourceRow, (int)token % rows))];
            network.TrainStep(new LanguageModelBatch(1, batch, input, input, default), frozen);
            StateDict state = network.Save();
            for (int layer = 0; layer < Layers; layer++)
            {
                float[] expected = golden[string.Create(CultureInfo.InvariantCulture, $"{name}.hidden.{layer}")].Data, actual = state[TrainingStateNames.CarriedHidden(layer)].Data;
                AssertClose(expected.AsSpan(t * actual.Length, actual.Length), actual, 1e-5f);
            }
        }
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i], expected[i] - tolerance, expected[i] + tolerance);
        }
    }
}
