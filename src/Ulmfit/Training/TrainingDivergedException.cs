namespace Ulmfit.Training;

/// <summary>The loss or the gradient is no longer a finite number; the same settings would end the same way again.</summary>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Names the step, and the settings that may help.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="epoch">Which epoch of it, from 1.</param>
    /// <param name="step">Which step of the epoch, from 1.</param>
    /// <param name="settings">Where the settings of that training stand, as <c>"classifier."</c>; empty for the top.</param>
    public TrainingDivergedException(string stage, int epoch, int step, string settings)
        : base($"Training diverged in stage '{stage}', epoch {epoch}, step {step}: the loss is not finite. Lower the learning rate (\"{settings}learningRate\") or clip gradients at a smaller norm (\"{settings}clipNorm\").")
    {
    }
}
