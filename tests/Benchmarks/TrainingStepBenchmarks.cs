using BenchmarkDotNet.Attributes;
using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Benchmarks;

/// <summary>Whole training steps on random tokens with all groups trained; the same as <c>ulmfit bench</c>, in smaller sizes.</summary>
public class TrainingStepBenchmarks : IMeasuresWork
{
    private const int Vocabulary = 12_000, Batch = 32, Bptt = 70, Length = 360;

    private CpuTrainingEngine? engine;
    private ILanguageModelNetwork? languageModel;
    private IClassifierNetwork? classifier;
    private LanguageModelBatch window;
    private ClassifierBatch documents;
    private int step;

    [Params(ModelSize.Tiny, ModelSize.Small)]
    public ModelSize Size { get; set; }

    [ParamsSource(nameof(Counts))]
    public int Threads { get; set; } = 1;

    public static IEnumerable<int> Counts => Inputs.ThreadCounts;

    [GlobalSetup]
    public void Setup()
    {
        AwdLstmConfig config = (TrainingSettings.Default with { Size = Size }).ConfigFor(Vocabulary);
        engine = new CpuTrainingEngine(Threads);
        StateDict weights = WeightInitialization.LanguageModel(config, 1);
        languageModel = engine.CreateLanguageModel(new LanguageModelOptions(config, DropoutRates.LanguageModel, Batch, Bptt), weights);
        var head = new ClassifierConfig(config, 50, 2);
        StateDict classifierWeights = AwdLstmNames.EncoderForClassifier(weights);
        foreach ((string name, Tensor tensor) in WeightInitialization.Head(head, 1))
        {
            classifierWeights.Add(name, tensor);
        }

        classifier = engine.CreateClassifier(new ClassifierOptions(head, DropoutRates.Classifier.Scaled(0.5f)), classifierWeights);
        window = new LanguageModelBatch(Bptt, Batch, Inputs.Tokens(Batch * Bptt, Vocabulary, 1), Inputs.Tokens(Batch * Bptt, Vocabulary, 2), default);
        documents = new ClassifierBatch([.. Enumerable.Range(0, Batch).Select(i => Inputs.Tokens(Length, Vocabulary, 3 + i))], Inputs.Tokens(Batch, 2, 99));
        step = 0;
    }

    [Benchmark]
    public StepResult LanguageModel() => languageModel!.TrainStep(window, At(++step, groups: 4));

    [Benchmark]
    public StepResult Classifier() => classifier!.TrainStep(documents, At(++step, groups: 5));

    [GlobalCleanup]
    public void Cleanup()
    {
        languageModel?.Dispose();
        classifier?.Dispose();
        engine?.Dispose();
    }

    public Work WorkOf(string method) => new(Batch * (method == nameof(Classifier) ? Length : Bptt), "tokens");

    private static OptimizerStep At(int step, int groups) => new(new RandomKey(1, 0, 0, step), step, [.. Enumerable.Repeat(new GroupStep(true, 1e-3f), groups)]) { ClipNorm = 0.4f };
}
