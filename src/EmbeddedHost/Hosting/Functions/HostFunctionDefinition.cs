using System.Collections.Immutable;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>The description of a function that its invocations carry.</summary>
internal sealed class HostFunctionDefinition(
    string name,
    string id,
    string entryPoint,
    string pathToAssembly,
    ImmutableArray<FunctionParameter> parameters,
    IImmutableDictionary<string, BindingMetadata> inputs,
    IImmutableDictionary<string, BindingMetadata> outputs) : FunctionDefinition
{
    public override ImmutableArray<FunctionParameter> Parameters { get; } = parameters;

    public override string PathToAssembly { get; } = pathToAssembly;

    public override string EntryPoint { get; } = entryPoint;

    public override string Id { get; } = id;

    public override string Name { get; } = name;

    public override IImmutableDictionary<string, BindingMetadata> InputBindings { get; } = inputs;

    public override IImmutableDictionary<string, BindingMetadata> OutputBindings { get; } = outputs;
}
