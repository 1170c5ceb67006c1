namespace Ulmfit.Training;

/// <summary>What each class weighs in the loss.</summary>
internal static class ClassWeights
{
    /// <summary>
    /// The weights by class: that of <see cref="ClassifierSettings.ClassWeights"/>, times the label's own of
    /// <see cref="ClassifierSettings.LabelWeights"/>. Balanced as scikit-learn: rows / (classes · rows of the class); a
    /// class without a row weighs nothing. Null where all weigh the same.
    /// </summary>
    /// <param name="settings">The settings.</param>
    /// <param name="labels">The classes.</param>
    /// <param name="train">The documents that are trained on.</param>
    /// <exception cref="TrainingSettingsException">A weight is given for a label that is no class.</exception>
    public static float[]? Of(ClassifierSettings settings, IReadOnlyList<string> labels, IReadOnlyList<Document> train)
    {
        if (settings.ClassWeights == ClassWeighting.None && settings.LabelWeights is null)
        {
            return null;
        }

        IReadOnlyDictionary<string, double> own = settings.LabelWeights ?? new Dictionary<string, double>();
        SettingsError[] unknown = [.. own.Keys.Where(label => !labels.Contains(label, StringComparer.Ordinal))
            .Select(label => new SettingsError($"classifier.labelWeights.{label}", $"is the weight of a label that the data does not have; it has: {string.Join(", ", labels)}"))];
        if (unknown.Length > 0)
        {
            throw new TrainingSettingsException(unknown);
        }

        var rows = new int[labels.Count];
        foreach (Document document in train)
        {
            rows[document.Label]++;
        }

        double Balance(int label) => settings.ClassWeights == ClassWeighting.None ? 1
            : rows[label] == 0 ? 0
            : (double)train.Count / (labels.Count * (double)rows[label]);
        return [.. labels.Select((label, index) => (float)(Balance(index) * own.GetValueOrDefault(label, 1)))];
    }
}
