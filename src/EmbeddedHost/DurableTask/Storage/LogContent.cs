namespace EmbeddedHost.Durable;

/// <summary>What a <see cref="LogFile"/> holds.</summary>
/// <param name="Payloads">The payloads of its valid frames.</param>
/// <param name="ValidLength">The bytes that these frames take.</param>
/// <param name="TornLength">The bytes behind them, left by an interrupted write.</param>
internal sealed record LogContent(IReadOnlyList<ReadOnlyMemory<byte>> Payloads, long ValidLength, long TornLength);
