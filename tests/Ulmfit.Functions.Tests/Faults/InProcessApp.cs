using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;
using EmbeddedHost.Durable;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ulmfit.Engine;
using Ulmfit.Functions.Orchestration;
using Ulmfit.Functions.Triggers;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Tests.Faults;

/// <summary>
/// The app over a store, without its HTTP: its own services, orchestrations, activities and triggers, on the embedded durable engine,
/// whose clock jumps to every timer.
/// </summary>
internal sealed class InProcessApp : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly DurableTaskHost host;
    private readonly Log log = new();

    public InProcessApp(IBlobStore store, ITrainingEngine engine, TimeProvider time, string durableFolder)
    {
        var collection = new ServiceCollection();
        collection.AddSingleton<ILoggerFactory>(log);
        collection.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        collection.AddSingleton(store);
        collection.AddSingleton(engine);
        collection.AddSingleton(time);
        collection.AddApp(AppSettings.Read(new ConfigurationBuilder().Build()));
        services = collection.BuildServiceProvider();
        var options = new DurableTaskHostOptions { Folder = durableFolder, HubName = "hub" };
        host = new DurableTaskHost(options, new AppFunctions(services, options.DataConverter), log, new JumpingClock());
    }

    public DurableTaskClient Client => host.Client;

    /// <summary>Warnings and errors.</summary>
    public IReadOnlyCollection<string> Logged => log.Lines;

    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    public Task StartAsync(CancellationToken ct) => host.StartAsync(ct);

    /// <summary>What the blob trigger calls.</summary>
    public Task DropArrivedAsync(string dataset, string name, CancellationToken ct) =>
        ActivatorUtilities.CreateInstance<WakeTriggers>(services).DropArrived(Stream.Null, dataset, name, Client, new Invocation(services, ct));

    /// <summary>What the timer calls every minute.</summary>
    public Task ReconcileAsync(CancellationToken ct) =>
        ActivatorUtilities.CreateInstance<WakeTriggers>(services).Reconcile(new TimerInfo(), Client, new Invocation(services, ct));

    /// <summary>Waits until the orchestration of a data set has ended, if there is one.</summary>
    public async Task RestAsync(string dataset, CancellationToken ct)
    {
        string id = RetrainStarter.InstanceId(dataset);
        if (await Client.GetInstanceAsync(id, ct) is not null)
        {
            await Client.WaitForInstanceCompletionAsync(id, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await services.DisposeAsync();
    }

    /// <summary>Runs the app's orchestrations and activities, found by their attributes.</summary>
    private sealed class AppFunctions(IServiceProvider services, DataConverter converter) : IDurableFunctionInvoker
    {
        private static readonly Dictionary<string, MethodInfo> Orchestrators = Find<OrchestrationTriggerAttribute>();
        private static readonly Dictionary<string, MethodInfo> Activities = Find<ActivityTriggerAttribute>();

        private readonly ConcurrentDictionary<Type, object> instances = new();

        public IReadOnlyCollection<string> OrchestratorNames => Orchestrators.Keys;

        public IReadOnlyCollection<string> ActivityNames => Activities.Keys;

        public async Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context, string? inputJson)
        {
            var task = (Task)Call(Orchestrators[name], null, [context]);
            await task;
            return converter.Serialize(ResultOf(task));
        }

        public async Task<string?> InvokeActivityAsync(string name, string? inputJson, string instanceId, CancellationToken cancellationToken)
        {
            MethodInfo activity = Activities[name];
            object owner = instances.GetOrAdd(activity.DeclaringType!, type => ActivatorUtilities.CreateInstance(services, type));
            object? input = converter.Deserialize(inputJson, activity.GetParameters()[0].ParameterType);
            var task = (Task)Call(activity, owner, [input, new Invocation(services, cancellationToken)]);
            await task;
            return converter.Serialize(ResultOf(task));
        }

        private static object Call(MethodInfo method, object? owner, object?[] arguments)
        {
            try
            {
                return method.Invoke(owner, arguments)!;
            }
            catch (TargetInvocationException e) when (e.InnerException is { } thrown)
            {
                ExceptionDispatchInfo.Throw(thrown);
                throw;
            }
        }

        private static object? ResultOf(Task task) =>
            task.GetType().GetProperty("Result") is { } result && result.PropertyType.Name != "VoidTaskResult" ? result.GetValue(task) : null;

        private static Dictionary<string, MethodInfo> Find<TTrigger>()
            where TTrigger : Attribute => typeof(RunActivities).Assembly.GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
                .Where(method => method.GetCustomAttribute<FunctionAttribute>() is not null && method.GetParameters().Any(p => p.GetCustomAttribute<TTrigger>() is not null))
                .ToDictionary(method => method.GetCustomAttribute<FunctionAttribute>()!.Name, StringComparer.OrdinalIgnoreCase);
    }

    private sealed class Invocation(IServiceProvider services, CancellationToken ct) : FunctionContext
    {
        public override string InvocationId => "";

        public override string FunctionId => "";

        public override TraceContext TraceContext => throw new NotSupportedException();

        public override BindingContext BindingContext => throw new NotSupportedException();

        public override Microsoft.Azure.Functions.Worker.RetryContext RetryContext => throw new NotSupportedException();

        public override IServiceProvider InstanceServices { get; set; } = services;

        public override FunctionDefinition FunctionDefinition => throw new NotSupportedException();

        public override IDictionary<object, object> Items { get; set; } = new Dictionary<object, object>();

        public override IInvocationFeatures Features => throw new NotSupportedException();

        public override CancellationToken CancellationToken => ct;
    }

    private sealed class Log : ILoggerFactory, ILogger
    {
        private readonly ConcurrentQueue<string> lines = new();

        public IReadOnlyCollection<string> Lines => lines;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lines.Enqueue($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" {exception.GetType().Name}: {exception.Message}")}");
            }
        }
    }
}
