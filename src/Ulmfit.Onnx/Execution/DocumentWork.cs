namespace Ulmfit.Onnx.Execution;

/// <summary>A document of a request, which is done when all its directions are.</summary>
/// <param name="request">The request.</param>
/// <param name="index">Its place in the request.</param>
/// <param name="tokens">How many tokens it has.</param>
/// <param name="directions">In how many directions it is read.</param>
internal sealed class DocumentWork(PredictionRequest request, int index, int tokens, int directions)
{
    private int unread = directions;

    /// <summary>The request.</summary>
    public PredictionRequest Request => request;

    /// <summary>How many tokens it has.</summary>
    public int Tokens => tokens;

    /// <summary>Its place in the request.</summary>
    public int Index => index;

    /// <summary>What was pooled in each direction, in the order of the classifier's.</summary>
    public float[][] Pooled { get; } = new float[directions][];

    /// <summary>How many of its sequences have not left the workers. Changed under the workers' lock.</summary>
    public int Held { get; set; } = directions;

    /// <summary>A direction is read to its end.</summary>
    /// <returns>Whether it was the last.</returns>
    public bool Finish(int direction, float[] pooled)
    {
        Pooled[direction] = pooled;
        return Interlocked.Decrement(ref unread) == 0;
    }
}
