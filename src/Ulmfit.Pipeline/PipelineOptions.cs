using Ulmfit.Pipeline.Feedback;

namespace Ulmfit.Pipeline;

/// <summary>Settings of the pipeline.</summary>
public sealed record PipelineOptions
{
    /// <summary>How long no drop may change before a data set is prepared.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How many faulty rows of a drop a report names; the others are counted.</summary>
    public int ReportedRows { get; init; } = 100;

    /// <summary>When rows of feedback become a drop.</summary>
    public FeedbackOptions Feedback { get; init; } = new();

    /// <summary>How much is taken in.</summary>
    public Limits Limits { get; init; } = new();

    /// <summary>
    /// By how much the macro-F1 of the int8 variant of a model may be below that of float32 on the held-out rows for it to answer; null where
    /// float32 is to answer in any case.
    /// </summary>
    public double? Int8Tolerance { get; init; } = 0.005;

    /// <summary>The version of the code, for the lineage of models.</summary>
    public string CodeVersion { get; init; } = "unknown";
}
