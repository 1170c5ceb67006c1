namespace Ulmfit.Pipeline;

/// <summary>
/// How much is taken in. Each is a setting <c>Limits:NAME</c>; what is beyond one is refused with what to do, and nothing of it is kept.
/// </summary>
public sealed record Limits
{
    /// <summary>Bytes of a drop, as sent.</summary>
    public long DropBytes { get; init; } = 256L << 20;

    /// <summary>Bytes of a drop, unpacked.</summary>
    public long UnpackedBytes { get; init; } = 1L << 30;

    /// <summary>Labelled rows of a data set, those of all its drops together, and as many unlabelled ones.</summary>
    public int Rows { get; init; } = 2_000_000;

    /// <summary>Different labels of a data set.</summary>
    public int Labels { get; init; } = 1000;

    /// <summary>Characters (UTF-16 units) of a row of a drop.</summary>
    public int TextCharacters { get; init; } = 1 << 20;

    /// <summary>
    /// Data sets and pretrainings that are worked on or wait for it, at once: beyond it no request begins another run or pretraining. Drops
    /// are stored all the same, and their data sets wait in line.
    /// </summary>
    public int Runs { get; init; } = 100;

    /// <summary>Texts of a request to the classifier.</summary>
    public int ClassifyInputs { get; init; } = 1024;

    /// <summary>Characters (UTF-16 units) of a text to classify.</summary>
    public int ClassifyCharacters { get; init; } = 100_000;

    /// <summary>Bytes of the body of a request to the classifier.</summary>
    public long ClassifyBytes { get; init; } = 16L << 20;

    /// <summary>Requests to the classifier that are worked on or wait for it, at once, on one host.</summary>
    public int ClassifyRequests { get; init; } = 128;

    /// <summary>
    /// Texts that are computed or wait for it, of all requests to the classifier on one host. A request comes in whole while there is room
    /// for its first text.
    /// </summary>
    public int ClassifyQueuedTexts { get; init; } = 1024;

    /// <summary>Tokens of those texts. A request comes in whole while there is room for its first token.</summary>
    public int ClassifyQueuedTokens { get; init; } = 131_072;

    /// <summary>Texts of a request to the classifier that are to be explained.</summary>
    public int ExplainInputs { get; init; } = 8;

    /// <summary>
    /// Tokens that are computed to explain a text, about: a text of n tokens is explained word by word up to this many words divided by n,
    /// beyond that in parts of several words, and not at all where that were fewer than eight parts.
    /// </summary>
    public int ExplainTokens { get; init; } = 65_536;

    /// <summary>Streams of events that are open at once on one host.</summary>
    public int EventStreams { get; init; } = 100;

    /// <summary>Rows of one call of feedback.</summary>
    public int FeedbackRows { get; init; } = 1000;

    /// <summary>Rows of feedback on a data set that wait to become a drop.</summary>
    public int FeedbackWaiting { get; init; } = 100_000;

    /// <summary>Bytes of any other body: settings, a pretraining's order, a promotion, feedback.</summary>
    public long BodyBytes { get; init; } = 1L << 20;
}
