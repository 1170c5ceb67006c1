namespace Ulmfit.Model;

/// <summary>
/// Where in a training run a random number is drawn. Every number is a pure function of this key, of what it is for
/// (<see cref="RandomPurpose"/>, layer) and of an index, so there is no generator state to save and no order of
/// threads that matters.
/// </summary>
/// <param name="Seed">The run's seed; both directions of a run derive their own.</param>
/// <param name="Stage">Index of the stage in the stage plan.</param>
/// <param name="Epoch">Epoch within the stage, from 0.</param>
/// <param name="Step">Step within the epoch, from 0.</param>
public readonly record struct RandomKey(ulong Seed, int Stage, int Epoch, int Step);

/// <summary>What a random number decides. The values are part of the bit-identity contract: never renumber them.</summary>
public enum RandomPurpose
{
    /// <summary>Initial weights.</summary>
    Initialisation = 0,

    /// <summary>Order of documents.</summary>
    Shuffle = 1,

    /// <summary>Length of a BPTT window.</summary>
    BpttLength = 2,

    /// <summary>Which lanes of a language-model batch start from a zero state.</summary>
    LaneReset = 3,

    /// <summary>Dropout of embedding rows.</summary>
    EmbeddingDropout = 4,

    /// <summary>Dropout of the embedded input.</summary>
    InputDropout = 5,

    /// <summary>Dropout between layers; the layer tells which.</summary>
    HiddenDropout = 6,

    /// <summary>Dropout of the last layer's output.</summary>
    OutputDropout = 7,

    /// <summary>DropConnect on hidden-to-hidden weights; the layer tells which.</summary>
    WeightDrop = 8,

    /// <summary>Dropout in the head; the layer is the block.</summary>
    HeadDropout = 9,

    /// <summary>Which token a language model writes next.</summary>
    Generation = 10,

    /// <summary>Where clusters of texts begin.</summary>
    Clustering = 11,
}
