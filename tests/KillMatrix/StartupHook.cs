using System.Diagnostics.CodeAnalysis;
using KillMatrix.Agent;

/// <summary>
/// What the runtime calls in the host's process before the host's own <c>Main</c>, where <c>DOTNET_STARTUP_HOOKS</c> names this assembly.
/// </summary>
[SuppressMessage("Design", "CA1050:Declare types in namespaces", Justification = "The runtime looks for this name outside of any namespace.")]
internal static class StartupHook
{
    /// <summary>Puts the agent into the host.</summary>
    public static void Initialize() => KillAgent.Install();
}
