using System.Text.Json.Serialization;

namespace Ulmfit.Training;

/// <summary>By which method a classifier is trained.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Method>))]
public enum Method
{
    /// <summary>Universal language-model fine-tuning.</summary>
    [JsonStringEnumMemberName("ulmfit")]
    Ulmfit,

    /// <summary>A plain LSTM on the labelled text alone, from random weights: see <see cref="PlainLstm"/>.</summary>
    [JsonStringEnumMemberName("lstm")]
    Lstm,

    /// <summary>A linear classifier on the pooled states of a language model's encoder, which is not trained on labels: see <see cref="FrozenFeatures"/>.</summary>
    [JsonStringEnumMemberName("features")]
    Features,
}
