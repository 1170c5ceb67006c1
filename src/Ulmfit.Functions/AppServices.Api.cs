using Microsoft.Extensions.DependencyInjection;
using Ulmfit.Functions.Demo;
using Ulmfit.Functions.Http;

namespace Ulmfit.Functions;

/// <summary>What the HTTP functions need besides: not part of a trainer.</summary>
internal static partial class AppServices
{
    static partial void AddApi(IServiceCollection services, AppSettings settings)
    {
        services.AddSingleton<Admission>();
        services.AddSingleton<ApiGuard>();
        services.AddSingleton<ChampionPreload>();
        services.AddHostedService(provider => provider.GetRequiredService<ChampionPreload>());
        if (settings.Demo)
        {
            services.AddHostedService<Demonstration>();
        }
    }
}
