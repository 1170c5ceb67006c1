namespace Ulmfit.Training;

/// <summary>A class that trained classifiers give to a text without one (self-training with pseudo-labels, Lee 2013).</summary>
/// <param name="Text">Index into the texts that they were asked about.</param>
/// <param name="Label">The class.</param>
public sealed record PseudoLabel(int Text, int Label)
{
    // Of the texts that get a class, how many are trained on: in all of them the errors of the teachers would weigh more than what is new.
    private const double Share = 0.5;

    /// <summary>How many of so many texts get a label, about: a class whose number of texts is odd leaves one out.</summary>
    /// <param name="texts">How many texts there are.</param>
    public static int MostOf(int texts) => (int)(Share * texts);

    /// <summary>
    /// Of the texts that get a class, the half of which the teachers are surest, so that no class is left out and none takes
    /// more than its part. A text's class is the likeliest by the mean of the teachers' probabilities, once classes that they favour over
    /// their share of the labelled texts are held back by as much (distribution alignment, Berthelot et al. 2020); of equals it is the
    /// first, and the first text.
    /// </summary>
    /// <param name="teachers">Probabilities by teacher, text and class; all of them know the same texts and classes.</param>
    /// <param name="labels">The classes of the labelled texts.</param>
    /// <returns>The labels in the order of the texts.</returns>
    /// <exception cref="ArgumentException">There is no teacher, or they were asked about different texts, or no text is labelled.</exception>
    public static IReadOnlyList<PseudoLabel> Choose(IReadOnlyList<float[][]> teachers, IReadOnlyList<int> labels)
    {
        ArgumentNullException.ThrowIfNull(teachers);
        ArgumentNullException.ThrowIfNull(labels);
        if (teachers.Count == 0 || teachers.Any(teacher => teacher.Length != teachers[0].Length))
        {
            throw new ArgumentException("There must be teachers, and all of them asked about the same texts.", nameof(teachers));
        }

        if (labels.Count == 0)
        {
            throw new ArgumentException("Without a labelled text it is not known how frequent the classes are.", nameof(labels));
        }

        double[][] means = [.. Enumerable.Range(0, teachers[0].Length).Select(text => MeanOf(teachers, text))];
        double[] factors = means.Length == 0 ? [] : [.. Enumerable.Range(0, means[0].Length).Select(label => FactorOf(label, means, labels))];
        return
        [
            .. means
                .Select((mean, text) => (Text: text, Surest: SurestOf([.. mean.Zip(factors, (probability, factor) => probability * factor)])))
                .GroupBy(one => one.Surest.Label, one => (one.Text, one.Surest.Probability))
                .SelectMany(given => given.OrderByDescending(one => one.Probability).ThenBy(one => one.Text).Take(MostOf(given.Count())), (given, one) => new PseudoLabel(one.Text, given.Key))
                .OrderBy(label => label.Text),
        ];
    }

    private static double[] MeanOf(IReadOnlyList<float[][]> teachers, int text) =>
        [.. Enumerable.Range(0, teachers[0][text].Length).Select(label => teachers.Average(teacher => (double)teacher[text][label]))];

    // What is between a class's share of the labelled texts and the share that the teachers give to it.
    private static double FactorOf(int label, double[][] means, IReadOnlyList<int> labels) =>
        (double)labels.Count(one => one == label) / labels.Count / Math.Max(means.Average(mean => mean[label]), double.Epsilon);

    private static (int Label, double Probability) SurestOf(double[] aligned)
    {
        double sum = aligned.Sum();
        return aligned.Select((value, label) => (Label: label, Probability: value / sum)).MaxBy(one => one.Probability);
    }
}
