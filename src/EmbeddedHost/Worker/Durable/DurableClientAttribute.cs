using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Gives a parameter of type <c>DurableTaskClient</c> the client of the durable host.</summary>
public sealed class DurableClientAttribute : InputBindingAttribute
{
    /// <summary>The task hub; this host has one, so it is not read here.</summary>
    public string? TaskHub { get; set; }

    /// <summary>The setting that names the backend's connection; this host has one backend, so it is not read here.</summary>
    public string? ConnectionName { get; set; }
}
