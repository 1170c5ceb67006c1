namespace Ulmfit.Training;

/// <summary>The loss or the gradient is no longer a finite number; the same settings would end the same way again.</summary>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Names the step.</summary>
    public TrainingDivergedException(string stage, int epoch, int step)
        : base($"Training diverged in stage '{stage}', epoch {epoch}, step {step}: the loss is not finite. Lower the learning rate (\"languageModel.learningRate\", \"classifier.learningRate\") or set \"clipNorm\".")
    {
    }
}
