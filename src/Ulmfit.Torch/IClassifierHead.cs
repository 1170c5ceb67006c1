using TorchSharp;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>What turns the encoder's outputs into logits; one implementation a <see cref="HeadKind"/>.</summary>
internal interface IClassifierHead : IDisposable
{
    /// <summary>All weights.</summary>
    IEnumerable<Parameter> Parameters { get; }

    /// <summary>How many tokens at the end of a document it pools at most.</summary>
    int PooledLength { get; }

    /// <summary>Pools the outputs of documents of different lengths: <c>[documents, pooled]</c>.</summary>
    /// <param name="outputs">Outputs <c>[time, documents, output]</c>; what lies outside a document may be anything finite.</param>
    /// <param name="start">The time of the first.</param>
    /// <param name="ranges">The pooled times of each document, from and to (exclusive), none before <paramref name="start"/>.</param>
    Tensor Pool(Tensor outputs, int start, IReadOnlyList<(int From, int To)> ranges);

    /// <summary>Logits <c>[documents, classes]</c> of pooled vectors with dropout; the running statistics move, if there are any.</summary>
    Tensor Train(Tensor pooled, RandomKey key);

    /// <summary>Logits <c>[documents, classes]</c> without dropout and with the running statistics.</summary>
    Tensor Predict(Tensor pooled);

    /// <summary>Adds weights and statistics to a state.</summary>
    void Save(StateDict state);
}
