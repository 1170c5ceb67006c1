using System.Collections;
using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>One invocation of a function in this host.</summary>
internal sealed class HostFunctionContext : FunctionContext
{
    private static readonly IReadOnlyDictionary<string, object?> s_noData = new Dictionary<string, object?>();

    private readonly List<IAsyncDisposable> owned = [];

    public HostFunctionContext(
        HostedFunction function,
        object? triggerValue,
        IServiceProvider services,
        IReadOnlyDictionary<string, object?>? bindingData = null,
        RetryState? retry = null,
        CancellationToken cancellationToken = default)
    {
        Function = function;
        TriggerValue = triggerValue;
        InstanceServices = services;
        BindingContext = new Data(bindingData ?? s_noData);
        RetryContext = retry ?? RetryState.None;
        CancellationToken = cancellationToken;
        Features.Set(this);
        Features.Set(Result);
        Features.Set<FunctionDefinition>(function.Definition);
    }

    public HostedFunction Function { get; }

    /// <summary>What the trigger parameter is bound from.</summary>
    public object? TriggerValue { get; }

    public ResultFeature Result { get; } = new();

    public override string InvocationId { get; } = Guid.NewGuid().ToString();

    public override string FunctionId => Function.Definition.Id;

    public override TraceContext TraceContext { get; } = new Trace(Activity.Current);

    public override BindingContext BindingContext { get; }

    public override RetryContext RetryContext { get; }

    public override IServiceProvider InstanceServices { get; set; }

    public override FunctionDefinition FunctionDefinition => Function.Definition;

    public override IDictionary<object, object> Items { get; set; } = new Dictionary<object, object>();

    public override IInvocationFeatures Features { get; } = new FeatureSet();

    public override CancellationToken CancellationToken { get; }

    /// <summary>Hands something over that is to be disposed when the invocation is over.</summary>
    public void Own(IAsyncDisposable resource) => owned.Add(resource);

    /// <summary>Disposes what the invocation owns, last taken first.</summary>
    public async ValueTask ReleaseAsync()
    {
        for (int i = owned.Count - 1; i >= 0; i--)
        {
            await owned[i].DisposeAsync();
        }

        owned.Clear();
    }

    private sealed class Data(IReadOnlyDictionary<string, object?> values) : BindingContext
    {
        public override IReadOnlyDictionary<string, object?> BindingData { get; } = values;
    }

    private sealed class Trace(Activity? activity) : TraceContext
    {
        public override string TraceParent { get; } = activity?.Id ?? "";

        public override string TraceState { get; } = activity?.TraceStateString ?? "";
    }

    private sealed class FeatureSet : IInvocationFeatures
    {
        private readonly Dictionary<Type, object> features = [];

        public T? Get<T>() => features.TryGetValue(typeof(T), out object? feature) ? (T)feature : default;

        public void Set<T>(T instance)
        {
            ArgumentNullException.ThrowIfNull(instance);
            features[typeof(T)] = instance;
        }

        public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => features.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
