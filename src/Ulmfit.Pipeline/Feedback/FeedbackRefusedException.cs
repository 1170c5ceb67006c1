namespace Ulmfit.Pipeline.Feedback;

/// <summary>Feedback is not stored, and nothing of it.</summary>
public sealed class FeedbackRefusedException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="refusal">Why.</param>
    /// <param name="message">What was found and what to do.</param>
    public FeedbackRefusedException(FeedbackRefusal refusal, string message)
        : base(message) => Refusal = refusal;

    /// <summary>Why.</summary>
    public FeedbackRefusal Refusal { get; }
}

/// <summary>Why feedback is not stored.</summary>
public enum FeedbackRefusal
{
    /// <summary>A row cannot be used.</summary>
    Invalid,

    /// <summary>The key was used for other rows.</summary>
    KeyTaken,

    /// <summary>As many rows wait as may.</summary>
    Full,
}
