using System.Globalization;
using System.Text.RegularExpressions;
using Ulmfit.Model;

namespace Ulmfit.Import;

/// <summary>
/// The encoder of an AWD-LSTM, and the decoder's bias, out of a file that fastai saved, under the names of
/// <see cref="AwdLstmNames"/>. The rows of the embedding are still in the file's order.
/// </summary>
/// <remarks>
/// Layouts, all read: an encoder alone (<c>save_encoder</c>: <c>encoder.weight</c>, <c>rnns.0.…</c>), a language model (the same
/// under <c>0.</c>, and <c>1.decoder.*</c>), a classifier (<c>0.module.</c>, in early versions <c>0.</c>, and a head
/// <c>1.layers.*</c>, which is left out); each as it is or under <c>model</c>, with the optimiser beside it. The recurrent
/// weights before weight drop are <c>rnns.0.weight_hh_l0_raw</c> (fastai 1 and 2) or <c>rnns.0.module.weight_hh_l0_raw</c>
/// (0.7); <c>weight_hh_l0</c> beside them holds what dropout last left of them, and counts only where there is nothing raw.
/// </remarks>
/// <param name="Kind">Which layout it was.</param>
/// <param name="Weights">The weights of a language model.</param>
/// <param name="Rows">Rows of the embedding.</param>
/// <param name="HasDecoderBias">False: the file had none, and it is zero.</param>
internal sealed partial record FastaiWeights(FastaiFileKind Kind, StateDict Weights, int Rows, bool HasDecoderBias)
{
    private const string Expected = "Expected is the state dict of an AWD-LSTM as fastai saves it: [0.][module.]encoder.weight, rnns.N.weight_hh_l0_raw, rnns.N.module.weight_ih_l0, .bias_ih_l0 and .bias_hh_l0 under the same prefix, and perhaps 1.decoder.weight and 1.decoder.bias";
    private const int MostLayers = 16;
    private const string EmbeddingName = "encoder.weight";
    private const string DecoderWeight = "1.decoder.weight";
    private const string HeadPrefix = "1.layers.";

    private static readonly string[] Prefixes = ["0.module.", "0.", ""];

    /// <summary>Names of the embedding beside its own: the modules of fastai 1 and 2, and of 0.7, that drop its rows.</summary>
    private static readonly string[] OtherEmbeddingNames = ["encoder_dp.emb.weight", "encoder_with_dropout.embed.weight"];

    /// <summary>Reads the weights of a file.</summary>
    /// <exception cref="InvalidDataException">A weight is missing, unknown or has another shape, or the architecture is another one.</exception>
    public static FastaiWeights Read(TorchFile file)
    {
        Dictionary<string, TorchTensor> tensors = TensorsOf(file.Root);
        RefuseOtherArchitectures(tensors.Keys);
        string prefix = Prefixes.FirstOrDefault(candidate => tensors.ContainsKey(candidate + EmbeddingName) || OtherEmbeddingNames.Any(name => tensors.ContainsKey(candidate + name)))
            ?? throw new InvalidDataException($"The file has no embedding: it holds {Listed(tensors.Keys)}. {Expected}.");
        FastaiFileKind kind = tensors.Keys.Any(name => name.StartsWith(HeadPrefix, StringComparison.Ordinal)) ? FastaiFileKind.Classifier
            : tensors.ContainsKey(DecoderWeight) || tensors.ContainsKey(AwdLstmNames.DecoderBias) ? FastaiFileKind.LanguageModel
            : FastaiFileKind.Encoder;
        RefuseUnknown(tensors.Keys, prefix);

        var weights = new StateDict();
        TorchTensor embedding = tensors.GetValueOrDefault(prefix + EmbeddingName) ?? OtherEmbeddingNames.Select(name => tensors.GetValueOrDefault(prefix + name)).First(tensor => tensor is not null)!;
        if (embedding.Shape is not [> 0 and var rows, > 0 and var width])
        {
            throw new InvalidDataException($"The embedding has the shape {embedding}, but [words, width] was expected.");
        }

        string embeddingName = AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder);
        weights[embeddingName] = file.Read(prefix + EmbeddingName, embedding);
        ReadLayers(file, tensors, prefix, width, weights);
        CheckTied(file, tensors, embedding, weights[embeddingName]);
        bool bias = tensors.TryGetValue(AwdLstmNames.DecoderBias, out TorchTensor? decoderBias);
        weights[AwdLstmNames.DecoderBias] = bias ? ReadShaped(file, AwdLstmNames.DecoderBias, decoderBias!, rows) : Tensor.Zeros(rows);
        return new FastaiWeights(kind, weights, rows, bias);
    }

    private static void ReadLayers(TorchFile file, Dictionary<string, TorchTensor> tensors, string prefix, int width, StateDict weights)
    {
        const string Target = AwdLstmNames.LanguageModelEncoder;
        int layers = tensors.Keys.Select(name => LayerWeight().Match(name[Math.Min(prefix.Length, name.Length)..])).Where(match => match.Success)
            .Select(match => int.Parse(match.Groups["layer"].ValueSpan, CultureInfo.InvariantCulture) + 1).DefaultIfEmpty(0).Max();
        if (layers is 0 or > MostLayers)
        {
            throw new InvalidDataException($"The file has {layers} LSTM layers; 1 to {MostLayers} were expected. {Expected}.");
        }

        (string Name, TorchTensor Tensor) Find(int layer, params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
            {
                string full = $"{prefix}rnns.{layer}.{name}";
                if (tensors.TryGetValue(full, out TorchTensor? tensor))
                {
                    return (full, tensor);
                }
            }

            throw new InvalidDataException($"The file lacks '{prefix}rnns.{layer}.{names[0]}'. {Expected}.");
        }

        int inputs = width;
        for (int layer = 0; layer < layers; layer++)
        {
            // Raw first: what lies beside it is what dropout left.
            (string hiddenName, TorchTensor hidden) = Find(layer, "weight_hh_l0_raw", "module.weight_hh_l0_raw", "module.weight_hh_l0", "weight_hh_l0");
            if (hidden.Shape is not [var gates, > 0 and var outputs] || gates != 4L * outputs)
            {
                throw new InvalidDataException($"'{hiddenName}' has the shape {hidden}; an LSTM has four rows a unit (a GRU has three, and is not read).");
            }

            if (layer == layers - 1 && outputs != width)
            {
                throw new InvalidDataException($"'{hiddenName}' has the shape {hidden}; the last layer projects back to the embedding's {width}, so [{4 * width}, {width}] was expected.");
            }

            (string name, TorchTensor tensor) = Find(layer, "module.weight_ih_l0", "weight_ih_l0");
            weights[AwdLstmNames.InputWeight(Target, layer)] = ReadShaped(file, name, tensor, gates, inputs);
            weights[AwdLstmNames.HiddenWeight(Target, layer)] = file.Read(hiddenName, hidden);
            (name, tensor) = Find(layer, "module.bias_ih_l0", "bias_ih_l0");
            weights[AwdLstmNames.InputBias(Target, layer)] = ReadShaped(file, name, tensor, gates);
            (name, tensor) = Find(layer, "module.bias_hh_l0", "bias_hh_l0");
            weights[AwdLstmNames.HiddenBias(Target, layer)] = ReadShaped(file, name, tensor, gates);
            inputs = outputs;
        }
    }

    /// <summary>Our decoder has the embedding for its weight; one that was trained apart cannot be carried over.</summary>
    private static void CheckTied(TorchFile file, Dictionary<string, TorchTensor> tensors, TorchTensor embedding, Tensor read)
    {
        if (tensors.TryGetValue(DecoderWeight, out TorchTensor? decoder) && !decoder.IsTiedTo(embedding)
            && (!decoder.Shape.SequenceEqual(embedding.Shape) || !file.Read(DecoderWeight, decoder).Data.AsSpan().SequenceEqual(read.Data)))
        {
            throw new InvalidDataException($"The decoder's weight {decoder} is not the embedding {embedding}: only language models whose decoder is tied to the embedding (tie_weights=True) are read.");
        }
    }

    private static Tensor ReadShaped(TorchFile file, string name, TorchTensor tensor, params int[] shape) => tensor.Shape.SequenceEqual(shape)
        ? file.Read(name, tensor)
        : throw new InvalidDataException($"'{name}' has the shape {tensor}, but [{string.Join(", ", shape)}] was expected.");

    private static Dictionary<string, TorchTensor> TensorsOf(object? root)
    {
        if (root is PickleDictionary { Named: var parts } && parts.GetValueOrDefault("model") is PickleDictionary model)
        {
            root = model;
        }

        if (root is not PickleDictionary { OtherKeys: 0 } state)
        {
            throw new InvalidDataException($"The file holds no dict of weights by name. {Expected}. (Of a learner: torch.save(learn.model.state_dict(), FILE), or learn.save.)");
        }

        var tensors = new Dictionary<string, TorchTensor>(StringComparer.Ordinal);
        foreach ((string name, object? value) in state.Named)
        {
            tensors[name] = value as TorchTensor ?? throw new InvalidDataException($"The file holds something else than a tensor under '{ForeignText.Shown(name)}'. {Expected}.");
        }

        return tensors;
    }

    private static void RefuseOtherArchitectures(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            string? found = Qrnn().IsMatch(name) ? "a QRNN"
                : Transformer().IsMatch(name) ? "a Transformer"
                : name.EndsWith("_l0_reverse", StringComparison.Ordinal) ? "a bidirectional LSTM"
                : null;
            if (found is not null)
            {
                throw new InvalidDataException($"The file holds {found} ('{ForeignText.Shown(name)}'), which is not supported. {Expected}.");
            }
        }
    }

    private static void RefuseUnknown(IEnumerable<string> names, string prefix)
    {
        bool IsKnown(string name) =>
            name is DecoderWeight or AwdLstmNames.DecoderBias
            || name.StartsWith(HeadPrefix, StringComparison.Ordinal)
            || (name.StartsWith(prefix, StringComparison.Ordinal)
                && (name[prefix.Length..] is EmbeddingName || OtherEmbeddingNames.Contains(name[prefix.Length..]) || LayerWeight().IsMatch(name[prefix.Length..])));
        string[] unknown = [.. names.Where(name => !IsKnown(name))];
        if (unknown.Length > 0)
        {
            throw new InvalidDataException($"The file holds {Listed(unknown)}, which no AWD-LSTM of fastai has. {Expected}.");
        }
    }

    private static string Listed(IReadOnlyCollection<string> names)
    {
        const int Most = 5;
        string shown = string.Join(", ", names.Order(StringComparer.Ordinal).Take(Most).Select(name => $"'{ForeignText.Shown(name)}'"));
        return names.Count == 0 ? "nothing" : names.Count > Most ? $"{shown} and {names.Count - Most} more" : shown;
    }

    [GeneratedRegex(@"^rnns\.(?<layer>[0-9]{1,3})\.(module\.)?(weight_ih_l0|weight_hh_l0|weight_hh_l0_raw|bias_ih_l0|bias_hh_l0)\z", RegexOptions.CultureInvariant)]
    private static partial Regex LayerWeight();

    [GeneratedRegex(@"(^|\.)(rnns\.[0-9]+\.(module\.)?(layers\.[0-9]+\.)?linear\.|qrnn)", RegexOptions.CultureInvariant)]
    private static partial Regex Qrnn();

    [GeneratedRegex(@"(^|\.)(mhra|pos_enc|attention|attn|transformer|layers\.[0-9]+\.(attn|mhra|ff))(\.|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex Transformer();
}
