using System.Diagnostics;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Tests;

/// <summary>Trainings that are asked for at once in one process.</summary>
public sealed class TrainingLeaseTests
{
    private const int Steps = 60;

    [Fact]
    public async Task TwoTrainings_StartedAtOnce_TakeTurnsAndTrainAsAlone()
    {
        (StateDict languageModelAlone, _) = Train(LanguageModel, new Barrier(1));
        (StateDict classifierAlone, _) = Train(Classifier, new Barrier(1));

        using var together = new Barrier(2);
        var clock = Stopwatch.StartNew();
        Task<(StateDict State, TimeSpan Stepping)> other = Task.Run(() => Train(Classifier, together), TestContext.Current.CancellationToken);
        (StateDict State, TimeSpan Stepping) first = Train(LanguageModel, together), second = await other;
        TimeSpan whole = clock.Elapsed;

        Samples.AssertSameBits(languageModelAlone, first.State);
        Samples.AssertSameBits(classifierAlone, second.State);

        // The clock of a step runs while its engine has the turn: two engines that step one at a time cannot have
        // stepped for longer than the clock on the wall went on, however slow and crowded the machine is.
        Assert.True(first.Stepping > TimeSpan.Zero && second.Stepping > TimeSpan.Zero);
        Assert.True(first.Stepping + second.Stepping <= whole, $"{first.Stepping} and {second.Stepping} of steps in {whole}.");
    }

    private static (StateDict State, TimeSpan Stepping) Train(Func<CpuTrainingEngine, Barrier, StateDict> training, Barrier start)
    {
        using var engine = new CpuTrainingEngine(2);
        StateDict state = training(engine, start);
        return (state, TimeSpan.FromTicks(engine.Profile.Parts().Sum(p => p.Time.Ticks)));
    }

    private static StateDict LanguageModel(CpuTrainingEngine engine, Barrier start)
    {
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(16, 20), Samples.LanguageModel(Samples.Encoder));
        start.SignalAndWait(TestContext.Current.CancellationToken);
        for (int i = 1; i <= Steps; i++)
        {
            network.TrainStep(Samples.Window(Samples.Encoder, 20, 16, i), Samples.Step(i, 4));
        }

        return network.Save();
    }

    private static StateDict Classifier(CpuTrainingEngine engine, Barrier start)
    {
        using IClassifierNetwork network = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        start.SignalAndWait(TestContext.Current.CancellationToken);
        for (int i = 1; i <= Steps; i++)
        {
            network.TrainStep(Samples.Documents(Samples.Classifier, 20, 30, i), Samples.Step(i, 5));
        }

        return network.Save();
    }
}
