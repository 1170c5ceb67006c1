using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>
/// Listens to the meters of the process that the settings name, and keeps what they have measured since the host began. Instruments of one
/// name are one family, of whichever meters they are; one that measures something else under a name that is taken is left out, and told.
/// </summary>
internal sealed class ExportedMeters : IDisposable
{
    private readonly ConcurrentDictionary<string, MetricFamily> families = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();
    private readonly Lock collecting = new();
    private readonly HashSet<string> meters;
    private readonly ILogger<ExportedMeters> logger;
    private int collection;

    /// <summary>Begins to listen.</summary>
    /// <param name="settings">The names of the meters.</param>
    /// <param name="logger">Where instruments that cannot be exported or asked are told.</param>
    public ExportedMeters(HostSettings settings, ILogger<ExportedMeters> logger)
    {
        meters = [.. settings.Meters];
        this.logger = logger;
        listener.InstrumentPublished = Publish;
        listener.SetMeasurementEventCallback<byte>((_, value, attributes, family) => Take(value, attributes, family));
        listener.SetMeasurementEventCallback<short>((_, value, attributes, family) => Take(value, attributes, family));
        listener.SetMeasurementEventCallback<int>((_, value, attributes, family) => Take(value, attributes, family));
        listener.SetMeasurementEventCallback<long>((_, value, attributes, family) => Take(value, attributes, family));
        listener.SetMeasurementEventCallback<float>((_, value, attributes, family) => Take(value, attributes, family));
        listener.SetMeasurementEventCallback<double>((_, value, attributes, family) => Take(value, attributes, family));
        listener.SetMeasurementEventCallback<decimal>((_, value, attributes, family) => Take((double)value, attributes, family));
        listener.Start();
    }

    /// <summary>What was measured until now, in Prometheus' text format.</summary>
    public string Collect()
    {
        lock (collecting)
        {
            collection++;
            try
            {
                listener.RecordObservableInstruments();
            }
            catch (AggregateException e)
            {
                // One that fails must not keep the others from being seen: they have been asked all the same.
                HostLog.InstrumentsFailed(logger, e);
            }

            return PrometheusText.Write(families.Values.OrderBy(family => family.Name, StringComparer.Ordinal), collection);
        }
    }

    /// <summary>Ends listening.</summary>
    public void Dispose() => listener.Dispose();

    private void Publish(Instrument instrument, MeterListener to)
    {
        if (!meters.Contains(instrument.Meter.Name))
        {
            return;
        }

        string name = PrometheusNames.Metric(instrument.Name, instrument.Unit, MetricFamily.KindOf(instrument));
        MetricFamily family = families.GetOrAdd(name, _ => new MetricFamily(name, instrument));
        if (family.Takes(instrument))
        {
            to.EnableMeasurementEvents(instrument, family);
        }
        else
        {
            HostLog.InstrumentLeftOut(logger, instrument.Meter.Name, instrument.Name, name);
        }
    }

    private void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> attributes, object? family) =>
        ((MetricFamily)family!).Measure(value, attributes, collection);
}
