using Ulmfit.Onnx;

namespace ServingBenchmark;

/// <summary>The network that answers.</summary>
internal enum NetworkSize
{
    /// <summary>A few thousand weights beside a large vocabulary: for trying the benchmark out.</summary>
    Tiny,

    /// <summary>The English model of the repository with a new head.</summary>
    EnSmall,

    /// <summary>The paper's network with random weights: 30,000 tokens, an embedding of 400, layers of 1,152, 1,152 and 400.</summary>
    Base,
}

/// <summary>A model that is measured.</summary>
/// <param name="Size">Its network.</param>
/// <param name="Backward">Whether it reads backward as well as forward.</param>
/// <param name="Precision">The numbers of its weights.</param>
internal sealed record BenchmarkModel(NetworkSize Size, bool Backward, OnnxPrecision Precision)
{
    /// <summary>Its name in the registry.</summary>
    public string Name => $"{NameOf(Size)}-{Directions}-{NameOf(Precision)}";

    /// <summary><c>both</c> or <c>forward</c>.</summary>
    public string Directions => Backward ? "both" : "forward";

    /// <summary>The name of a size.</summary>
    public static string NameOf(NetworkSize size) => size switch
    {
        NetworkSize.Tiny => "tiny",
        NetworkSize.EnSmall => "en-small",
        _ => "base",
    };

    /// <summary>The name of a precision.</summary>
    public static string NameOf(OnnxPrecision precision) => precision == OnnxPrecision.Int8 ? "int8" : "float32";

    /// <inheritdoc/>
    public override string ToString() => $"{NameOf(Size)}, {(Backward ? "both directions" : "forward")}, {NameOf(Precision)}";
}
