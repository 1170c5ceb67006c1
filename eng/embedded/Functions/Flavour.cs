using EmbeddedHost;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Storage;

namespace Ulmfit.Functions;

/// <summary>What the embedded flavour puts in: the folder or any other store, the CPU engine, and blob triggers over that store.</summary>
internal static class Flavour
{
    /// <summary>Registers store, engine and trigger source.</summary>
    /// <exception cref="ArgumentException">The storage setting is none.</exception>
    public static void Configure(FunctionsApplicationBuilder builder, AppSettings settings)
    {
        IBlobStore store = BlobStores.Open(settings.Storage, settings.Data);
        builder.Services.AddSingleton(store);
        if (settings.AnonymousClassify)
        {
            builder.Configuration["Host:AnonymousFunctions"] = string.Join(',', builder.Configuration["Host:AnonymousFunctions"], "Classify");
        }
        builder.Services.AddSingleton<ITrainingEngine>(_ => new CpuTrainingEngine(settings.Threads));
        if (!settings.Storage.Equals(BlobStores.Folder, StringComparison.OrdinalIgnoreCase))
        {
            // The host watches its own folder; any other store is listed through its interface.
            builder.Services.AddSingleton<IBlobTriggerSource>(new BlobStoreTriggerSource(store));
        }
    }

    /// <summary>Where this host answers.</summary>
    public static Uri? AddressOf(IServiceProvider services) =>
        services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } address
            ? new Uri(address.Replace("://+", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal))
            : null;
}
