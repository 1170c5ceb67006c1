using EmbeddedHost;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Ulmfit.Cpu;
using Ulmfit.Diagnostics;
using Ulmfit.Engine;
using Ulmfit.Pipeline;
using Ulmfit.Storage;

namespace Ulmfit.Functions;

/// <summary>What the embedded flavour puts in: the folder or any other store, the CPU engine, and blob triggers over that store.</summary>
internal static class Flavour
{
    /// <summary>Registers store, engine and trigger source.</summary>
    /// <exception cref="ArgumentException">The storage setting is none.</exception>
    public static void Configure(FunctionsApplicationBuilder builder, AppSettings settings) => Configure(
        builder, settings, BlobStores.Open(settings.Storage, settings.Data), isOwnFolder: settings.Storage.Equals(BlobStores.Folder, StringComparison.OrdinalIgnoreCase));

    /// <summary>Registers a store, and engine, trigger source and lease as they go with it.</summary>
    internal static void Configure(FunctionsApplicationBuilder builder, AppSettings settings, IBlobStore store, bool isOwnFolder)
    {
        builder.Services.AddSingleton(store);
        if (settings.AnonymousClassify)
        {
            builder.Configuration["Host:AnonymousFunctions"] = string.Join(',', builder.Configuration["Host:AnonymousFunctions"], "Classify");
        }
        builder.Configuration["Host:Meters"] = string.Join(',', builder.Configuration["Host:Meters"], UlmfitMeter.Name);
        builder.Services.AddSingleton<ITrainingEngine>(_ => new CpuTrainingEngine(settings.Threads));
        if (!isOwnFolder)
        {
            // The host watches its own folder; any other store is listed through its interface. That folder has one host by its lock; a store
            // that other machines reach needs a lease.
            builder.Services.AddSingleton<IBlobTriggerSource>(new BlobStoreTriggerSource(store));
            builder.Services.AddSingleton<IHostLease>(services => new BlobHostLease(
                new BlobLease(store, Containers.State, "host/lease.json", settings.Lease, services.GetRequiredService<TimeProvider>())));
        }
    }

    /// <summary>Where this host answers.</summary>
    public static Uri? AddressOf(IServiceProvider services) =>
        services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } address
            ? new Uri(address.Replace("://+", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal))
            : null;
}
