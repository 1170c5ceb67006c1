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
    /// more than its part. A text's class is the likeliest by the mean of the teachers' probabilities; of equals it is the first, and
    /// the first text.
    /// </summary>
    /// <param name="teachers">Probabilities by teacher, text and class; all of them know the same texts and classes.</param>
    /// <returns>The labels in the order of the texts.</returns>
    /// <exception cref="ArgumentException">There is no teacher, or they were asked about different texts.</exception>
    public static IReadOnlyList<PseudoLabel> Choose(IReadOnlyList<float[][]> teachers)
    {
        ArgumentNullException.ThrowIfNull(teachers);
        if (teachers.Count == 0 || teachers.Any(teacher => teacher.Length != teachers[0].Length))
        {
            throw new ArgumentException("There must be teachers, and all of them asked about the same texts.", nameof(teachers));
        }

        return
        [
            .. Enumerable.Range(0, teachers[0].Length)
                .Select(text => (Text: text, Likeliest: LikeliestOf(teachers, text)))
                .GroupBy(one => one.Likeliest.Label, one => (one.Text, one.Likeliest.Sum))
                .SelectMany(given => given.OrderByDescending(one => one.Sum).ThenBy(one => one.Text).Take(MostOf(given.Count())), (given, one) => new PseudoLabel(one.Text, given.Key))
                .OrderBy(label => label.Text),
        ];
    }

    private static (int Label, double Sum) LikeliestOf(IReadOnlyList<float[][]> teachers, int text) => Enumerable.Range(0, teachers[0][text].Length)
        .Select(label => (Label: label, Sum: teachers.Sum(teacher => (double)teacher[text][label])))
        .MaxBy(one => one.Sum);
}
