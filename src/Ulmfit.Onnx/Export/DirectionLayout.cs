using Ulmfit.Model;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Export;

/// <summary>What the constants of a direction are: enough to put nodes over them without their values.</summary>
/// <param name="Direction"><see cref="DirectionGraph.Forward"/> or <see cref="DirectionGraph.Backward"/>; prefix of all names.</param>
/// <param name="Config">The architecture.</param>
/// <param name="IsInt8">Whether embedding and LSTM layers are int8; see <see cref="Int8Encoder"/>.</param>
/// <param name="HasProjection">Whether a head of <see cref="HeadKind.Features"/> has a projection.</param>
internal sealed record DirectionLayout(string Direction, ClassifierConfig Config, bool IsInt8, bool HasProjection)
{
    /// <summary>Whether the document is read from its last token back.</summary>
    public bool IsBackward => Direction == DirectionGraph.Backward;

    /// <summary>Width of the states of a layer in the graph, with the units that hold the range where it is int8.</summary>
    public int WidthOf(int layer) => Config.Encoder.OutputSizeOf(layer) + (IsInt8 ? Int8Encoder.RangeUnits : 0);

    /// <summary>The layout of what <see cref="DirectionGraph"/> wrote.</summary>
    /// <exception cref="InvalidDataException">A constant is missing or malformed.</exception>
    public static DirectionLayout Read(GraphConstants constants, string direction)
    {
        OnnxConstant embedding = constants.Describe($"{direction}/embedding/weight", 2);
        bool isInt8 = embedding.Type == TensorProto.Types.DataType.Int8;
        int extra = isInt8 ? Int8Encoder.RangeUnits : 0;
        int layers = 0, hidden = 0, lastOutput = 0;
        for (; constants.TryDescribe($"{direction}/lstm{layers}/W", 3, out OnnxConstant? input); layers++)
        {
            OnnxConstant recurrent = constants.Describe($"{direction}/lstm{layers}/R", 3), bias = constants.Describe($"{direction}/lstm{layers}/B", 2);

            // float32: [1, 4H, in], as the operator LSTM has them; int8: [1, in, 4H], as DynamicQuantizeLSTM does.
            (int gates, int inner) = isInt8 ? (2, 1) : (1, 2);
            if (recurrent.Shape[gates] != 4 * recurrent.Shape[inner]
                || input.Shape[gates] != recurrent.Shape[gates] || bias.Shape[1] != 2 * recurrent.Shape[gates] || recurrent.Shape[inner] <= extra)
            {
                throw new InvalidDataException(
                    $"The LSTM layer {layers} of the {direction} direction has weights of the shapes [{string.Join(", ", input.Shape)}], [{string.Join(", ", recurrent.Shape)}] and [{string.Join(", ", bias.Shape)}], which do not fit together.");
            }

            int expected = layers == 0 ? embedding.Shape[1] : lastOutput + extra;
            if (input.Shape[inner] != expected)
            {
                throw new InvalidDataException($"The LSTM layer {layers} of the {direction} direction takes {input.Shape[inner]} values, but what comes before it gives {expected}.");
            }

            lastOutput = recurrent.Shape[inner] - extra;
            hidden = layers == 0 ? lastOutput : hidden;
        }

        if (layers == 0 || embedding.Shape[1] <= extra)
        {
            throw new InvalidDataException($"The {direction} direction has {layers} LSTM layers and an embedding of the shape [{string.Join(", ", embedding.Shape)}]; that is no classifier of this kind.");
        }

        int embeddingSize = embedding.Shape[1] - extra;
        var encoder = new AwdLstmConfig(embedding.Shape[0], embeddingSize, hidden, layers) { ProjectsToEmbedding = lastOutput == embeddingSize };
        if (constants.TryDescribe($"{direction}/linear/weight", 2, out OnnxConstant? linear))
        {
            return new DirectionLayout(direction, ClassifierConfig.LastState(encoder, Math.Max(2, linear.Shape[0])), isInt8, false);
        }

        int maxLength = (int)Math.Clamp(constants.ReadInteger($"{direction}/pool/max_length"), 1, int.MaxValue);
        if (constants.TryDescribe($"{direction}/features/linear/weight", 2, out OnnxConstant? fitted))
        {
            bool hasProjection = constants.TryDescribe($"{direction}/features/projection/weight", 2, out _);
            return new DirectionLayout(direction, ClassifierConfig.Features(encoder, fitted.Shape[0]) with { MaxLength = maxLength }, isInt8, hasProjection);
        }

        OnnxConstant output = constants.Describe($"{direction}/head1/linear/weight", 2);
        return new DirectionLayout(direction, new ClassifierConfig(encoder, output.Shape[1], output.Shape[0]) { MaxLength = maxLength }, isInt8, false);
    }
}
