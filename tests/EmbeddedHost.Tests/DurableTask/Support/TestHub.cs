using System.Collections.Concurrent;
using EmbeddedHost.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.DurableTask;

/// <summary>
/// A task hub in a folder of its own, with the test's functions. All that the tests of the semantics use of it is
/// <see cref="Orchestrator{TIn, TOut}"/>, <see cref="Activity{TIn, TOut}(string, Func{TIn, Task{TOut}})"/>,
/// <see cref="StartAsync"/> and <see cref="Client"/>, so that they can run on another implementation of the Durable Task API.
/// </summary>
internal sealed class TestHub : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly DurableTaskHostOptions options;
    private readonly FunctionTable functions;
    private readonly MemoryLoggers loggers = new();
    private readonly bool ownsFolder;
    private DurableTaskHost? host;

    public TestHub(
        TimeProvider? time = null,
        int maxActivities = 16,
        string? folder = null,
        string? defaultVersion = null,
        VersionMatchStrategy versionMatch = VersionMatchStrategy.None,
        VersionFailureStrategy versionFailure = VersionFailureStrategy.Reject)
    {
        Time = time ?? TimeProvider.System;
        ownsFolder = folder is null;
        Folder = folder ?? Path.Combine(Path.GetTempPath(), "durable-" + Guid.NewGuid().ToString("N"));
        options = new DurableTaskHostOptions
        {
            Folder = Folder,
            HubName = "hub",
            MaxConcurrentActivityFunctions = maxActivities,
            DefaultVersion = defaultVersion,
            VersionMatch = versionMatch,
            VersionFailure = versionFailure,
        };
        functions = new FunctionTable(options.DataConverter);
    }

    public TimeProvider Time { get; }

    public string Folder { get; }

    public DurableTaskClient Client => Host.Client;

    public DurableTaskHost Host => host ?? throw new InvalidOperationException("Not started.");

    /// <summary>The messages that were logged.</summary>
    public IEnumerable<string> Logged => loggers.Messages;

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public string FileOf(string instanceId) => Path.Combine(Folder, "hub", "instances", instanceId + ".log");

    public void Orchestrator<TIn, TOut>(string name, Func<TaskOrchestrationContext, TIn, Task<TOut>> function) =>
        functions.Orchestrator(name, function);

    public void Orchestrator<TOut>(string name, Func<TaskOrchestrationContext, Task<TOut>> function) =>
        functions.Orchestrator<object?, TOut>(name, (context, _) => function(context));

    public void Activity<TIn, TOut>(string name, Func<TIn, Task<TOut>> function) =>
        functions.Activity<TIn, TOut>(name, (input, _) => function(input));

    public void Activity<TIn, TOut>(string name, Func<TIn, TOut> function) =>
        functions.Activity<TIn, TOut>(name, (input, _) => Task.FromResult(function(input)));

    public void Activity<TIn, TOut>(string name, Func<TIn, CancellationToken, Task<TOut>> function) =>
        functions.Activity(name, function);

    public async Task<DurableTaskClient> StartAsync()
    {
        host = new DurableTaskHost(options, functions, loggers, Time);
        await host.StartAsync(Cancellation);
        return host.Client;
    }

    /// <summary>Opens the hub again after its host has died or, if asked for, has stopped in order.</summary>
    public async Task<DurableTaskClient> RestartAsync(bool orderly = false)
    {
        await DownAsync(orderly);
        return await StartAsync();
    }

    public async Task DownAsync(bool orderly = false)
    {
        if (orderly)
        {
            await Host.StopAsync(Cancellation);
        }
        else
        {
            await Host.AbandonAsync();
        }
    }

    /// <summary>Replays recorded histories over the functions of this hub.</summary>
    public HistoryReplay Replay() => new(functions, options);

    /// <summary>Runs an orchestration to its end.</summary>
    public async Task<OrchestrationMetadata> RunAsync(string name, object? input = null)
    {
        string id = await Client.ScheduleNewOrchestrationInstanceAsync(name, input, Cancellation);
        return await CompletedAsync(id);
    }

    public Task<OrchestrationMetadata> CompletedAsync(string instanceId) =>
        Client.WaitForInstanceCompletionAsync(instanceId, getInputsAndOutputs: true, Cancellation).WaitAsync(s_patience);

    public Task StatusAsync(string instanceId, OrchestrationRuntimeStatus status) => Eventually.TrueAsync(async () =>
        (await Client.GetInstanceAsync(instanceId, Cancellation))?.RuntimeStatus == status);

    public async Task<T?> CustomStatusAsync<T>(string instanceId) =>
        (await Client.GetInstanceAsync(instanceId, getInputsAndOutputs: true, Cancellation))!.ReadCustomStatusAs<T>();

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
        }

        if (ownsFolder && Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private sealed class MemoryLoggers : ILoggerFactory, ILogger
    {
        private readonly ConcurrentQueue<string> messages = [];

        public IEnumerable<string> Messages => messages;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            messages.Enqueue(exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception}");
    }
}
