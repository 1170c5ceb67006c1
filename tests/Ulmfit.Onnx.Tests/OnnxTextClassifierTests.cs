using Ulmfit.Metrics;
using Ulmfit.Text;

namespace Ulmfit.Onnx.Tests;

public sealed class OnnxTextClassifierTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public void Predict_Texts_EqualsPredictTokensOfTheirTokens()
    {
        Vocabulary vocabulary = TestModel.Vocabulary(60);
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        string[] texts = ["w1 W2 w3!", "W7", "nothing known here"];
        int[][] tokens = [.. texts.Select(text => vocabulary.Encode(new Tokenizer().Tokenize(text)))];
        Assert.Equal(classifier.PredictTokens(tokens, TestToken), classifier.Predict(texts, TestToken));
    }

    [Fact]
    public void Prepare_OnThisMachine_Works() => OnnxTextClassifier.Prepare();

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("\r\n\t \u00a0")]
    public void Predict_EmptyText_IsTheStartTokenAlone(string text)
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        float[] expected = classifier.PredictTokens([[TestModel.Vocabulary(60).IdOf("xxbos")]], TestToken)[0];
        Assert.Equal(expected, classifier.Predict([text], TestToken)[0]);
    }

    [Fact]
    public void Predict_ProbabilitiesOfADocument_AddUpToOne()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        Assert.Equal(1f, classifier.Predict(["w1 w2"], TestToken)[0].Sum(), 1e-6f);
    }

    [Fact]
    public void Predict_ModelWithATemperature_ScalesWhatItSaysWithoutOne()
    {
        const double Temperature = 2.345;
        DirectionWeights forward = TestModel.Direction(TestModel.Config(), 1), backward = TestModel.Direction(TestModel.Config(), 2);
        using OnnxTextClassifier without = TestModel.Load(forward, backward);
        using OnnxTextClassifier with = OnnxTextClassifier.Load(TestModel.Write(forward, backward, Temperature), TestModel.Vocabulary(60), TestModel.Labels(4));
        string[] texts = ["w1 w2 w3", "w7", "nothing known here"];

        float[][] expected = without.Predict(texts, TestToken);
        foreach (float[] row in expected)
        {
            TemperatureScaling.Apply(row, Temperature);
        }

        Assert.Equal(expected, with.Predict(texts, TestToken));
        Assert.Equal((1, Temperature), (without.Temperature, with.Temperature));
    }

    [Fact]
    public void Load_TemperatureThatIsNone_IsInvalidData()
    {
        byte[] model = TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null, 2.345);
        int at = model.AsSpan().IndexOf("2.345"u8);
        "-2.34"u8.CopyTo(model.AsSpan(at));

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => OnnxTextClassifier.Load(model, TestModel.Vocabulary(60), TestModel.Labels(4)));
        Assert.Contains("-2.34", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_WithATally_CountsTheTokensOfEveryText()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        var tally = new TokenTally();
        float[][] rows = await classifier.PredictAsync(["w1 w2 w3", "w1 unheard"], tally, measuredAs: null, TestToken);

        Assert.Equal(classifier.Predict(["w1 w2 w3", "w1 unheard"], TestToken), rows);
        Assert.Equal((7, 5, 1), (tally.Tokens, tally.Words, tally.UnknownWords));
    }

    [Fact]
    public void Predict_NoTexts_GivesNoRows()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        Assert.Empty(classifier.Predict([], TestToken));
        Assert.Empty(classifier.PredictTokens([], TestToken));
    }

    [Fact]
    public void Predict_NullText_NamesItsPlace()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        Assert.Contains("Text 1 ", Assert.Throws<ArgumentException>(() => classifier.Predict(["a", null!], TestToken)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new int[0], "Document 1 has no tokens")]
    [InlineData(new[] { 1, 60 }, "Token 1 of document 1 is 60")]
    [InlineData(new[] { -1 }, "Token 0 of document 1 is -1")]
    public void PredictTokens_BadDocument_SaysWhich(int[] document, string expected)
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => classifier.PredictTokens([[1], document], TestToken)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(11, 10)]
    [InlineData(300, 101)]
    public void PredictTokens_LongerThanMaxTokens_KeepsBothEnds(int length, int maxTokens)
    {
        int[] document = TestModel.Document(new Random(9), length, 60);
        int[] kept = [.. document.Take((maxTokens + 1) / 2), .. document.TakeLast(maxTokens / 2)];
        using OnnxTextClassifier limited = TestModel.LoadSmall(new OnnxClassifierOptions { MaxTokens = maxTokens });
        using OnnxTextClassifier unlimited = TestModel.LoadSmall();
        Assert.Equal(maxTokens, kept.Length);
        Assert.Equal(unlimited.PredictTokens([kept], TestToken), limited.PredictTokens([document], TestToken));
        Assert.NotEqual(unlimited.PredictTokens([document], TestToken), limited.PredictTokens([document], TestToken));
    }

    [Fact]
    public void PredictTokens_AsLongAsMaxTokens_KeepsAll()
    {
        int[] document = TestModel.Document(new Random(9), 10, 60);
        using OnnxTextClassifier limited = TestModel.LoadSmall(new OnnxClassifierOptions { MaxTokens = 10 });
        using OnnxTextClassifier unlimited = TestModel.LoadSmall();
        Assert.Equal(unlimited.PredictTokens([document], TestToken), limited.PredictTokens([document], TestToken));
    }

    [Fact]
    public void Rank_Probabilities_GivesTheBestFirstAndEqualOnesInLabelOrder()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        Assert.Equal(
            [new("label 3", 0.4f), new("label 0", 0.25f), new("label 2", 0.25f)],
            classifier.Rank([0.25f, 0.1f, 0.25f, 0.4f], 3));
        Assert.Equal(4, classifier.Rank([0.25f, 0.1f, 0.25f, 0.4f], 100).Count);
    }

    [Theory]
    [InlineData(0.4f, false)]
    [InlineData(0.41f, true)]
    [InlineData(1f, true)]
    public void Rank_BestBelowTheThreshold_BeginsWithNoLabel(float threshold, bool unsure)
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        LabelScore[] ranked = [new("label 3", 0.4f), new("label 0", 0.25f)];
        Assert.Equal(unsure ? [new(null, 0.4f), .. ranked] : ranked, classifier.Rank([0.25f, 0.1f, 0.25f, 0.4f], 2, threshold));
    }

    [Fact]
    public void Rank_BadArguments_AreRefused()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        Assert.Throws<ArgumentOutOfRangeException>(() => classifier.Rank([0.25f, 0.1f, 0.25f, 0.4f], 0));
        Assert.Throws<ArgumentException>(() => classifier.Rank([1f], 1));
    }

    [Fact]
    public void Load_OtherBytes_IsInvalidData()
    {
        byte[] model = TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null);
        Assert.Throws<InvalidDataException>(() => Load(new byte[100]));
        Assert.Throws<InvalidDataException>(() => Load(Array.Empty<byte>()));
        Assert.Throws<InvalidDataException>(() => Load(model.AsMemory(0, model.Length / 2)));

        static void Load(ReadOnlyMemory<byte> bytes) => OnnxTextClassifier.Load(bytes, TestModel.Vocabulary(60), TestModel.Labels(4)).Dispose();
    }

    [Fact]
    public void Load_PartOfALargerBuffer_Works()
    {
        byte[] model = TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null);
        byte[] buffer = [1, 2, 3, .. model, 4, 5];
        using OnnxTextClassifier whole = OnnxTextClassifier.Load(model, TestModel.Vocabulary(60), TestModel.Labels(4));
        using OnnxTextClassifier part = OnnxTextClassifier.Load(buffer.AsMemory(3, model.Length), TestModel.Vocabulary(60), TestModel.Labels(4));
        Assert.Equal(whole.Predict(["w1"], TestToken), part.Predict(["w1"], TestToken));
    }

    [Fact]
    public void Load_OtherLabels_IsInvalidData()
    {
        byte[] model = TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => OnnxTextClassifier.Load(model, TestModel.Vocabulary(60), [.. TestModel.Labels(4).Reverse()]));
        Assert.Contains("label 0, label 1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OtherVocabulary_IsInvalidData()
    {
        DirectionWeights forward = TestModel.Direction(TestModel.Config(), 1);
        Assert.Throws<InvalidDataException>(() => OnnxTextClassifier.Load(TestModel.Write(forward, null), TestModel.Vocabulary(61), TestModel.Labels(4)));

        using var file = new MemoryStream();
        var properties = new Dictionary<string, string> { [OnnxMetadataKeys.VocabularyDigest] = TestModel.Vocabulary(60).Digest };
        OnnxClassifierWriter.Write(file, forward, null, new OnnxModelMetadata(TestModel.Labels(4), "tests", properties));
        OnnxTextClassifier.Load(file.ToArray(), TestModel.Vocabulary(60), TestModel.Labels(4)).Dispose();
        var other = Vocabulary.FromTokens(TestModel.Vocabulary(60).Tokens.Select(token => token == "w0" ? "other" : token));
        Assert.Throws<InvalidDataException>(() => OnnxTextClassifier.Load(file.ToArray(), other, TestModel.Labels(4)));
    }

    [Fact]
    public void Predict_CancelledBefore_Throws()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        var cancelled = new CancellationToken(true);
        Assert.ThrowsAny<OperationCanceledException>(() => classifier.Predict(["w1"], cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => classifier.Predict(["w1", "w2", "w3"], cancelled));
        Assert.Single(classifier.Predict(["w1"], TestToken));
    }

    [Fact]
    public void PredictTokens_CancelledWithinADocument_EndsBeforeTheDocumentDoes()
    {
        // Six layers over a long document take seconds; the cancellation comes long before.
        var config = TestModel.Config(60, 96, 256, 6);
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(config, 1), null, new OnnxClassifierOptions { MaxTokens = 40_000 });
        int[] document = TestModel.Document(new Random(1), 40_000, 60);
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(30));
        Assert.ThrowsAny<OperationCanceledException>(() => classifier.PredictTokens([document], cancellation.Token));
    }
}
