using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>What the settings of a step do, whatever engine takes it.</summary>
public sealed class OptimizerContractTests
{
    [Fact]
    public void TrainStep_OfAClassifiersFrozenGroups_LeavesTheirWeightsAndGivesThemNoMoments()
    {
        using var engine = TestEngine.Create();
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, start);
        network.TrainStep(Samples.Documents(Samples.Classifier, 6, 20, 1), Samples.Step(1, 5, 0.3f, 0, 1, 3));
        AssertFrozen(start, network.Save(), ParameterGroups.OfClassifier(Samples.Classifier), [0, 1, 3]);
    }

    [Fact]
    public void TrainStep_OfALanguageModelsFrozenGroups_LeavesTheirWeightsAndGivesThemNoMoments()
    {
        using var engine = TestEngine.Create();
        StateDict start = Samples.LanguageModel(Samples.Encoder);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), start);
        network.TrainStep(Samples.Window(Samples.Encoder, 6, 4, 1), Samples.Step(1, 4, 0.3f, 1, 3));
        AssertFrozen(start, network.Save(), ParameterGroups.OfLanguageModel(Samples.Encoder), [1, 3]);
    }

    /// <summary>The formula of <see cref="OptimizerStep"/> in double precision, from the gradients that the engine itself gives.</summary>
    [Theory]
    [InlineData(0f)]
    [InlineData(0.05f)]
    public void TrainStep_WithARateAGroupMomentumAndClipping_FollowsTheFormula(float clip)
    {
        using var engine = TestEngine.Create();
        StateDict start = Samples.LanguageModel(Samples.Encoder);
        IReadOnlyList<IReadOnlyList<string>> groups = ParameterGroups.OfLanguageModel(Samples.Encoder);
        Dictionary<string, double[]> weights = Doubles(start), first = [], second = [];
        StateDict state = start;
        for (int number = 1; number <= 3; number++)
        {
            OptimizerStep step = Samples.Step(number, groups.Count, clip) with { Beta1 = 0.6f + (0.1f * number), Beta2 = 0.95f };
            LanguageModelBatch window = Samples.Window(Samples.Encoder, 6, 4, number);
            StateDict gradients = Stepped(state.Where(name => !name.StartsWith("optimizer.", StringComparison.Ordinal)), window, step with { Number = 1, Beta1 = 0f, ClipNorm = 0f, Groups = [.. groups.Select(_ => new GroupStep(true, 0f))] }, out StepResult result);
            double scale = clip > 0 && result.GradientNorm > clip ? clip / result.GradientNorm : 1;
            Assert.Equal(clip > 0, scale < 1);
            state = Stepped(state, window, step, out _);
            foreach ((string name, int group) in groups.SelectMany((names, group) => names.Select(name => (name, group))))
            {
                double[] w = weights[name], m = Moments(first, name, w.Length), v = Moments(second, name, w.Length);
                double rate = step.Groups[group].LearningRate;
                for (int i = 0; i < w.Length; i++)
                {
                    double g = gradients[TrainingStateNames.FirstMoment(name)].Data[i] * scale;
                    m[i] = (step.Beta1 * m[i]) + ((1 - step.Beta1) * g);
                    v[i] = (step.Beta2 * v[i]) + ((1 - step.Beta2) * g * g);
                    w[i] -= AwdLstmNames.HasWeightDecay(name) ? rate * step.WeightDecay * w[i] : 0;
                    w[i] -= rate * (m[i] / (1 - Math.Pow(step.Beta1, number))) / (Math.Sqrt(v[i] / (1 - Math.Pow(step.Beta2, number))) + step.Epsilon);
                }

                // The step moves a weight by about its rate; what is compared is that move, to a thousandth of it.
                Closeness.AssertTensors(name, [.. w.Select(x => (float)x)], state[name].Data, 1e-6 * (1 + (1000 * rate)));
                Closeness.AssertTensors(name + "'s moment", [.. m.Select(x => (float)x)], state[TrainingStateNames.FirstMoment(name)].Data, 1e-5);
                weights[name] = [.. state[name].Data.Select(x => (double)x)];
            }
        }

        StateDict Stepped(StateDict from, LanguageModelBatch window, OptimizerStep step, out StepResult result)
        {
            using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), from);
            result = network.TrainStep(window, step);
            return network.Save();
        }
    }

    private static double[] Moments(Dictionary<string, double[]> moments, string name, int length)
    {
        if (!moments.TryGetValue(name, out double[]? values))
        {
            moments[name] = values = new double[length];
        }

        return values;
    }

    private static Dictionary<string, double[]> Doubles(StateDict state) => state.ToDictionary(p => p.Key, p => p.Value.Data.Select(x => (double)x).ToArray());

    private static void AssertFrozen(StateDict start, StateDict after, IReadOnlyList<IReadOnlyList<string>> groups, int[] frozen)
    {
        for (int g = 0; g < groups.Count; g++)
        {
            foreach (string name in groups[g])
            {
                bool stays = frozen.Contains(g);
                Assert.Equal(stays, start[name].Data.AsSpan().SequenceEqual(after[name].Data));
                Assert.Equal(!stays, after.Contains(TrainingStateNames.FirstMoment(name)));
                Assert.Equal(!stays, after.Contains(TrainingStateNames.SecondMoment(name)));
            }
        }
    }
}
