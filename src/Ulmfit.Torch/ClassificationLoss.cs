using TorchSharp;
using Ulmfit.Engine;

namespace Ulmfit.Torch;

/// <summary>
/// The loss of a batch. With weights w and smoothing ε a document of label y has the loss
/// (1 − ε)·w_y·(−log p_y) + ε/C · Σ_c w_c·(−log p_c), and the batch their sum over Σ w_y, as PyTorch's.
/// </summary>
internal static class ClassificationLoss
{
    /// <summary>The loss of logits <c>[documents, classes]</c>.</summary>
    public static Tensor Of(ClassifierOptions options, Tensor logits, ReadOnlySpan<int> labels, Device device)
    {
        IReadOnlyList<float>? weights = options.ClassWeights;
        int classes = options.Config.Classes;
        double smoothing = options.LabelSmoothing, total = 0;
        foreach (int label in labels)
        {
            total += weights?[label] ?? 1.0;
        }

        var targets = new float[labels.Length * classes];
        for (int document = 0; document < labels.Length && total > 0; document++)
        {
            for (int c = 0; c < classes; c++)
            {
                double share = (smoothing / classes) + (c == labels[document] ? 1 - smoothing : 0);
                targets[(document * classes) + c] = (float)(share * (weights?[c] ?? 1.0) / total);
            }
        }

        return logits.log_softmax(1).mul(HostData.Floats(targets, device, labels.Length, classes)).sum(torch.float64).neg();
    }
}
