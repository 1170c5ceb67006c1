using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Ulmfit.Metrics;
using Ulmfit.Model;
using Ulmfit.Onnx.Export;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx;

/// <summary>
/// Writes a trained classifier as one self-contained ONNX file: float32, opset 15, which every ONNX Runtime from 1.10
/// on reads, or int8, with ONNX Runtime's own operator <c>DynamicQuantizeLSTM</c> beside opset 15.
/// </summary>
/// <remarks>
/// Inputs: <c>tokens</c>, int64 <c>[time, batch]</c>, documents padded at their end with any token, and <c>lengths</c>,
/// int64 <c>[batch]</c>, each in [1, time]. Output: <c>probabilities</c>, float <c>[batch, classes]</c>, the mean of
/// both directions' where there are two (Howard &amp; Ruder 2018, 3.3), before the temperature of the metadata. The backward direction reverses the tokens
/// itself. Equal arguments give equal bytes.
/// <para>
/// Of int8 are the embedding and the weights of the LSTM layers; biases and head stay float32. Activations are quantised by
/// constant scales, so that a document's probabilities do not depend on its batch here either.
/// </para>
/// </remarks>
public static class OnnxClassifierWriter
{
    internal const string TokensInput = "tokens";
    internal const string LengthsInput = "lengths";
    internal const string ProbabilitiesOutput = "probabilities";

    // Opset 15 belongs to ONNX 1.10, as does the schema that the types are generated from.
    private const int OperatorSet = 15;
    private const string RuntimeDomain = "com.microsoft";

    // Protobuf messages, and so ONNX files without external data, end at 2 GiB; the margin holds the graph and the metadata.
    private const long MaxWeightBytes = int.MaxValue - (16L << 20);

    /// <summary>Writes the classifier of one or both directions in float32.</summary>
    /// <param name="destination">Where the file goes; left open.</param>
    /// <param name="forward">The classifier that reads from the first token on, if there is one.</param>
    /// <param name="backward">The classifier that reads from the last token back, if there is one.</param>
    /// <param name="metadata">Labels and what else the file says of itself.</param>
    /// <exception cref="ArgumentException">There is no direction, the directions or the labels do not fit together, or a property has a reserved key.</exception>
    /// <exception cref="InvalidDataException">A weight is missing, has another shape or is not finite, or the file would exceed protobuf's 2 GiB.</exception>
    public static void Write(Stream destination, DirectionWeights? forward, DirectionWeights? backward, OnnxModelMetadata metadata) =>
        Write(destination, forward, backward, metadata, isInt8: false);

    /// <summary>Writes the classifier of one or both directions with embedding and LSTM layers in int8: about a quarter of the size.</summary>
    /// <param name="destination">Where the file goes; left open.</param>
    /// <param name="forward">The classifier that reads from the first token on, if there is one.</param>
    /// <param name="backward">The classifier that reads from the last token back, if there is one.</param>
    /// <param name="metadata">Labels and what else the file says of itself.</param>
    /// <exception cref="ArgumentException">As <see cref="Write(Stream, DirectionWeights?, DirectionWeights?, OnnxModelMetadata)"/>.</exception>
    /// <exception cref="InvalidDataException">As <see cref="Write(Stream, DirectionWeights?, DirectionWeights?, OnnxModelMetadata)"/>.</exception>
    public static void WriteInt8(Stream destination, DirectionWeights? forward, DirectionWeights? backward, OnnxModelMetadata metadata) =>
        Write(destination, forward, backward, metadata, isInt8: true);

    /// <summary>A model without graph, of the operators that are used here.</summary>
    internal static ModelProto NewModel(string producer, bool usesRuntimeDomain = true)
    {
        var model = new ModelProto
        {
            IrVersion = (long)Schema.Version.IrVersion,
            ProducerName = producer,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = OperatorSet } },
        };
        if (usesRuntimeDomain)
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = RuntimeDomain, Version = 1 });
        }

        return model;
    }

    private static void Write(Stream destination, DirectionWeights? forward, DirectionWeights? backward, OnnxModelMetadata metadata, bool isInt8)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(metadata);
        (string Name, DirectionWeights Weights)[] directions =
        [
            .. forward is null ? [] : new[] { (DirectionGraph.Forward, forward) },
            .. backward is null ? [] : new[] { (DirectionGraph.Backward, backward) },
        ];
        Check(directions, metadata);
        BuildModel(directions, metadata, isInt8).WriteTo(destination);
    }

    private static void Check((string Name, DirectionWeights Weights)[] directions, OnnxModelMetadata metadata)
    {
        if (directions.Length == 0)
        {
            throw new ArgumentException("A classifier needs the weights of at least one direction.", nameof(directions));
        }

        long bytes = 0;
        ClassifierConfig first = directions[0].Weights.Config;
        foreach ((string name, DirectionWeights weights) in directions)
        {
            ClassifierConfig config = weights.Config.Validated();
            if (config.Classes != metadata.Labels.Count)
            {
                throw new ArgumentException($"The {name} direction has {config.Classes} classes, but {metadata.Labels.Count} labels were given.", nameof(metadata));
            }

            if (config.Encoder.VocabularySize != first.Encoder.VocabularySize)
            {
                throw new ArgumentException($"The directions have {first.Encoder.VocabularySize} and {config.Encoder.VocabularySize} tokens in their vocabularies, but must share one.", nameof(directions));
            }

            bytes += DirectionGraph.WeightBytes(config);
        }

        if (bytes > MaxWeightBytes)
        {
            throw new InvalidDataException($"The weights take {bytes / 1e9:F2} GB, but an ONNX file ends at 2.15 GB (protobuf's limit). A smaller vocabulary, a smaller network or one direction instead of two makes it fit.");
        }

        if (metadata.Labels.Distinct(StringComparer.Ordinal).Count() != metadata.Labels.Count)
        {
            throw new ArgumentException($"The labels are not distinct: '{metadata.Labels.GroupBy(label => label, StringComparer.Ordinal).First(group => group.Count() > 1).Key}' occurs more than once.", nameof(metadata));
        }

        if (!TemperatureScaling.IsValid(metadata.Temperature))
        {
            throw new ArgumentException($"The temperature is {metadata.Temperature}, but lies in [{TemperatureScaling.Lowest}, {TemperatureScaling.Highest}].", nameof(metadata));
        }

        if (metadata.Properties.Keys.FirstOrDefault(OnnxMetadataKeys.IsReserved) is string reserved)
        {
            throw new ArgumentException($"The property '{reserved}' is written by the writer itself.", nameof(metadata));
        }
    }

    private static ModelProto BuildModel((string Name, DirectionWeights Weights)[] directions, OnnxModelMetadata metadata, bool isInt8)
    {
        var graph = new GraphBuilder("ulmfit_classifier");
        graph.Input(TokensInput, TensorProto.Types.DataType.Int64, "time", "batch");
        graph.Input(LengthsInput, TensorProto.Types.DataType.Int64, "batch");
        HeadGraph.AddMean(
            graph, ProbabilitiesOutput, [.. directions.Select(direction => DirectionGraph.Add(graph, direction.Name, direction.Weights, isInt8, TokensInput, LengthsInput))]);
        graph.Output(ProbabilitiesOutput, TensorProto.Types.DataType.Float, "batch", metadata.Labels.Count);
        if (graph.Borrowed.Count > 0)
        {
            throw new InvalidOperationException($"The graph reads '{graph.Borrowed.First()}', which was not added.");
        }

        ModelProto model = NewModel(metadata.Producer, isInt8);
        model.Graph = graph.Graph;
        var properties = new SortedDictionary<string, string>(metadata.Properties.ToDictionary(), StringComparer.Ordinal)
        {
            [OnnxMetadataKeys.Labels] = JsonSerializer.Serialize(metadata.Labels),
            [OnnxMetadataKeys.Directions] = string.Join(',', directions.Select(direction => direction.Name)),
            [OnnxMetadataKeys.VocabularySize] = directions[0].Weights.Config.Encoder.VocabularySize.ToString(CultureInfo.InvariantCulture),
        };
        if (metadata.Temperature != TemperatureScaling.None)
        {
            properties[OnnxMetadataKeys.Temperature] = metadata.Temperature.ToString(CultureInfo.InvariantCulture);
        }

        model.MetadataProps.Add(properties.Select(property => new StringStringEntryProto { Key = property.Key, Value = property.Value }));
        return model;
    }
}
