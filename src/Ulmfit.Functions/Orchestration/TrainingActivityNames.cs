namespace Ulmfit.Functions.Orchestration;

/// <summary>
/// The names of the heavy activities. The orchestrations call them where their code is not: they run in the app of the trainers.
/// </summary>
internal static class TrainingActivityNames
{
    /// <summary>Trains one epoch of one direction, or a slice of it.</summary>
    public const string TrainEpoch = nameof(TrainEpoch);

    /// <summary>Trains one slice of one direction of a language model.</summary>
    public const string PretrainSlice = nameof(PretrainSlice);
}
