using Ulmfit.Model;

namespace Ulmfit.Onnx;

/// <summary>A trained classifier of one reading direction.</summary>
/// <param name="Config">Its architecture.</param>
/// <param name="Weights">Its weights and running statistics under the classifier names of <see cref="AwdLstmNames"/>; other tensors are ignored.</param>
public sealed record DirectionWeights(ClassifierConfig Config, StateDict Weights);
