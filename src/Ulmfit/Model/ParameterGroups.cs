namespace Ulmfit.Model;

/// <summary>
/// The layer groups of discriminative fine-tuning and gradual unfreezing, lowest first, as fastai's
/// <c>awd_lstm_lm_split</c> and <c>awd_lstm_clas_split</c> cut them.
/// </summary>
public static class ParameterGroups
{
    /// <summary>A language model of L layers has L + 1 groups: each LSTM layer, then the embedding with the decoder that is tied to it.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> OfLanguageModel(AwdLstmConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        const string Encoder = AwdLstmNames.LanguageModelEncoder;
        return [.. Enumerable.Range(0, config.Layers).Select(layer => LstmLayer(Encoder, layer)), [AwdLstmNames.Embedding(Encoder), AwdLstmNames.DecoderBias]];
    }

    /// <summary>A classifier of L layers has L + 2 groups: the embedding, each LSTM layer, the head; five with three layers.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> OfClassifier(ClassifierConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        const string Encoder = AwdLstmNames.ClassifierEncoder;
        return
        [
            [AwdLstmNames.Embedding(Encoder)],
            .. Enumerable.Range(0, config.Encoder.Layers).Select(layer => LstmLayer(Encoder, layer)),
            AwdLstmNames.HeadWeights(config.Head),
        ];
    }

    private static string[] LstmLayer(string encoder, int layer) =>
    [
        AwdLstmNames.InputWeight(encoder, layer), AwdLstmNames.HiddenWeight(encoder, layer),
        AwdLstmNames.InputBias(encoder, layer), AwdLstmNames.HiddenBias(encoder, layer),
    ];
}
