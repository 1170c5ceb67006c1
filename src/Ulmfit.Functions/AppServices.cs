using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Pipeline.Uncertain;
using Ulmfit.Training;

namespace Ulmfit.Functions;

/// <summary>What the functions are made of; store and engine are the flavour's.</summary>
internal static partial class AppServices
{
    /// <summary>Registers the pipeline, and what answers over HTTP where that is part of the deployment.</summary>
    public static void AddApp(this IServiceCollection services, AppSettings settings)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(settings.Pipeline);
        services.AddSingleton(settings.Models);
        services.AddSingleton(settings.Drift);
        services.AddSingleton(settings.Uncertain);
        services.AddSingleton(settings.Pipeline.Limits);
        services.AddSingleton<DropStore>();
        services.AddSingleton<DatasetCatalog>();
        services.AddSingleton<DatasetPreparation>();
        services.AddSingleton<FeedbackStore>();
        services.AddSingleton<RunRegistry>();
        services.AddSingleton<RunWaits>();
        services.AddSingleton<RunStart>();
        services.AddSingleton<ModelRegistry>();
        services.AddSingleton<RunReports>();
        services.AddSingleton<ModelCache>();
        services.AddSingleton<UncertainTexts>();
        services.AddSingleton(PretrainedLibrary.Shipped);
        services.AddSingleton<PretrainedModels>();
        services.AddSingleton<EarlierModels>();
        services.AddSingleton<TrainingWorkspace>();
        services.AddSingleton<PretrainingCorpus>();
        services.AddSingleton<PretrainingRegistry>();
        services.AddSingleton<PretrainingWorkspace>();
        services.AddSingleton<PretrainingStep>();
        services.AddSingleton<PretrainingPublishing>();
        services.AddSingleton<EpochStep>();
        services.AddSingleton<CandidateEvaluation>();
        services.AddSingleton<ModelPublishing>();
        services.AddSingleton<CheckpointPurge>();
        AddApi(services, settings);
    }

    /// <summary>Begins, beside all else, what takes time before the first answer.</summary>
    public static void Prepare() => PrepareApi();

    // Without a body where the app is built as trainer, which answers nobody: the call then is none.
    static partial void AddApi(IServiceCollection services, AppSettings settings);

    static partial void PrepareApi();
}
