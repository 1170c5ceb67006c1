using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Ulmfit.Functions.Orchestration;
using Ulmfit.Pipeline;

namespace Ulmfit.Functions.Http;

/// <summary>Turns away what would only make a queue longer, with when to come again.</summary>
internal sealed class Admission(Limits limits)
{
    private const int ClassifyAgainSeconds = 1;
    private const int EventsAgainSeconds = 10;
    private const int RunAgainSeconds = 60;

    private readonly Places classifying = new(limits.ClassifyRequests);
    private readonly Places listening = new(limits.EventStreams);

    /// <summary>Takes a place among the requests to the classifier, before their bodies are read.</summary>
    /// <returns>The place; disposing gives it back.</returns>
    /// <exception cref="ProblemException">All places are taken.</exception>
    public IDisposable EnterClassifier() => classifying.TryEnter() ?? throw ProblemException
        .TooMany($"{limits.ClassifyRequests} requests are being classified or wait for it on this host, the most that may. Try again after the time in Retry-After, and send more texts in a request rather than more requests.", ClassifyAgainSeconds)
        .With("limit", limits.ClassifyRequests);

    /// <summary>Takes a place among the streams of events.</summary>
    /// <returns>The place; disposing gives it back.</returns>
    /// <exception cref="ProblemException">All places are taken.</exception>
    public IDisposable EnterEvents() => listening.TryEnter() ?? throw ProblemException
        .TooMany($"{limits.EventStreams} streams of events are open on this host, the most that may. Try again after the time in Retry-After, ask for the run itself (GET /api/runs/{{id}}) meanwhile, or raise the setting Limits:EventStreams.", EventsAgainSeconds)
        .With("limit", limits.EventStreams);

    /// <summary>Checks that there is room for the work of a data set or of a pretraining. One that is worked on already has its place.</summary>
    /// <param name="client">Knows what is worked on.</param>
    /// <param name="instance">The orchestration that would do the work.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="ProblemException">There is none.</exception>
    public async Task CheckRoomAsync(DurableTaskClient client, string instance, CancellationToken ct)
    {
        int busy = 0;
        foreach (string prefix in (string[])[RetrainStarter.InstanceId(""), PretrainStarter.InstanceId("")])
        {
            var query = new OrchestrationQuery
            {
                InstanceIdPrefix = prefix,
                Statuses = [OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending],
            };
            await foreach (OrchestrationMetadata found in client.GetAllInstancesAsync(query).WithCancellation(ct))
            {
                if (found.InstanceId == instance)
                {
                    return;
                }
                busy++;
            }
        }
        if (busy >= limits.Runs)
        {
            throw ProblemException
                .TooMany($"{busy} data sets and pretrainings are worked on or wait for it, and {limits.Runs} may. Try again after the time in Retry-After, call off a run (DELETE /api/runs/{{id}}), or raise the setting Limits:Runs.", RunAgainSeconds)
                .With("limit", limits.Runs);
        }
    }

    private sealed class Places(int most)
    {
        private int taken;

        public IDisposable? TryEnter()
        {
            if (Interlocked.Increment(ref taken) <= most)
            {
                return new Place(this);
            }
            Interlocked.Decrement(ref taken);
            return null;
        }

        private sealed class Place(Places owner) : IDisposable
        {
            private int given;

            public void Dispose()
            {
                if (Interlocked.Exchange(ref given, 1) == 0)
                {
                    Interlocked.Decrement(ref owner.taken);
                }
            }
        }
    }
}
