using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>The stages of one direction's training, in order: language-model stages, then classifier stages.</summary>
/// <param name="Stages">The stages.</param>
public sealed record StagePlan(IReadOnlyList<Stage> Stages)
{
    /// <summary>Epochs of all stages.</summary>
    public int TotalEpochs => Stages.Sum(stage => stage.Epochs);

    /// <summary>Epochs of all stages of a phase.</summary>
    public int EpochsOf(StageKind phase) => Stages.Where(stage => stage.Kind == phase).Sum(stage => stage.Epochs);

    /// <summary>The plan that settings ask for.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="layers">LSTM layers of the model.</param>
    /// <param name="pretrained">Whether training starts from a pretrained model.</param>
    /// <param name="rows">Labelled rows that are trained on.</param>
    /// <param name="tokens">Tokens of all text that the language model is trained on.</param>
    /// <exception cref="TrainingSettingsException">The settings name a group that the model does not have.</exception>
    public static StagePlan Of(TrainingSettings settings, int layers, bool pretrained, int rows, long tokens)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Method == Method.Lstm)
        {
            return new StagePlan([PlainLstm.Stage(layers + 2, settings.Classifier)]);
        }

        var stages = new List<Stage>();
        if (settings.LanguageModel.FineTune ?? (tokens >= (pretrained ? LanguageModelSettings.HardlyAnyText : LanguageModelSettings.LittleText)))
        {
            stages.AddRange(LanguageModelStages(settings, layers + 1, pretrained, rows, tokens));
        }

        stages.AddRange(settings.Method == Method.Features ? [FrozenFeatures.Stage(layers + 2)] : ClassifierStages(settings, layers + 2, pretrained, rows));
        return new StagePlan(stages);
    }

    // A pretrained model first adapts its embedding and decoder, where new words have only mean rows, then all of it
    // (fastai's frozen epoch). From scratch there is nothing to protect: one stage, one rate for all groups.
    private static IEnumerable<Stage> LanguageModelStages(TrainingSettings settings, int groups, bool pretrained, int rows, long tokens)
    {
        LanguageModelSettings lm = settings.LanguageModel;
        double rate = lm.LearningRate ?? (pretrained ? LanguageModelSettings.FineTuningRate : LanguageModelSettings.FromScratchRate);
        int epochs = lm.Epochs ?? LanguageModelSettings.EpochsFor(pretrained, tokens);
        double[] rates = DiscriminativeLearningRates.Of(rate, groups, settings.DiscriminativeFactorOf(StageKind.LanguageModel, pretrained, rows));
        int frozen = pretrained ? Math.Min(lm.FrozenEpochs, epochs - 1) : 0;
        if (frozen > 0)
        {
            yield return new Stage("lm-embedding", StageKind.LanguageModel, frozen, GradualUnfreezing.TopGroups(groups, 1), rates);
            epochs -= frozen;
        }

        yield return new Stage("lm", StageKind.LanguageModel, epochs, GradualUnfreezing.TopGroups(groups, groups), rates);
    }

    private static IEnumerable<Stage> ClassifierStages(TrainingSettings settings, int groups, bool pretrained, int rows)
    {
        ClassifierSettings classifier = settings.Classifier;
        int epochs = classifier.TotalEpochs is int total
            ? Math.Max(1, total - StagesBeforeTheLast(settings.Strategy, groups))
            : classifier.Epochs ?? ClassifierSettings.EpochsFor(pretrained, rows);
        double rate = classifier.LearningRate ?? (pretrained ? ClassifierSettings.FineTuningRateFor(rows) : ClassifierSettings.FromScratchRate);
        double[] RatesOf(double top) => DiscriminativeLearningRates.Of(top, groups, settings.DiscriminativeFactorOf(StageKind.Classifier, pretrained, rows));
        return settings.Strategy switch
        {
            Strategy.Gradual => GradualUnfreezing.Stages(groups, epochs, rate, RatesOf),
            Strategy.Full => [GradualUnfreezing.TopStage(groups, groups, epochs, RatesOf(rate))],
            Strategy.Last => [GradualUnfreezing.TopStage(groups, 1, epochs, RatesOf(rate))],
            Strategy.Partial => [GradualUnfreezing.TopStage(groups, groups - LowestTrained(settings, groups), epochs, RatesOf(rate))],
            _ => ChainThaw.Stages(groups, epochs, rate),
        };
    }

    // Each of them has one epoch.
    private static int StagesBeforeTheLast(Strategy strategy, int groups) => strategy switch
    {
        Strategy.Gradual => groups - 1,
        Strategy.ChainThaw => groups,
        _ => 0,
    };

    // fastai's freeze_to(n): a negative n counts from the top.
    private static int LowestTrained(TrainingSettings settings, int groups)
    {
        int given = settings.FreezeTo ?? 0, lowest = given < 0 ? groups + given : given;
        return lowest >= 0 && lowest < groups
            ? lowest
            : throw new TrainingSettingsException([new SettingsError("freezeTo", $"is {given}, but the classifier has the groups 0 to {groups - 1}, or {-groups} to -1 counted from the top")]);
    }
}
