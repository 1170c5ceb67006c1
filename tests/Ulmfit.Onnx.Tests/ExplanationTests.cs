using System.Globalization;
using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Onnx.Tests;

/// <summary>How much the parts of a text speak for a label.</summary>
public sealed class ExplanationTests
{
    private const int Budget = 65_536;

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    /// <summary>Both precisions of every head.</summary>
    public static TheoryData<OnnxPrecision, HeadKind> Models => new(
        from precision in Enum.GetValues<OnnxPrecision>() from head in Enum.GetValues<HeadKind>() select (precision, head));

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Explain_EachWord_IsTheDifferenceItMakesToTheLogOdds(OnnxPrecision precision, HeadKind head)
    {
        using OnnxTextClassifier classifier = Load(precision, head);
        var random = new Random(1);
        for (int round = 0; round < 10; round++)
        {
            string[] words = Words(random, random.Next(1, 30));
            string text = string.Join(' ', words);
            float[] probabilities = (await classifier.PredictAsync([text], TestToken))[0];
            int label = random.Next(classifier.Labels.Count);

            Explanation explanation = await classifier.ExplainAsync(text, probabilities, label, Budget, TestToken);

            Assert.Equal(classifier.Labels[label], explanation.Label);
            Assert.Equal(words, explanation.Parts.Select(part => text[part.Start..part.End]));
            for (int i = 0; i < words.Length; i++)
            {
                // Classified as a text of its own, alone.
                string without = string.Join(' ', words.Where((_, word) => word != i));
                float[] rest = (await classifier.PredictAsync([without], TestToken))[0];
                Assert.Equal(LogOdds(probabilities, label) - LogOdds(rest, label), explanation.Parts[i].Contribution);
            }
        }
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32)]
    [InlineData(OnnxPrecision.Int8)]
    public async Task Explain_AgainAndBesideOthers_GivesTheSameBits(OnnxPrecision precision)
    {
        using OnnxTextClassifier classifier = Load(precision, HeadKind.ConcatPooling);
        var random = new Random(2);
        string[] texts = [.. Enumerable.Range(0, 12).Select(_ => string.Join(' ', Words(random, random.Next(1, 120))))];
        float[][] probabilities = await classifier.PredictAsync(texts, TestToken);
        var alone = new List<Explanation>();
        for (int i = 0; i < texts.Length; i++)
        {
            alone.Add(await classifier.ExplainAsync(texts[i], probabilities[i], 0, Budget, TestToken));
        }

        Task<float[][]> company = classifier.PredictAsync([.. Enumerable.Repeat(texts, 20).SelectMany(all => all)], TestToken);
        Explanation[] together = await Task.WhenAll(texts.Select((text, i) => classifier.ExplainAsync(text, probabilities[i], 0, Budget, TestToken)));
        await company;

        Assert.Equal(alone.Select(Described), together.Select(Described));
    }

    [Fact]
    public async Task Explain_EitherOfTwoLabels_IsTheOppositeOfTheOther()
    {
        using OnnxTextClassifier classifier = TestModel.Load(TestModel.Direction(TestModel.LastStateConfig(), 3), null);
        string text = string.Join(' ', Words(new Random(3), 20));
        float[] probabilities = (await classifier.PredictAsync([text], TestToken))[0];

        Explanation one = await classifier.ExplainAsync(text, probabilities, 0, Budget, TestToken);
        Explanation other = await classifier.ExplainAsync(text, probabilities, 1, Budget, TestToken);

        Assert.Equal(one.Parts.Select(part => -part.Contribution), other.Parts.Select(part => part.Contribution));
        Assert.Contains(one.Parts, part => part.Contribution != 0);
    }

    [Fact]
    public async Task Explain_CaseAndRepetition_BelongToTheirWords()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        const string Text = "  W1 so W2!!!! w3 w3 w3\nend";
        float[] probabilities = (await classifier.PredictAsync([Text], TestToken))[0];

        Explanation explanation = await classifier.ExplainAsync(Text, probabilities, 0, Budget, TestToken);

        Assert.Equal(["W1", "so", "W2", "!!!!", "w3 w3 w3", "\n", "end"], explanation.Parts.Select(part => Text[part.Start..part.End]));

        // Without "W1" its mark is gone as well: the rest has the tokens of the text "so W2…".
        float[] rest = (await classifier.PredictAsync([Text[4..]], TestToken))[0];
        Assert.Equal(LogOdds(probabilities, 0) - LogOdds(rest, 0), explanation.Parts[0].Contribution);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t ")]
    public async Task Explain_NoWords_HasNoParts(string text)
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        float[] probabilities = (await classifier.PredictAsync([text], TestToken))[0];

        Assert.Empty((await classifier.ExplainAsync(text, probabilities, 0, Budget, TestToken)).Parts);
    }

    [Theory]
    [InlineData(100, 20_000, 100)] // 101 tokens: as many parts as words
    [InlineData(100, 5_050, 50)] // 50 parts of two words
    [InlineData(100, 1_010, 10)]
    [InlineData(100, 808, 8)] // the least
    public async Task Explain_MoreWordsThanTheBudgetHas_GoesByPartsOfSeveral(int words, int budget, int expected)
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        string text = string.Join(' ', Words(new Random(4), words));
        float[] probabilities = (await classifier.PredictAsync([text], TestToken))[0];

        Explanation explanation = await classifier.ExplainAsync(text, probabilities, 0, budget, TestToken);

        Assert.InRange(explanation.Parts.Count, expected * 9 / 10, expected);
        Assert.Equal(text, string.Join(' ', explanation.Parts.Select(part => text[part.Start..part.End])));
    }

    [Fact]
    public async Task Explain_TooLongForTheBudget_IsRefusedWithTheLimit()
    {
        using OnnxTextClassifier classifier = TestModel.LoadSmall();
        string text = string.Join(' ', Words(new Random(5), 100));
        float[] probabilities = (await classifier.PredictAsync([text], TestToken))[0];

        TextTooLongException refused = await Assert.ThrowsAsync<TextTooLongException>(() => classifier.ExplainAsync(text, probabilities, 0, 807, TestToken));

        Assert.Equal(100, refused.Limit);
        Assert.Contains("101", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_CertainBeyondFloat_StaysWithinItsBounds()
    {
        // A head whose answer is certain whatever the text: probabilities of exactly 0 and 1.
        DirectionWeights weights = TestModel.Direction(TestModel.LastStateConfig(), 6);
        weights.Weights[AwdLstmNames.OutputBias].Data[0] = 500;
        using OnnxTextClassifier classifier = TestModel.Load(weights, null);
        string text = string.Join(' ', Words(new Random(6), 10));
        float[] probabilities = (await classifier.PredictAsync([text], TestToken))[0];
        Assert.Contains(0f, probabilities);

        foreach (int label in (int[])[0, 1])
        {
            Explanation explanation = await classifier.ExplainAsync(text, probabilities, label, Budget, TestToken);
            Assert.All(explanation.Parts, part => Assert.InRange(part.Contribution, -2 * TextContribution.MostLogOdds, 2 * TextContribution.MostLogOdds));
        }
    }

    private static OnnxTextClassifier Load(OnnxPrecision precision, HeadKind head)
    {
        ClassifierConfig config = head switch
        {
            HeadKind.Features => TestModel.FeaturesConfig(),
            HeadKind.LastState => TestModel.LastStateConfig(classes: 3),
            _ => TestModel.Config(),
        };
        return TestModel.Load(TestModel.Direction(config, 1), TestModel.Direction(config, 2), precision: precision);
    }

    /// <summary>Words, of which none is three times in a row; some are not in the vocabulary.</summary>
    private static string[] Words(Random random, int count)
    {
        var words = new List<string>();
        while (words.Count < count)
        {
            string word = $"w{random.Next(55)}";

            // Nor will it be without the word between.
            if (!words.TakeLast(3).Contains(word))
            {
                words.Add(word);
            }
        }

        return [.. words];
    }

    private static double LogOdds(float[] probabilities, int label)
    {
        double others = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            others += i == label ? 0 : probabilities[i];
        }

        return Math.Log(probabilities[label]) - Math.Log(others);
    }

    private static string Described(Explanation explanation) => string.Join(
        ' ', explanation.Parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Start}-{part.End}:{BitConverter.DoubleToInt64Bits(part.Contribution):x}")));
}
