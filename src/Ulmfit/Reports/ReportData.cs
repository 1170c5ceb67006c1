using Ulmfit.Data;
using Ulmfit.Training;

namespace Ulmfit.Reports;

/// <summary>What a model was trained and measured on.</summary>
/// <param name="Digest">SHA-256 over the rows and texts.</param>
/// <param name="TrainRows">Labelled rows that were trained on.</param>
/// <param name="HeldOutRows">Labelled rows that were only measured on.</param>
/// <param name="UnlabeledTexts">Texts without a label that joined the language model's training.</param>
/// <param name="VocabularySize">Tokens of the vocabulary.</param>
/// <param name="Classes">The classes in ordinal order of their labels.</param>
public sealed record ReportData(string Digest, int TrainRows, int HeldOutRows, int UnlabeledTexts, int VocabularySize, IReadOnlyList<ClassRows> Classes)
{
    /// <summary>The data of a training.</summary>
    /// <param name="digest">SHA-256 over it.</param>
    /// <param name="data">What training saw of it.</param>
    public static ReportData Of(string digest, TrainingData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        int[] Count(IReadOnlyList<Document> documents)
        {
            int[] counts = new int[data.Labels.Count];
            foreach (Document document in documents)
            {
                counts[document.Label]++;
            }

            return counts;
        }

        int[] train = Count(data.Train), heldOut = Count(data.HeldOut);
        return new ReportData(
            digest, data.Train.Count, data.HeldOut.Count, data.Unlabeled.Count, data.Vocabulary.Count,
            [.. data.Labels.Select((label, c) => new ClassRows(label, train[c], heldOut[c]))]);
    }
}

/// <summary>A class and its rows.</summary>
/// <param name="Label">The class.</param>
/// <param name="Train">Rows that were trained on.</param>
/// <param name="HeldOut">Rows that were only measured on.</param>
public sealed record ClassRows(string Label, int Train, int HeldOut);
