namespace Ulmfit.Model;

/// <summary>How a classifier gets from the states of its encoder to its classes.</summary>
public enum HeadKind
{
    /// <summary>
    /// ULMFiT's: concat pooling <c>[last, max, mean]</c>, then two blocks of BatchNorm, dropout and a linear layer without
    /// bias, with ReLU after the first (Howard &amp; Ruder 2018, 3.3).
    /// </summary>
    ConcatPooling,

    /// <summary>
    /// A plain LSTM classifier's: the last layer's state after the document's last token, then one linear layer with bias
    /// and no dropout. Of two classes it has a single logit, that of the second class beside a fixed 0 for the first, so that
    /// the softmax is the sigmoid and the cross-entropy the binary one with logits.
    /// </summary>
    LastState,

    /// <summary>
    /// Concat pooling <c>[last, max, mean]</c> as fixed features: they are standardised, projected where there is a projection,
    /// and classified by one linear layer with bias, all of it fitted to the training documents: see <see cref="FeatureNames"/>.
    /// </summary>
    Features,
}
