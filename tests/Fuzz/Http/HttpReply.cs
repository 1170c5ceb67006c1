namespace Fuzz.Http;

/// <summary>An answer.</summary>
/// <param name="Status">Its status code.</param>
/// <param name="Head">Its status line and headers.</param>
/// <param name="Body">Its body, Latin-1.</param>
internal sealed record HttpReply(int Status, string Head, string Body);
