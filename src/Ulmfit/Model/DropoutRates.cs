namespace Ulmfit.Model;

/// <summary>
/// Dropout probabilities of an AWD-LSTM, in fastai's names. Masks are variational (one a lane and step, the same at
/// every time), of whole embedding rows, and of hidden-to-hidden weights (DropConnect, one mask a step).
/// </summary>
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
