using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using Ulmfit.Diagnostics;

namespace Ulmfit.Functions;

/// <summary>Logs, traces and metrics to Application Insights, over OpenTelemetry as host.json asks of the host too (<c>telemetryMode</c>).</summary>
internal static class Telemetry
{
    // The host's own setting of how it signs in at Application Insights; the same holds for the worker.
    private const string Authentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>Registers the exporters where there is an Application Insights to send to.</summary>
    public static void Add(FunctionsApplicationBuilder builder)
    {
        IOpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry().UseFunctionsWorkerDefaults()
            .WithMetrics(metrics => metrics.AddMeter(UlmfitMeter.Name))
            .WithTracing(traces => traces.AddSource(UlmfitTraces.Name));
        string? connection = builder.Configuration["APPLICATIONINSIGHTS_CONNECTION_STRING"];
        if (string.IsNullOrWhiteSpace(connection))
        {
            return;
        }

        bool isKeyless = !string.IsNullOrWhiteSpace(builder.Configuration[Authentication]);
        telemetry.UseAzureMonitorExporter(options =>
        {
            options.ConnectionString = connection;
            if (isKeyless)
            {
                options.Credential = new DefaultAzureCredential();
            }
        });
    }
}
