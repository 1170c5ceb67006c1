namespace Ulmfit.Diagnostics;

/// <summary>The version of a model that a measurement is of, as attributes that are made once for all its measurements.</summary>
public sealed class ModelAttributes
{
    /// <summary>Names a version of a model.</summary>
    /// <param name="model">The model. One that there is: a name that a caller merely asks for would make a series for each misspelling.</param>
    /// <param name="version">The version, from 1.</param>
    public ModelAttributes(string model, int version)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        Model = model;
        Version = version;
        ModelTag = new(UlmfitMeter.ModelKey, model);
        VersionTag = new(UlmfitMeter.VersionKey, version);
    }

    /// <summary>The model.</summary>
    public string Model { get; }

    /// <summary>The version.</summary>
    public int Version { get; }

    internal KeyValuePair<string, object?> ModelTag { get; }

    internal KeyValuePair<string, object?> VersionTag { get; }
}
