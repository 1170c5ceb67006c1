using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>The description of a binding that a function's definition carries.</summary>
internal sealed class HostBindingMetadata(string name, string type, BindingDirection direction) : BindingMetadata
{
    public override string Name { get; } = name;

    public override string Type { get; } = type;

    public override BindingDirection Direction { get; } = direction;
}
