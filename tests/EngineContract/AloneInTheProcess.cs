namespace Ulmfit.EngineContract;

/// <summary>Tests that measure the whole process and so run alone.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
