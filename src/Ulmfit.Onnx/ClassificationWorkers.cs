namespace Ulmfit.Onnx;

/// <summary>The threads that compute, shared by the classifiers of a process, before one bounded queue.</summary>
public sealed class ClassificationWorkers : IDisposable
{
    /// <summary>Makes the threads.</summary>
    /// <param name="options">How many, and how much may wait for them.</param>
    public ClassificationWorkers(ClassificationWorkersOptions? options = null) => Options = (options ?? new ClassificationWorkersOptions()).Validated();

    /// <summary>How many threads there are, and how much may wait for them.</summary>
    public ClassificationWorkersOptions Options { get; }

    /// <summary>Ends the threads once what they were given is computed. Does not wait for them.</summary>
    public void Dispose()
    {
    }
}
