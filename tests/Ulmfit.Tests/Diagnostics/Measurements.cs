using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Ulmfit.Diagnostics;

namespace Ulmfit.Tests.Diagnostics;

/// <summary>Listens to the product's meter for one model, so that tests beside each other do not hear each other.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly ConcurrentQueue<(string Line, double Value)> taken = new();
    private readonly MeterListener listener = new();
    private readonly string? model;

    public Measurements(string? model)
    {
        this.model = model;
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Name == UlmfitMeter.Name)
            {
                listening.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();
    }

    /// <summary>The sum of what was measured of an instrument and its attributes, such as <c>ulmfit.classify.texts{ulmfit.model.version=2}</c>.</summary>
    public double this[string line] => taken.Where(t => t.Line == line).Sum(t => t.Value);

    /// <summary>What was measured, each instrument with its attributes once, in order.</summary>
    public IReadOnlyList<string> Lines => [.. taken.Select(t => t.Line).Distinct().Order(StringComparer.Ordinal)];

    public void Dispose() => listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string? of = null;
        var others = new List<string>();
        foreach ((string key, object? attribute) in tags)
        {
            if (key == "ulmfit.model.name")
            {
                of = (string?)attribute;
            }
            else
            {
                others.Add($"{key}={Convert.ToString(attribute, CultureInfo.InvariantCulture)}");
            }
        }
        if (of == model)
        {
            taken.Enqueue(($"{instrument.Name}{{{string.Join(',', others)}}}", value));
        }
    }
}
