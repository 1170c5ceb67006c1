namespace Ulmfit.Training;

/// <summary>What is wrong with one setting.</summary>
/// <param name="Path">The setting, as <c>classifier.learningRate</c>.</param>
/// <param name="Message">What must hold.</param>
public sealed record SettingsError(string Path, string Message);

/// <summary>Settings that cannot be used; carries every fault found.</summary>
public sealed class TrainingSettingsException : Exception
{
    /// <summary>Made from the faults.</summary>
    public TrainingSettingsException(IReadOnlyList<SettingsError> errors)
        : base("The training settings cannot be used: " + string.Join("; ", (errors ?? throw new ArgumentNullException(nameof(errors))).Select(error => $"{error.Path} {error.Message}".Trim())))
        => Errors = errors;

    /// <summary>Every fault.</summary>
    public IReadOnlyList<SettingsError> Errors { get; }
}
