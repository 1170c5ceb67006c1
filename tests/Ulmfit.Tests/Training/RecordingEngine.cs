using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Tests.Training;

/// <summary>The real engine, with what it is asked for written down on the way.</summary>
internal sealed class RecordingEngine(ITrainingEngine inner) : ITrainingEngine
{
    public string Name => inner.Name;

    /// <summary>The settings of each step of either network.</summary>
    public List<OptimizerStep> Steps { get; } = [];

    /// <summary>The length of each language-model window.</summary>
    public List<int> Windows { get; } = [];

    public HashSet<int> LanguageModelTokens { get; } = [];

    public HashSet<int> ClassifierTokens { get; } = [];

    public List<LanguageModelOptions> LanguageModels { get; } = [];

    public List<ClassifierOptions> Classifiers { get; } = [];

    /// <summary>The weights that each classifier was made with.</summary>
    public List<StateDict> ClassifierStates { get; } = [];

    public ILanguageModelNetwork CreateLanguageModel(LanguageModelOptions options, StateDict state)
    {
        LanguageModels.Add(options);
        return new RecordingLanguageModel(inner.CreateLanguageModel(options, state), this);
    }

    public IClassifierNetwork CreateClassifier(ClassifierOptions options, StateDict state)
    {
        Classifiers.Add(options);
        ClassifierStates.Add(state);
        return new RecordingClassifier(inner.CreateClassifier(options, state), this);
    }

    public IFeatureNetwork CreateFeatures(ClassifierConfig config, StateDict state) => inner.CreateFeatures(config, state);

    private sealed class RecordingLanguageModel(ILanguageModelNetwork network, RecordingEngine engine) : ILanguageModelNetwork
    {
        public StepResult TrainStep(in LanguageModelBatch batch, OptimizerStep step)
        {
            engine.Steps.Add(step);
            engine.Windows.Add(batch.Time);
            engine.LanguageModelTokens.UnionWith(batch.Input.ToArray());
            return network.TrainStep(batch, step);
        }

        public void ResetState(bool evaluation) => network.ResetState(evaluation);

        public LossSum Evaluate(in LanguageModelBatch batch) => network.Evaluate(batch);

        public void PredictNext(ReadOnlySpan<int> tokens, Span<float> probabilities) => network.PredictNext(tokens, probabilities);

        public StateDict Save() => network.Save();

        public void Dispose() => network.Dispose();
    }

    private sealed class RecordingClassifier(IClassifierNetwork network, RecordingEngine engine) : IClassifierNetwork
    {
        public StepResult TrainStep(in ClassifierBatch batch, OptimizerStep step)
        {
            engine.Steps.Add(step);
            engine.ClassifierTokens.UnionWith(batch.Documents.SelectMany(tokens => tokens));
            return network.TrainStep(batch, step);
        }

        public void Predict(IReadOnlyList<int[]> documents, Span<float> probabilities) => network.Predict(documents, probabilities);

        public StateDict Save() => network.Save();

        public void Dispose() => network.Dispose();
    }
}
