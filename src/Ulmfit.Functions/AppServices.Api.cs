using Microsoft.Extensions.DependencyInjection;
using Ulmfit.Functions.Demo;
using Ulmfit.Functions.Http;
using Ulmfit.Onnx;
using Ulmfit.Pipeline.Drift;

namespace Ulmfit.Functions;

/// <summary>What the HTTP functions need besides: not part of a trainer.</summary>
internal static partial class AppServices
{
    // The host itself starts on one thread. What fails here fails again, and is told, when a model is loaded.
    static partial void PrepareApi() => _ = Task.Factory.StartNew(
        OnnxTextClassifier.Prepare, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    static partial void AddApi(IServiceCollection services, AppSettings settings)
    {
        services.AddSingleton<Admission>();
        services.AddSingleton<ApiGuard>();
        services.AddSingleton(new RunEventOptions { Heartbeat = settings.EventHeartbeat, Stream = settings.EventStream });
        services.AddSingleton<RunEvents>();
        services.AddSingleton<ChampionPreload>();
        services.AddHostedService(provider => provider.GetRequiredService<ChampionPreload>());
        services.AddSingleton(new PageFiles(Path.Combine(AppContext.BaseDirectory, PageFiles.Folder)));
        services.AddSingleton<DriftMonitor>();
        services.AddHostedService<DriftWriter>();
        if (settings.Uncertain.LogTexts)
        {
            services.AddHostedService<UncertainWriter>();
        }
        if (settings.Demo)
        {
            services.AddHostedService<Demonstration>();
        }
    }
}
