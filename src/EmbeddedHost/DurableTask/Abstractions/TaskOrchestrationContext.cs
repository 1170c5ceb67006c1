using Microsoft.Extensions.Logging;

namespace Microsoft.DurableTask;

/// <summary>
/// What an orchestrator function works with. An orchestrator runs again from its start over its history whenever something new
/// happens, so it must do the same things in the same order every time: no clock, no randomness, no I/O and no awaiting of
/// anything but the tasks that come from here. Except for the plain properties, every member throws
/// <see cref="InvalidOperationException"/> when called from any other thread than the orchestrator's.
/// </summary>
public abstract class TaskOrchestrationContext
{
    private ILoggerFactory? replaySafeLoggerFactory;

    /// <summary>The name of the orchestrator.</summary>
    public abstract TaskName Name { get; }

    /// <summary>The id of the instance.</summary>
    public abstract string InstanceId { get; }

    /// <summary>The orchestration that called this one, or null.</summary>
    public abstract ParentOrchestrationInstance? Parent { get; }

    /// <summary>The time (UTC) at which the batch of events being processed, or replayed, was taken up.</summary>
    public abstract DateTime CurrentUtcDateTime { get; }

    /// <summary>Whether the orchestrator is passing over history that an earlier run made.</summary>
    public abstract bool IsReplaying { get; }

    /// <summary>The version that the instance was created with, empty where there is none.</summary>
    public virtual string Version => string.Empty;

    /// <summary>Settings of the context.</summary>
    public virtual IReadOnlyDictionary<string, object?> Properties { get; } = new Dictionary<string, object?>();

    /// <summary>A logger factory whose loggers are silent during replay.</summary>
    public virtual ILoggerFactory ReplaySafeLoggerFactory => replaySafeLoggerFactory ??= new ReplaySafeFactory(this);

    /// <summary>The logger factory that replay-safe loggers write to.</summary>
    protected abstract ILoggerFactory LoggerFactory { get; }

    /// <summary>The input of the orchestration.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <returns>The input, or the default value where there is none.</returns>
    public abstract T? GetInput<T>();

    /// <summary>Calls an activity.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="input">Its input.</param>
    /// <param name="options">How to call it.</param>
    /// <returns>A task that ends when the activity has ended.</returns>
    /// <exception cref="TaskFailedException">The activity failed, its retries included.</exception>
    public virtual Task CallActivityAsync(TaskName name, object? input = null, TaskOptions? options = null) =>
        CallActivityAsync<object>(name, input, options);

    /// <summary>Calls an activity without input.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">How to call it.</param>
    /// <returns>A task that ends when the activity has ended.</returns>
    /// <exception cref="TaskFailedException">The activity failed, its retries included.</exception>
    public virtual Task CallActivityAsync(TaskName name, TaskOptions options) => CallActivityAsync(name, null, options);

    /// <summary>Calls an activity without input.</summary>
    /// <typeparam name="TResult">The type of its result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <param name="options">How to call it.</param>
    /// <returns>The result.</returns>
    /// <exception cref="TaskFailedException">The activity failed, its retries included.</exception>
    public virtual Task<TResult> CallActivityAsync<TResult>(TaskName name, TaskOptions options) =>
        CallActivityAsync<TResult>(name, null, options);

    /// <summary>Calls an activity. An activity runs at least once, and again after a crash before its result was recorded.</summary>
    /// <typeparam name="TResult">The type of its result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <param name="input">Its input.</param>
    /// <param name="options">How to call it.</param>
    /// <returns>The result.</returns>
    /// <exception cref="TaskFailedException">The activity failed, its retries included.</exception>
    public abstract Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null);

    /// <summary>
    /// Waits durably. The orchestration does not complete before its timers have expired or been cancelled.
    /// </summary>
    /// <param name="delay">How long, from <see cref="CurrentUtcDateTime"/>.</param>
    /// <param name="cancellationToken">Cancels the timer.</param>
    /// <returns>A task that ends when the timer expires.</returns>
    public virtual Task CreateTimer(TimeSpan delay, CancellationToken cancellationToken) =>
        CreateTimer(CurrentUtcDateTime.Add(delay), cancellationToken);

    /// <summary>
    /// Waits durably. The orchestration does not complete before its timers have expired or been cancelled.
    /// </summary>
    /// <param name="fireAt">Until when.</param>
    /// <param name="cancellationToken">Cancels the timer.</param>
    /// <returns>A task that ends when the timer expires.</returns>
    public abstract Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken);

    /// <summary>
    /// Waits for an event. Names are case-insensitive; of several waiters the newest gets the event; events that nobody
    /// waits for yet are kept.
    /// </summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="eventName">The event's name.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The payload.</returns>
    /// <exception cref="ArgumentException">Another waiter for that name expects another type.</exception>
    public abstract Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default);

    /// <summary>Waits for an event for a limited time.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="eventName">The event's name.</param>
    /// <param name="timeout">How long.</param>
    /// <returns>The payload.</returns>
    /// <exception cref="TaskCanceledException">The time ran out.</exception>
    public Task<T> WaitForExternalEvent<T>(string eventName, TimeSpan timeout) =>
        WaitForExternalEvent<T>(eventName, timeout, CancellationToken.None);

    /// <summary>Waits for an event for a limited time.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="eventName">The event's name.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The payload.</returns>
    /// <exception cref="TaskCanceledException">The time ran out, or waiting was given up.</exception>
    public async Task<T> WaitForExternalEvent<T>(string eventName, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource();
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task expired = CreateTimer(timeout, timer.Token);
        Task<T> received = WaitForExternalEvent<T>(eventName, wait.Token);

        // The loser is cancelled: an open timer would keep the orchestration from completing.
#pragma warning disable CA1849 // CancelAsync would take the continuations off the orchestrator's thread.
        if (await Task.WhenAny(expired, received) == received)
        {
            timer.Cancel();
        }
        else
        {
            wait.Cancel();
        }
#pragma warning restore CA1849

        return await received;
    }

    /// <summary>Raises an event of another orchestration; nothing happens if that instance does not exist.</summary>
    /// <param name="instanceId">The instance.</param>
    /// <param name="eventName">The event's name.</param>
    /// <param name="payload">The event's payload.</param>
    public abstract void SendEvent(string instanceId, string eventName, object payload);

    /// <summary>Sets what queries show as the custom status.</summary>
    /// <param name="customStatus">The status; null clears it.</param>
    public abstract void SetCustomStatus(object? customStatus);

    /// <summary>Calls a sub-orchestration.</summary>
    /// <typeparam name="TResult">The type of its result.</typeparam>
    /// <param name="orchestratorName">Its name.</param>
    /// <param name="input">Its input.</param>
    /// <param name="options">How to call it; <see cref="SubOrchestrationOptions"/> to give its instance id.</param>
    /// <returns>The result.</returns>
    /// <exception cref="TaskFailedException">The sub-orchestration failed, its retries included, or was terminated.</exception>
    public abstract Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null);

    /// <summary>Calls a sub-orchestration without input.</summary>
    /// <typeparam name="TResult">The type of its result.</typeparam>
    /// <param name="orchestratorName">Its name.</param>
    /// <param name="options">How to call it.</param>
    /// <returns>The result.</returns>
    /// <exception cref="TaskFailedException">The sub-orchestration failed, its retries included, or was terminated.</exception>
    public virtual Task<TResult> CallSubOrchestratorAsync<TResult>(TaskName orchestratorName, TaskOptions options) =>
        CallSubOrchestratorAsync<TResult>(orchestratorName, null, options);

    /// <summary>Calls a sub-orchestration without input.</summary>
    /// <param name="orchestratorName">Its name.</param>
    /// <param name="options">How to call it.</param>
    /// <returns>A task that ends when the sub-orchestration has ended.</returns>
    /// <exception cref="TaskFailedException">The sub-orchestration failed, its retries included, or was terminated.</exception>
    public virtual Task CallSubOrchestratorAsync(TaskName orchestratorName, TaskOptions options) =>
        CallSubOrchestratorAsync(orchestratorName, null, options);

    /// <summary>Calls a sub-orchestration.</summary>
    /// <param name="orchestratorName">Its name.</param>
    /// <param name="input">Its input.</param>
    /// <param name="options">How to call it.</param>
    /// <returns>A task that ends when the sub-orchestration has ended.</returns>
    /// <exception cref="TaskFailedException">The sub-orchestration failed, its retries included, or was terminated.</exception>
    public virtual Task CallSubOrchestratorAsync(TaskName orchestratorName, object? input = null, TaskOptions? options = null) =>
        CallSubOrchestratorAsync<object>(orchestratorName, input, options);

    /// <summary>Starts the instance over with an empty history once the orchestrator function has returned.</summary>
    /// <param name="newInput">The input of the next execution.</param>
    /// <param name="preserveUnprocessedEvents">Whether events that nobody has taken yet go on to the next execution.</param>
    public abstract void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true);

    /// <summary>Starts the instance over with an empty history once the orchestrator function has returned.</summary>
    /// <param name="options">How.</param>
    public virtual void ContinueAsNew(ContinueAsNewOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ContinueAsNew(options.NewInput, options.PreserveUnprocessedEvents);
    }

    /// <summary>A GUID that is the same in every replay: version 5, of the instance id, the time and a counter.</summary>
    /// <returns>The GUID.</returns>
    public abstract Guid NewGuid();

    /// <summary>A logger that is silent during replay.</summary>
    /// <param name="categoryName">Its category.</param>
    /// <returns>The logger.</returns>
    public virtual ILogger CreateReplaySafeLogger(string categoryName) =>
        new ReplaySafeLogger(this, UnderlyingLoggerFactory().CreateLogger(categoryName));

    /// <summary>A logger that is silent during replay.</summary>
    /// <param name="type">The type that its category is named after.</param>
    /// <returns>The logger.</returns>
    public virtual ILogger CreateReplaySafeLogger(Type type) =>
        new ReplaySafeLogger(this, UnderlyingLoggerFactory().CreateLogger(type));

    /// <summary>A logger that is silent during replay.</summary>
    /// <typeparam name="T">The type that its category is named after.</typeparam>
    /// <returns>The logger.</returns>
    public virtual ILogger CreateReplaySafeLogger<T>() => new ReplaySafeLogger(this, UnderlyingLoggerFactory().CreateLogger<T>());

    /// <summary>Compares <see cref="Version"/> with another version; none is older than any.</summary>
    /// <param name="version">The other version.</param>
    /// <returns>Negative, zero or positive as this version is older, equal or newer.</returns>
    public virtual int CompareVersionTo(string version) => EmbeddedHost.Durable.OrchestrationVersion.Compare(Version, version);

    // A context that wraps another may hand out that one's replay-safe factory as its own: checking for replay once is enough.
    private ILoggerFactory UnderlyingLoggerFactory()
    {
        ILoggerFactory factory = LoggerFactory;
        while (factory is ReplaySafeFactory wrapped)
        {
            ILoggerFactory inner = wrapped.Context.LoggerFactory;
            if (ReferenceEquals(inner, factory))
            {
                throw new InvalidOperationException("A context's logger factory must not be its own replay-safe logger factory.");
            }

            factory = inner;
        }

        return factory;
    }

    private sealed class ReplaySafeFactory(TaskOrchestrationContext context) : ILoggerFactory
    {
        public TaskOrchestrationContext Context => context;

        public ILogger CreateLogger(string categoryName) => context.CreateReplaySafeLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) =>
            throw new NotSupportedException("The replay-safe logger factory takes no providers; add them to the host's.");

        public void Dispose()
        {
        }
    }

    private sealed class ReplaySafeLogger(TaskOrchestrationContext context, ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!context.IsReplaying)
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
