using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Tests;

/// <summary>Training makes no garbage.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class AllocationTests
{
    [Fact]
    public void LanguageModelStep_AfterWarmUp_AllocatesNothing()
    {
        using var engine = new CpuTrainingEngine(3);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(Samples.LanguageModelOptions(17, 9), Samples.LanguageModel(Samples.Encoder));
        LanguageModelBatch window = Samples.Window(Samples.Encoder, 9, 17, 1), shorter = Samples.Window(Samples.Encoder, 5, 17, 2);
        OptimizerStep step = Samples.Step(1, 4);
        AssertNoAllocation(() =>
        {
            network.TrainStep(window, step);
            network.TrainStep(shorter, step);
        });
    }

    [Fact]
    public void ClassifierStep_AfterWarmUp_AllocatesNothing() => AssertNoAllocation(Samples.ClassifierOptions);

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void PlainLstmStep_AfterWarmUp_AllocatesNothing(int classes) => AssertNoAllocation(Samples.LastStateOptions(classes));

    private static void AssertNoAllocation(ClassifierOptions options)
    {
        ClassifierConfig config = options.Config;
        using var engine = new CpuTrainingEngine(3);
        using IClassifierNetwork network = engine.CreateClassifier(options, Samples.ClassifierWeights(config));
        ClassifierBatch large = Samples.Documents(config, 12, 33, 1), small = Samples.Documents(config, 5, 9, 2);
        OptimizerStep step = Samples.Step(1, config.Encoder.Layers + 2);
        AssertNoAllocation(() =>
        {
            network.TrainStep(large, step);
            network.TrainStep(small, step);
        });
    }

    /// <summary>
    /// The threads of the test runner allocate now and then, so of several attempts one must allocate nothing, and the
    /// calling thread never.
    /// </summary>
    private static void AssertNoAllocation(Action steps)
    {
        for (int i = 0; i < 3; i++)
        {
            steps();
        }

        long least = long.MaxValue;
        for (int attempt = 0; attempt < 20 && least > 0; attempt++)
        {
            long process = GC.GetTotalAllocatedBytes(precise: true), thread = GC.GetAllocatedBytesForCurrentThread();
            steps();
            thread = GC.GetAllocatedBytesForCurrentThread() - thread;
            process = GC.GetTotalAllocatedBytes(precise: true) - process;
            Assert.Equal(0, thread);
            least = Math.Min(least, process);
        }

        Assert.Equal(0, least);
    }
}
