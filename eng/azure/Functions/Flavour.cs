using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Ulmfit.Engine;
using Ulmfit.Storage;

namespace Ulmfit.Functions;

/// <summary>What the Azure flavour puts in: the account that the Functions host itself uses.</summary>
internal static class Flavour
{
    /// <summary>Registers store, engine and telemetry.</summary>
    /// <exception cref="ArgumentException">The storage setting is none, or that of the engine names none of this build.</exception>
    public static void Configure(FunctionsApplicationBuilder builder, AppSettings settings)
    {
        if (settings.AnonymousClassify)
        {
            throw new ArgumentException(
                "Classify:Anonymous is for the embedded host: in Azure a function's level is fixed when the app is built. Put API Management or Entra sign-in in front, which add the key.");
        }

        // Keyless as a rule: the address of the blob service, to which the app's managed identity is shown.
        string? account = builder.Configuration["AzureWebJobsStorage:blobServiceUri"] ?? builder.Configuration["AzureWebJobsStorage"];
        builder.Services.AddSingleton(BlobStores.Open(builder.Configuration["storage"] ?? account ?? settings.Storage, settings.Data));
        Func<int?, ITrainingEngine> engine = Engines.Find(builder.Configuration["Training:Engine"]);
        builder.Services.AddSingleton(_ => engine(settings.Threads));
        Telemetry.Add(builder);
    }

    /// <summary>Where this host answers is the platform's to know.</summary>
    public static Uri? AddressOf(IServiceProvider services) => null;
}
