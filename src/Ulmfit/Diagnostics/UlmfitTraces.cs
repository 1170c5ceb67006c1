using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Ulmfit.Training;

namespace Ulmfit.Diagnostics;

/// <summary>
/// The one source of spans. A request is <c>classify</c> with <c>classify queue</c> and <c>classify compute</c> in it; the epochs of a run, in
/// whichever processes they are trained, are one trace. While nobody listens there are no spans.
/// </summary>
public static class UlmfitTraces
{
    /// <summary>The name to listen to.</summary>
    public const string Name = "Ulmfit";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>Begins the span of a request to the classifier, in that of the HTTP server where there is one.</summary>
    /// <returns>The span, which the caller disposes of; null where nobody listens.</returns>
    public static Activity? StartClassify() => Source.StartActivity("classify");

    /// <summary>The span at hand, to record what is done for it on other threads; none where nobody listens.</summary>
    public static ActivityContext Current => Source.HasListeners() && Activity.Current is { } current ? current.Context : default;

    /// <summary>Records that texts have waited for their computation, until now.</summary>
    /// <param name="request">The span of their request, as <see cref="Current"/> gave it when they came.</param>
    /// <param name="texts">Texts that waited.</param>
    /// <param name="waited">How long.</param>
    public static void RecordQueue(ActivityContext request, int texts, TimeSpan waited)
    {
        if (request != default)
        {
            DateTimeOffset now = DateTimeOffset.UtcNow;
            using Activity? span = Source.StartActivity("classify queue", ActivityKind.Internal, request, startTime: now - waited);
            span?.SetTag("ulmfit.texts", texts).SetEndTime(now.UtcDateTime);
        }
    }

    /// <summary>Records a computation that has just ended.</summary>
    /// <param name="model">The version that computed.</param>
    /// <param name="requests">The spans of the requests that it served: it is in the first, and linked to the others.</param>
    /// <param name="texts">Texts in the batch.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="failure">Why it failed; null where it did not.</param>
    public static void RecordCompute(ModelAttributes model, IEnumerable<ActivityContext> requests, int texts, TimeSpan took, Exception? failure = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(requests);
        if (!Source.HasListeners() || requests.Where(request => request != default).Distinct().ToArray() is not [var first, .. var others])
        {
            return;
        }
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using Activity? span = Source.StartActivity(
            "classify compute", ActivityKind.Internal, first, links: others.Select(request => new ActivityLink(request)), startTime: now - took);
        if (span is not null)
        {
            span.Describe(model).SetTag("ulmfit.texts", texts).SetEndTime(now.UtcDateTime);
            if (failure is not null)
            {
                span.Fail(failure);
            }
        }
    }

    /// <summary>Begins the span of loading a model.</summary>
    /// <param name="model">The version.</param>
    public static Activity? StartLoad(ModelAttributes model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Source.StartActivity("load model")?.Describe(model);
    }

    /// <summary>
    /// Begins the span of an epoch, or of a slice of one. Where the activity that trains it has a span (Durable Functions'), it is in that,
    /// with a link to the run's trace; else it is in the run's trace.
    /// </summary>
    /// <param name="run">The run's id.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="stage">Index of the stage, from 0.</param>
    /// <param name="epoch">Epoch of the stage, from 0.</param>
    public static Activity? StartEpoch(string run, Direction direction, int stage, int epoch)
    {
        ArgumentException.ThrowIfNullOrEmpty(run);
        if (!Source.HasListeners())
        {
            return null;
        }
        ActivityContext trace = ContextOfRun(run);
        return (Activity.Current is null
                ? Source.StartActivity("train epoch", ActivityKind.Internal, trace)
                : Source.StartActivity("train epoch", ActivityKind.Internal, default(ActivityContext), links: [new ActivityLink(trace)]))
            ?.SetTag("ulmfit.run", run)
            .SetTag(UlmfitMeter.DirectionKey, direction == Direction.Forward ? "forward" : "backward")
            .SetTag("ulmfit.stage", stage)
            .SetTag("ulmfit.epoch", epoch);
    }

    /// <summary>The trace of a run. It follows from the run's id alone, so that processes that know nothing of each other write to the same one.</summary>
    /// <param name="run">The run's id.</param>
    public static ActivityContext ContextOfRun(string run)
    {
        ArgumentException.ThrowIfNullOrEmpty(run);
        ReadOnlySpan<byte> digest = SHA256.HashData(Encoding.UTF8.GetBytes("ulmfit run " + run));
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(digest[..16]), ActivitySpanId.CreateFromBytes(digest[16..24]), ActivityTraceFlags.Recorded, isRemote: true);
    }

    /// <summary>Names the version on a span.</summary>
    /// <param name="span">The span.</param>
    /// <param name="model">The version.</param>
    public static Activity Describe(this Activity span, ModelAttributes model)
    {
        ArgumentNullException.ThrowIfNull(span);
        ArgumentNullException.ThrowIfNull(model);
        return span.SetTag(UlmfitMeter.ModelKey, model.Model).SetTag(UlmfitMeter.VersionKey, model.Version);
    }

    /// <summary>Marks a span as failed: the kind of the error and not its message, which may hold what a caller sent.</summary>
    /// <param name="span">The span; null where nobody listens.</param>
    /// <param name="exception">Why it failed.</param>
    public static void Fail(this Activity? span, Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        span?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", exception.GetType().FullName);
    }
}
