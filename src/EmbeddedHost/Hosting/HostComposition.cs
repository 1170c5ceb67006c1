using System.Globalization;
using System.Reflection;
using System.Text.Json;
using EmbeddedHost.Durable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace EmbeddedHost;

/// <summary>Puts the host together.</summary>
internal static class HostComposition
{
    /// <summary>Makes the web application's builder with settings, logging and server.</summary>
    /// <param name="args">The command line.</param>
    public static WebApplicationBuilder CreateWebBuilder(string[] args)
    {
        try
        {
            WebApplicationBuilder web = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
            {
                ApplicationName = Assembly.GetEntryAssembly()?.GetName().Name,
                ContentRootPath = Directory.GetCurrentDirectory(),
                EnvironmentName = Environment.GetEnvironmentVariable("AZURE_FUNCTIONS_ENVIRONMENT")
                    ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT")
                    ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT")
                    ?? Environments.Development,
            });
            HostConfiguration.AddSources(web.Configuration, args);
            AddLogging(web);

            // As the worker does: on a developer's machine mistakes in the registration of services come up at the start.
            web.Host.UseDefaultServiceProvider((context, options) =>
                options.ValidateScopes = options.ValidateOnBuild = context.HostingEnvironment.IsDevelopment());

            // How large a body may be is the app's to decide: uploads are streamed.
            web.WebHost.UseKestrel(options =>
            {
                options.AddServerHeader = false;
                options.Limits.MaxRequestBodySize = null;
            });

            // A request is handled on the thread that its last byte woke, and its answer is sent by the thread that made it. Handing
            // over to other threads costs a short answer a third of its time; what waits long in a function waits asynchronously.
            web.WebHost.UseSockets(options => options.UnsafePreferInlineScheduling = true);
            web.Services.AddRouting();
            web.Services.AddCors();
            web.Services.Configure<JsonSerializerOptions>(options => options.PropertyNameCaseInsensitive = true);
            return web;
        }
        catch (Exception e) when (StartFailure.Note(e))
        {
            throw;
        }
    }

    /// <summary>Builds the host of an app.</summary>
    /// <param name="builder">The app's builder.</param>
    /// <param name="web">The web application's builder below it.</param>
    /// <param name="middleware">The app's middleware, outermost first.</param>
    public static IHost Build(
        FunctionsApplicationBuilder builder,
        WebApplicationBuilder web,
        IReadOnlyList<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware)
    {
        try
        {
            var settings = new HostSettings(web.Configuration);
            ListenAddresses.Check(settings);
            FunctionCatalog catalog = FindFunctions(builder.Services, web.Configuration, settings);
            if (settings.AnonymousFunctions.FirstOrDefault(name => catalog.OfKind(TriggerKind.Http).All(f => !f.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) is { } unknown)
            {
                throw new HostStartException($"Host:AnonymousFunctions names '{unknown}', which is no HTTP function.");
            }

            AddServices(web, settings, catalog, middleware);
            WebApplication app = web.Build();
            foreach (string url in settings.Urls)
            {
                app.Urls.Add(url);
            }

            UseCors(app, settings);
            MapFunctions(app, catalog);
            app.Services.GetRequiredService<MetricsApi>().Map(app);
            if (catalog.UsesDurable)
            {
                app.Services.GetRequiredService<DurableManagementApi>().Map(app);
            }

            return new FunctionsHost(app, settings);
        }
        catch (Exception e) when (StartFailure.Note(e))
        {
            throw;
        }
    }

    private static void AddLogging(WebApplicationBuilder web)
    {
        web.Logging.AddConfiguration(web.Configuration.GetSection($"{HostConfiguration.HostJsonSection}:logging"));
        web.Logging.AddConfiguration(web.Configuration.GetSection("Logging"));
        web.Logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss ";
            options.ColorBehavior = LoggerColorBehavior.Default;
        });

        // Weaker than the configuration, which is asked for the same categories.
        web.Services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<LoggerFilterOptions>>(new ConfigureOptions<LoggerFilterOptions>(options =>
        {
            options.MinLevel = LogLevel.Information;
            options.Rules.Add(new LoggerFilterRule(null, "Microsoft.AspNetCore", LogLevel.Warning, null));
            options.Rules.Add(new LoggerFilterRule(null, "Microsoft.Extensions", LogLevel.Warning, null));
        })));
        web.Services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>, AddressLogGuard>();
    }

    private static void UseCors(WebApplication app, HostSettings settings)
    {
        if (settings.Cors.Count == 0)
        {
            return;
        }

        app.UseCors(policy =>
        {
            policy.WithOrigins([.. settings.Cors]).AllowAnyHeader().AllowAnyMethod();
            if (settings.CorsCredentials)
            {
                policy.AllowCredentials();
            }
        });
    }

    private static FunctionCatalog FindFunctions(IServiceCollection services, IConfiguration configuration, HostSettings settings)
    {
        List<Type> types = services
            .Where(d => d.ServiceType == typeof(FunctionSource))
            .SelectMany(d => ((FunctionSource)d.ImplementationInstance!).Types)
            .ToList();
        if (types.Count == 0 && Assembly.GetEntryAssembly() is { } entry)
        {
            types.AddRange(FunctionSource.Of(entry).Types);
        }

        bool aspNetCore = services.Any(d => d.ServiceType == typeof(AspNetCoreIntegration));
        return FunctionCatalog.Build(types, new FunctionReader(configuration, settings, aspNetCore));
    }

    private static void AddServices(
        WebApplicationBuilder web,
        HostSettings settings,
        FunctionCatalog catalog,
        IReadOnlyList<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware)
    {
        IServiceCollection services = web.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(catalog);
        services.AddSingleton(provider => new FunctionPipeline(
            middleware,
            new BlobOutputWriter(provider.GetRequiredService<IBlobOutputSink>, provider.GetRequiredService<IOptions<JsonSerializerOptions>>())));
        services.AddSingleton<StopSignal>();

        services.AddSingleton<FunctionKeys>();
        services.AddSingleton<KeyGate>();
        services.AddSingleton<HttpResultWriter>();
        services.AddSingleton<HttpFunctionHandler>();
        services.AddSingleton<ExportedMeters>();
        services.AddSingleton<MetricsApi>();

        services.TryAddSingleton<DataConverter>(provider =>
            new JsonDataConverter(provider.GetRequiredService<IOptions<JsonSerializerOptions>>().Value));
        services.AddSingleton<DurableFunctionInvoker>();
        services.AddSingleton<HostOwnership>();
        services.AddSingleton(provider => new DurableWork(
            () => new DurableTaskHost(
                DurableOptions(web.Configuration, settings, provider.GetRequiredService<DataConverter>()),
                provider.GetRequiredService<DurableFunctionInvoker>(),
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetRequiredService<TimeProvider>()),
            provider.GetRequiredService<HostOwnership>()));
        services.AddSingleton<DurableManagementApi>();

        IConfigurationSection blobs = web.Configuration.GetSection($"{HostConfiguration.HostJsonSection}:extensions:blobs");
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<BlobTriggerOptions>>(new ConfigureOptions<BlobTriggerOptions>(options =>
        {
            options.MaxDegreeOfParallelism = Number(blobs, "maxDegreeOfParallelism") ?? options.MaxDegreeOfParallelism;
            options.PoisonBlobThreshold = Number(blobs, "poisonBlobThreshold") ?? options.PoisonBlobThreshold;
        })));
        services.AddOptions();
        services.TryAddSingleton<IBlobTriggerSource, FolderBlobTriggerSource>();
        services.TryAddSingleton<IBlobOutputSink>(provider => provider.GetRequiredService<IBlobTriggerSource>() as IBlobOutputSink
            ?? throw new InvalidOperationException("The app's IBlobTriggerSource does not write; register an IBlobOutputSink beside it for [BlobOutput]."));
        services.AddSingleton<PoisonList>();
        services.AddSingleton<BlobTriggerRunner>();
        services.AddSingleton<TimerTriggerRunner>();
        services.AddHostedService<HostLifecycle>();
    }

    private static DurableTaskHostOptions DurableOptions(ConfigurationManager configuration, HostSettings settings, DataConverter converter)
    {
        IConfigurationSection section = configuration.GetSection($"{HostConfiguration.HostJsonSection}:extensions:durableTask");
        var defaults = new DurableTaskHostOptions { Folder = Path.Combine(settings.DataDirectory, "durable") };
        return defaults with
        {
            HubName = HubName(section["hubName"], configuration) ?? defaults.HubName,
            MaxConcurrentActivityFunctions = Number(section, "maxConcurrentActivityFunctions") ?? defaults.MaxConcurrentActivityFunctions,
            MaxConcurrentOrchestratorFunctions = Number(section, "maxConcurrentOrchestratorFunctions") ?? defaults.MaxConcurrentOrchestratorFunctions,
            DefaultVersion = section["defaultVersion"],
            VersionMatch = Choice(section, "versionMatchStrategy", VersionMatchStrategy.CurrentOrOlder),
            VersionFailure = Choice(section, "versionFailureStrategy", VersionFailureStrategy.Reject),
            DataConverter = converter,
        };
    }

    // A hub named by a setting that only the cloud has is the default hub here.
    private static string? HubName(string? stated, IConfiguration configuration)
    {
        try
        {
            return string.IsNullOrWhiteSpace(stated) ? null : SettingNames.Resolve(stated, configuration);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static T Choice<T>(IConfigurationSection section, string key, T otherwise)
        where T : struct, Enum
    {
        string? text = section[key];
        return string.IsNullOrWhiteSpace(text) ? otherwise
            : Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<T>(text, ignoreCase: true)
            : throw new HostStartException($"{section.Path}:{key} is '{text}'; it must be one of {string.Join(", ", Enum.GetNames<T>())}.");
    }

    private static int? Number(IConfigurationSection section, string key)
    {
        string? text = section[key];
        return string.IsNullOrWhiteSpace(text) ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0 ? value
            : throw new HostStartException($"{section.Path}:{key} is '{text}'; it must be a whole number above 0.");
    }

    private static void MapFunctions(WebApplication app, FunctionCatalog catalog)
    {
        HttpFunctionHandler handler = app.Services.GetRequiredService<HttpFunctionHandler>();
        foreach (HostedFunction function in catalog.OfKind(TriggerKind.Http))
        {
            RequestDelegate serve = http => handler.HandleAsync(http, function);
            string[] methods = ((HttpTriggerAttribute)function.Trigger).Methods ?? [];
            IEndpointConventionBuilder endpoint = methods.Length == 0
                ? app.Map(function.Route!, serve)
                : app.MapMethods(function.Route!, methods.Select(m => m.ToUpperInvariant()), serve);
            endpoint.WithDisplayName(function.Name);
        }
    }
}
