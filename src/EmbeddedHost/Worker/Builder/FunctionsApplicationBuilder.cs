using EmbeddedHost;
using Microsoft.AspNetCore.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Gathers services, settings and middleware of a function app and builds the host that runs it.</summary>
public class FunctionsApplicationBuilder : IHostApplicationBuilder, IFunctionsWorkerApplicationBuilder
{
    private readonly WebApplicationBuilder web;
    private readonly List<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware = [];
    private bool built;

    internal FunctionsApplicationBuilder(string[]? args)
    {
        web = HostComposition.CreateWebBuilder(args ?? []);
        web.Services.AddSingleton<IFunctionsWorkerApplicationBuilder>(this);
    }

    /// <summary>
    /// The app's settings, weakest first: appsettings.json, the values of local.settings.json, the environment, the command
    /// line. The content of host.json stands below <c>AzureFunctionsJobHost</c> and can be overridden there.
    /// </summary>
    public ConfigurationManager Configuration => web.Configuration;

    /// <summary>The app's environment; <c>Development</c> unless AZURE_FUNCTIONS_ENVIRONMENT names another.</summary>
    public IHostEnvironment Environment => web.Environment;

    /// <summary>The app's logging.</summary>
    public ILoggingBuilder Logging => web.Logging;

    /// <summary>The app's metrics.</summary>
    public IMetricsBuilder Metrics => web.Metrics;

    /// <summary>The app's services.</summary>
    public IServiceCollection Services => web.Services;

    /// <summary>Data that extensions share while the app is built.</summary>
    public IDictionary<object, object> Properties => ((IHostApplicationBuilder)web).Properties;

    IConfigurationManager IHostApplicationBuilder.Configuration => Configuration;

    /// <summary>Builds the host: finds the functions, checks that each can be bound, and lays out their routes.</summary>
    /// <exception cref="InvalidOperationException">It was built before.</exception>
    /// <exception cref="FunctionBindingException">A function cannot be bound; the message says which and what to change.</exception>
    public IHost Build()
    {
        ThrowIfBuilt();
        built = true;
        return HostComposition.Build(this, web, middleware);
    }

    /// <inheritdoc/>
    public void ConfigureContainer<TContainerBuilder>(IServiceProviderFactory<TContainerBuilder> factory, Action<TContainerBuilder>? configure = null)
        where TContainerBuilder : notnull =>
        ((IHostApplicationBuilder)web).ConfigureContainer(factory, configure);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The app was built already.</exception>
    public IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware)
    {
        ArgumentNullException.ThrowIfNull(middleware);
        ThrowIfBuilt();
        this.middleware.Add(middleware);
        return this;
    }

    private void ThrowIfBuilt()
    {
        if (built)
        {
            throw new InvalidOperationException("The application has already been built.");
        }
    }
}
