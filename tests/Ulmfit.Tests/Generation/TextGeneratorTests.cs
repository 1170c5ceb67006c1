using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Generation;
using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Tests.Generation;

/// <summary>A small language model that has learnt one text by heart, forwards and backwards.</summary>
public sealed class TextGeneratorTests : IDisposable
{
    private const string Text = "The cat sat on a mat, and NASA didn't mind.";

    private static readonly Vocabulary Words = Vocabulary.Build([new Tokenizer().Tokenize(Text)], new VocabularyOptions { MinimumCount = 1 });

    private readonly CpuTrainingEngine engine = new(1);

    public void Dispose() => engine.Dispose();

    [Fact]
    public void Generate_Forward_GoesOnWithTheTextAndEndsIt()
    {
        using ILanguageModelNetwork network = Learnt(Direction.Forward);

        GeneratedText written = TextGenerator.Generate(network, Words, Direction.Forward, "The cat", new GenerationOptions { Temperature = 0 }, TestContext.Current.CancellationToken);

        Assert.Equal(Text, written.Text);
        Assert.True(written.Ended);
        Assert.Equal(0, written.UnknownInPrompt);
        Assert.InRange(written.MeanLogProbability!.Value, -0.5, 0);
        Assert.Equal(Words.Encode([.. new Tokenizer().Tokenize(Text).Skip(1)]), Words.Encode(written.Tokens));
    }

    [Fact]
    public void Generate_Backward_WritesWhatGoesBefore()
    {
        using ILanguageModelNetwork network = Learnt(Direction.Backward);

        GeneratedText written = TextGenerator.Generate(network, Words, Direction.Backward, "didn't mind.", new GenerationOptions { Temperature = 0 }, TestContext.Current.CancellationToken);

        Assert.Equal(Text, written.Text);
        Assert.True(written.Ended);
    }

    [Fact]
    public void Generate_WithoutPrompt_BeginsAText()
    {
        using ILanguageModelNetwork network = Learnt(Direction.Forward);

        Assert.Equal(Text, TextGenerator.Generate(network, Words, Direction.Forward, "", new GenerationOptions { Temperature = 0 }, TestContext.Current.CancellationToken).Text);
        Assert.Equal("The cat sat", TextGenerator.Generate(network, Words, Direction.Forward, "", new GenerationOptions { Temperature = 0, Tokens = 4 }, TestContext.Current.CancellationToken).Text);
    }

    [Fact]
    public void Generate_WithASeed_WritesTheSameEachTimeAndAnotherTextWithAnother()
    {
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Options(1, 1), WeightInitialization.LanguageModel(Config, 1));
        string Write(ulong seed) => TextGenerator.Generate(network, Words, Direction.Forward, "the zebra", new GenerationOptions { Seed = seed, Temperature = 1.2, TopK = 0, Tokens = 30 }, TestContext.Current.CancellationToken).Text;

        Assert.Equal(Write(1), Write(1));
        Assert.NotEqual(Write(1), Write(2));
        Assert.StartsWith("the <unk>", Write(1), StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_Cancelled_Stops()
    {
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Options(1, 1), WeightInitialization.LanguageModel(Config, 1));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.Throws<OperationCanceledException>(() => TextGenerator.Generate(network, Words, Direction.Forward, "", new GenerationOptions(), cancelled.Token));
    }

    private static AwdLstmConfig Config => new(Words.Count, 24, 32, 2);

    private static LanguageModelOptions Options(int batch, int time) =>
        new(Config, DropoutRates.None, batch, time) { ActivationRegularization = 0f, TemporalActivationRegularization = 0f };

    private ILanguageModelNetwork Learnt(Direction direction)
    {
        const int Steps = 400;
        int[] document = Words.Encode(new Tokenizer().Tokenize(Text));
        int[] read = direction == Direction.Forward ? document : [.. document.Reverse()];

        // One text after the other, as in training: the last token of one is followed by the first of the next.
        int[] stream = direction == Direction.Forward ? [.. read, read[0]] : [SpecialTokens.BeginningId, .. read];
        int time = stream.Length - 1;
        ILanguageModelNetwork network = engine.CreateLanguageModel(Options(1, time), WeightInitialization.LanguageModel(Config, 1));
        for (int step = 1; step <= Steps; step++)
        {
            var groups = new OptimizerStep(new RandomKey(1, 0, 0, step), step, [.. Enumerable.Repeat(new GroupStep(true, 0.01f), Config.Layers + 1)]) { WeightDecay = 0f };
            network.TrainStep(new LanguageModelBatch(time, 1, stream.AsMemory(0, time), stream.AsMemory(1, time), new[] { true }), groups);
        }

        return network;
    }
}
