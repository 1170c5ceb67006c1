using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// From logits to probabilities, and to the loss and its gradient. With weights w and smoothing ε a document of label y has
/// the loss (1 − ε)·w_y·(−log p_y) + ε/C · Σ_c w_c·(−log p_c), and the batch their sum over Σ w_y, as PyTorch's.
/// </summary>
/// <remarks>
/// A single logit z is that of the second of two classes, the first having a fixed 0: the softmax of (0, z) is the sigmoid,
/// and the cross-entropy is the binary one with logits.
/// </remarks>
internal sealed class ClassificationLoss
{
    private readonly ClassifierOptions options;
    private readonly int classes;
    private readonly int logitCount;
    private readonly bool single;

    /// <summary>The loss that options ask for.</summary>
    public ClassificationLoss(ClassifierOptions options)
    {
        this.options = options;
        classes = options.Config.Classes;
        logitCount = options.Config.Logits;
        single = logitCount < classes;
    }

    /// <summary>Mean loss of the last batch.</summary>
    public double Loss { get; private set; }

    /// <summary>How many documents of it were right.</summary>
    public int Correct { get; private set; }

    /// <summary>Probabilities <c>[classes]</c> of a document's logits.</summary>
    public void Softmax(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        float max = LogitOf(logits, 0);
        for (int c = 1; c < classes; c++)
        {
            max = LogitOf(logits, c) > max ? LogitOf(logits, c) : max;
        }

        float sum = 0;
        for (int c = 0; c < classes; c++)
        {
            probabilities[c] = Transcendental.Exp(LogitOf(logits, c) - max);
            sum += probabilities[c];
        }

        for (int c = 0; c < classes; c++)
        {
            probabilities[c] /= sum;
        }
    }

    /// <summary>Settles the loss of a batch and puts the gradients in place of the logits.</summary>
    /// <param name="logits"><c>[documents, stride]</c>.</param>
    /// <param name="stride">Floats from one document to the next.</param>
    /// <param name="documents">How many.</param>
    /// <param name="labels">Their classes.</param>
    public void Settle(GrowingBuffer logits, int stride, int documents, int[] labels)
    {
        IReadOnlyList<float>? weights = options.ClassWeights;
        double smoothing = options.LabelSmoothing, spread = smoothing / classes;
        double total = 0, all = 0;
        for (int document = 0; document < documents; document++)
        {
            total += weights?[labels[document]] ?? 1.0;
        }

        for (int c = 0; c < classes; c++)
        {
            all += weights?[c] ?? 1.0;
        }

        double loss = 0;
        int right = 0;
        for (int document = 0; document < documents; document++)
        {
            Span<float> z = logits.Slice(document * stride, logitCount);
            int label = labels[document], best = 0;
            double weight = weights?[label] ?? 1.0;
            for (int c = 1; c < classes; c++)
            {
                best = LogitOf(z, c) > LogitOf(z, best) ? c : best;
            }

            right += best == label ? 1 : 0;
            double max = LogitOf(z, best), sum = 0;
            for (int c = 0; c < classes; c++)
            {
                sum += Transcendental.Exp((float)(LogitOf(z, c) - max));
            }

            double logSum = Transcendental.Log(sum) + max;
            loss += (1 - smoothing) * weight * (logSum - LogitOf(z, label));
            double mass = ((1 - smoothing) * weight) + (spread * all);
            for (int c = 0; c < classes; c++)
            {
                double classWeight = weights?[c] ?? 1.0;
                float logit = LogitOf(z, c);
                loss += spread * classWeight * (logSum - logit);
                double probability = Transcendental.Exp((float)(logit - max)) / sum;
                double gradient = (mass * probability) - (spread * classWeight) - (c == label ? (1 - smoothing) * weight : 0);
                if (!single)
                {
                    z[c] = total > 0 ? (float)(gradient / total) : 0f;
                }
                else if (c > 0)
                {
                    z[0] = total > 0 ? (float)(gradient / total) : 0f;
                }
            }
        }

        Loss = total > 0 ? loss / total : 0;
        Correct = right;
    }

    private float LogitOf(ReadOnlySpan<float> logits, int c) => !single ? logits[c] : c == 0 ? 0f : logits[0];
}
