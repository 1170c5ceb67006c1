namespace Ulmfit.Model;

/// <summary>
/// Dropout probabilities of an AWD-LSTM, in fastai's names. Masks are variational (one a lane and step, the same at
/// every time), of whole embedding rows, and of hidden-to-hidden weights (DropConnect, one mask a step).
/// </summary>
/// <remarks>
/// Which word of its stream (<see cref="Philox"/>, <see cref="RandomPurpose"/>) decides an element: of a variational mask
/// over <c>[lane, size]</c> word lane · size + j, a classifier's lanes being the documents of the batch in their order; of
/// the embedding word <c>token</c>; of hidden-to-hidden weights the element's row-major index in <c>[4·output, output]</c>.
/// The layer of a stream is the LSTM layer whose output or weights are masked, of <see cref="RandomPurpose.HeadDropout"/>
/// the head's block (0 for <see cref="Output"/>, 1 for <see cref="Head"/>, over <c>[document, features]</c>), else 0.
/// A classifier has no mask on the last layer's output other than the head's, and one set of masks for all chunks of a step.
/// </remarks>
/// <param name="Output">On the last layer's output (language model) and on the head's input (classifier); <c>output_p</c>.</param>
/// <param name="Hidden">Between LSTM layers; <c>hidden_p</c>.</param>
/// <param name="Input">On the embedded input; <c>input_p</c>.</param>
/// <param name="Embedding">Of whole rows of the embedding; <c>embed_p</c>.</param>
/// <param name="Weight">Of hidden-to-hidden weights; <c>weight_p</c>.</param>
/// <param name="Head">On the head's hidden layer (classifier only).</param>
public sealed record DropoutRates(float Output, float Hidden, float Input, float Embedding, float Weight, float Head)
{
    /// <summary>fastai's <c>awd_lstm_lm_config</c>.</summary>
    public static DropoutRates LanguageModel { get; } = new(0.1f, 0.15f, 0.25f, 0.02f, 0.2f, 0f);

    /// <summary>fastai's <c>awd_lstm_clas_config</c> and its head's 0.1.</summary>
    public static DropoutRates Classifier { get; } = new(0.4f, 0.3f, 0.4f, 0.05f, 0.5f, 0.1f);

    /// <summary>No dropout at all.</summary>
    public static DropoutRates None { get; } = new(0f, 0f, 0f, 0f, 0f, 0f);

    /// <summary>All rates but the head's scaled by fastai's <c>drop_mult</c>.</summary>
    public DropoutRates Scaled(float multiplier) => this with
    {
        Output = Output * multiplier,
        Hidden = Hidden * multiplier,
        Input = Input * multiplier,
        Embedding = Embedding * multiplier,
        Weight = Weight * multiplier,
    };

    /// <summary>These rates, if they are probabilities.</summary>
    /// <exception cref="ArgumentException">A rate is outside [0, 1).</exception>
    public DropoutRates Validated()
    {
        foreach (float rate in (ReadOnlySpan<float>)[Output, Hidden, Input, Embedding, Weight, Head])
        {
            if (!(rate is >= 0f and < 1f))
            {
                throw new ArgumentException($"A dropout rate lies in [0, 1), but {rate} was given.");
            }
        }

        return this;
    }
}
