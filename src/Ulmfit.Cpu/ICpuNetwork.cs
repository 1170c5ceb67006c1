using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>What all networks of the engine can do beside what every engine's can.</summary>
internal interface ICpuNetwork
{
    /// <summary>A copy of the weights and running statistics; the network is disposed of, and its activations before the copy is made.</summary>
    StateDict TakeWeights();
}
