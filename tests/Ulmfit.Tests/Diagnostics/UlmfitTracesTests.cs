using System.Collections.Concurrent;
using System.Diagnostics;
using Ulmfit.Diagnostics;
using Ulmfit.Training;

namespace Ulmfit.Tests.Diagnostics;

public sealed class UlmfitTracesTests : IDisposable
{
    private readonly ConcurrentQueue<Activity> ended = new();
    private readonly ActivityListener listener;

    public UlmfitTracesTests()
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == UlmfitTraces.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
    }

    public void Dispose() => listener.Dispose();

    [Fact]
    public void Classify_QueueAndComputation_AreInTheRequest()
    {
        var model = new ModelAttributes("traced", 3);
        ActivityContext request;
        using (Activity? classify = UlmfitTraces.StartClassify())
        {
            request = classify!.Context;
            ActivityContext current = UlmfitTraces.Current;
            Activity? left = classify;
            var worker = new Thread(() =>
            {
                UlmfitTraces.RecordQueue(current, 2, TimeSpan.FromMilliseconds(3));
                UlmfitTraces.RecordCompute(model, [current, current], 2, TimeSpan.FromMilliseconds(5));
                left = Activity.Current;
            });

            // As the threads that compute: nothing of the request's context flows there.
            worker.UnsafeStart();
            worker.Join();
            Assert.Null(left);
            Assert.Same(classify, Activity.Current);
        }

        Activity[] mine = [.. ended.Where(a => a.TraceId == request.TraceId)];
        Assert.Equal(["classify queue", "classify compute", "classify"], mine.Select(a => a.OperationName));
        Assert.All(mine[..2], inner => Assert.Equal(request.SpanId, inner.ParentSpanId));
        Assert.Equal([3.0, 5.0], mine[..2].Select(a => a.Duration.TotalMilliseconds));
        Assert.Equal("traced", mine[1].GetTagItem("ulmfit.model.name"));
        Assert.Equal(3, mine[1].GetTagItem("ulmfit.model.version"));
    }

    [Fact]
    public void RecordCompute_ForSeveralRequests_IsInTheFirstAndLinksTheOthers()
    {
        ActivityContext[] requests =
        [
            new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded),
            new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded),
        ];

        UlmfitTraces.RecordCompute(new ModelAttributes("traced", 1), [.. requests, default, requests[0]], 3, TimeSpan.FromMilliseconds(1), new InvalidOperationException("broken"));

        Activity compute = Assert.Single(ended, a => a.TraceId == requests[0].TraceId);
        Assert.Equal(requests[0].SpanId, compute.ParentSpanId);
        Assert.Equal(requests[1], Assert.Single(compute.Links).Context);
        Assert.Equal(ActivityStatusCode.Error, compute.Status);
    }

    [Fact]
    public void RecordQueue_WithoutASpanOfARequest_RecordsNothing()
    {
        UlmfitTraces.RecordQueue(default, 1, TimeSpan.FromMilliseconds(1));
        UlmfitTraces.RecordCompute(new ModelAttributes("unasked", 1), [default], 1, TimeSpan.FromMilliseconds(1));

        Assert.DoesNotContain(ended, a => a.OperationName == "classify queue" && a.ParentSpanId == default);
        Assert.DoesNotContain(ended, a => Equals(a.GetTagItem("ulmfit.model.name"), "unasked"));
    }

    [Fact]
    public void StartEpoch_InDifferentProcesses_IsOneTrace()
    {
        ActivityContext trace = UlmfitTraces.ContextOfRun("tickets-7");

        using Activity forward = UlmfitTraces.StartEpoch("tickets-7", Direction.Forward, 0, 0)!;
        forward.Stop();
        using Activity backward = UlmfitTraces.StartEpoch("tickets-7", Direction.Backward, 1, 2)!;

        Assert.Equal(trace.TraceId, forward.TraceId);
        Assert.Equal(trace.TraceId, backward.TraceId);
        Assert.NotEqual(forward.SpanId, backward.SpanId);
        Assert.NotEqual(trace.TraceId, UlmfitTraces.ContextOfRun("tickets-8").TraceId);
        Assert.Equal("backward", backward.GetTagItem("ulmfit.direction"));
    }

    [Fact]
    public void StartEpoch_InTheSpanOfAnActivityFunction_IsInThatAndLinksTheRun()
    {
        using var function = new Activity("activity:TrainEpoch");
        function.SetIdFormat(ActivityIdFormat.W3C).Start();

        using Activity epoch = UlmfitTraces.StartEpoch("tickets-7", Direction.Forward, 0, 0)!;

        Assert.Equal(function.SpanId, epoch.ParentSpanId);
        Assert.Equal(UlmfitTraces.ContextOfRun("tickets-7"), Assert.Single(epoch.Links).Context);
    }

    [Fact]
    public void Fail_WithAnException_NamesItsKindAndNotItsMessage()
    {
        using Activity classify = UlmfitTraces.StartClassify()!;

        classify.Fail(new InvalidDataException("a secret text"));

        Assert.Equal(ActivityStatusCode.Error, classify.Status);
        Assert.Equal("System.IO.InvalidDataException", classify.GetTagItem("error.type"));
        Assert.DoesNotContain(classify.TagObjects, tag => tag.Value?.ToString()?.Contains("secret", StringComparison.Ordinal) == true);
        Assert.Null(classify.StatusDescription);
    }
}
