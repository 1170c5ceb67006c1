namespace Ulmfit.Onnx;

/// <summary>How fast a classifier computes on one thread. A measurement: it differs from machine to machine and from time to time.</summary>
/// <param name="Tokens">Length of the documents that were measured.</param>
/// <param name="MicrosecondsPerToken">Microseconds for each token of a document that is computed by itself, in all directions together.</param>
/// <param name="MicrosecondsPerTokenInBatches">The same where as many documents wait as go together, which is what bounds the requests a second.</param>
public sealed record ClassifierSpeed(int Tokens, double MicrosecondsPerToken, double MicrosecondsPerTokenInBatches);
