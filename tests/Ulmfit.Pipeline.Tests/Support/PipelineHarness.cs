using Microsoft.Extensions.Logging.Abstractions;
using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>The pipeline over a store, walked step by step as the orchestrations walk it.</summary>
internal sealed class PipelineHarness : IDisposable
{
    public const string Dataset = "tickets";

    public static readonly TrainingSettings Settings = TrainingSettings.Default with
    {
        Pretrained = TrainingSettings.NoPretrained,
        Directions = Directions.Forward,
        Strategy = Strategy.Full,
        HeldOutFraction = 0.2,
        LanguageModel = new LanguageModelSettings { FineTune = true, Epochs = 2, Bptt = 20 },
        Classifier = new ClassifierSettings { Epochs = 3, Batch = 16, LearningRate = 0.01 },
    };

    private readonly CpuTrainingEngine engine = new(2);

    public PipelineHarness(IBlobStore store, PipelineOptions options)
        : this(store, null, options)
    {
    }

    public PipelineHarness(IBlobStore store, TimeProvider? clock = null, PipelineOptions? options = null)
    {
        Store = store;
        TimeProvider time = TimeProvider.System;
        options ??= new PipelineOptions { CodeVersion = "tests" };
        Catalog = new DatasetCatalog(store);
        Preparation = new DatasetPreparation(store, Catalog, options, time, NullLogger<DatasetPreparation>.Instance);
        Runs = new RunRegistry(store, time);
        Registry = new ModelRegistry(store, time);
        Reports = new RunReports(store);
        var earlier = new EarlierModels(Registry);
        Start = new RunStart(Runs, Catalog, earlier, options, time);
        Cache = new ModelCache(Registry, new ModelCacheOptions(), time, NullLogger<ModelCache>.Instance);
        var pretrained = new PretrainedModels(store, PretrainedLibrary.Shipped);
        Workspace = new TrainingWorkspace(new CountingEngine(engine, this), Catalog, pretrained, earlier, clock ?? time);
        Epochs = new EpochStep(store, Workspace, Runs, new RunWaits(time), time, NullLogger<EpochStep>.Instance);
        Evaluation = new CandidateEvaluation(store, Workspace, Catalog, pretrained, Epochs, Runs, Registry, Cache, options, NullLogger<CandidateEvaluation>.Instance);
        Publishing = new ModelPublishing(store, Catalog, Evaluation, Runs, Registry, Cache, options, time, NullLogger<ModelPublishing>.Instance);
        Purge = new CheckpointPurge(store, Runs, Registry, NullLogger<CheckpointPurge>.Instance);
    }

    public IBlobStore Store { get; }

    public DatasetCatalog Catalog { get; }

    public DatasetPreparation Preparation { get; }

    public RunRegistry Runs { get; }

    public RunStart Start { get; }

    public ModelRegistry Registry { get; }

    public RunReports Reports { get; }

    public ModelCache Cache { get; }

    public TrainingWorkspace Workspace { get; }

    public EpochStep Epochs { get; }

    public CandidateEvaluation Evaluation { get; }

    public ModelPublishing Publishing { get; }

    public CheckpointPurge Purge { get; }

    /// <summary>How many networks have been made: one a trained epoch or slice.</summary>
    public int Trainings { get; private set; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async Task DropAsync(string name, string content) =>
        await Store.PutTextIfAbsentAsync(Containers.Labeled, $"{Dataset}/{name}", content, Ct);

    /// <summary>Drops rows, prepares them and begins a run.</summary>
    public async Task<string> BeginAsync(TrainingSettings? settings = null, int rows = 120, int seed = 0, string name = "a.csv")
    {
        await Catalog.PutSettingsAsync(Dataset, settings ?? Settings, Ct);
        await DropAsync(name, TinyData.Csv(rows, seed));
        RunTicket ticket = await Start.BeginAsync(await Preparation.RunAsync(Dataset, Ct), Ct);
        return ticket.Run!;
    }

    /// <summary>Trains every direction of a run to its end.</summary>
    public async Task<IReadOnlyList<EpochStepResult>> TrainAsync(string run)
    {
        var steps = new List<EpochStepResult>();
        RunManifest manifest = await Runs.GetAsync(RunId.Parse(run), Ct);
        foreach (Direction direction in TrainingWorkspace.SettingsOf(manifest).Directions.Each())
        {
            var input = EpochStepInput.First(run, direction);
            EpochStepResult result;
            do
            {
                result = await Epochs.RunAsync(input, Ct);
                steps.Add(result);
                input = input with { From = result.Next, Checkpoint = result.Checkpoint };
            }
            while (!result.Finished && !result.Canceled);
        }
        return steps;
    }

    /// <summary>Trains, evaluates and publishes a run.</summary>
    public async Task<RunManifest> CompleteAsync(string run)
    {
        await TrainAsync(run);
        EvaluationResult evaluated = await Evaluation.RunAsync(run, Ct);
        if (evaluated.Accepted)
        {
            await Publishing.RunAsync(evaluated, Ct);
        }
        else
        {
            await Runs.FinishAsync(RunId.Parse(run), RunStatus.Rejected, ct: Ct);
        }
        return await Runs.GetAsync(RunId.Parse(run), Ct);
    }

    public void Dispose()
    {
        Workspace.Dispose();
        Cache.Dispose();
        engine.Dispose();
    }

    private sealed class CountingEngine(ITrainingEngine inner, PipelineHarness harness) : ITrainingEngine
    {
        public string Name => inner.Name;

        public ILanguageModelNetwork CreateLanguageModel(LanguageModelOptions options, Model.StateDict state)
        {
            harness.Trainings++;
            return inner.CreateLanguageModel(options, state);
        }

        public IClassifierNetwork CreateClassifier(ClassifierOptions options, Model.StateDict state)
        {
            harness.Trainings++;
            return inner.CreateClassifier(options, state);
        }

        public IFeatureNetwork CreateFeatures(Model.ClassifierConfig config, Model.StateDict state)
        {
            harness.Trainings++;
            return inner.CreateFeatures(config, state);
        }
    }
}
