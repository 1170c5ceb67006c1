namespace Microsoft.DurableTask;

/// <summary>Says after a failure whether to try again. Runs as orchestrator code, so it must be deterministic.</summary>
/// <param name="retryContext">What failed, and how often.</param>
/// <returns>True to try again at once, false to let the failure through.</returns>
public delegate bool RetryHandler(RetryContext retryContext);

/// <summary>
/// Says after a failure whether to try again, and may wait on durable timers before it answers. Runs as orchestrator code,
/// so it must be deterministic.
/// </summary>
/// <param name="retryContext">What failed, and how often.</param>
/// <returns>True to try again, false to let the failure through.</returns>
public delegate Task<bool> AsyncRetryHandler(RetryContext retryContext);
