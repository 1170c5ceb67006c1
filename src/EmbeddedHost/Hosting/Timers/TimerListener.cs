using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>Runs one timer function whenever it is due, never twice at a time.</summary>
internal sealed class TimerListener(
    HostedFunction function,
    string recordPath,
    FunctionPipeline pipeline,
    IServiceScopeFactory scopes,
    TimeProvider time,
    ILogger logger)
{
    // A timer takes about 49 days at most.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(24);

    private readonly TimerTriggerAttribute trigger = (TimerTriggerAttribute)function.Trigger;
    private readonly TimerSchedule schedule = function.Schedule!;

    /// <summary>Waits and runs until the stop.</summary>
    /// <param name="stopping">Fires at the stop.</param>
    public async Task RunAsync(CancellationToken stopping)
    {
        // The first run must not hold up whoever starts the host.
        await Task.Yield();
        TimerRecord record = Recall();
        try
        {
            // A missed occurrence comes before a run at startup, which it makes superfluous.
            if (trigger.UseMonitor && Now() > record.Next)
            {
                record = await RunOnceAsync(record, "past due", isPastDue: true, scheduled: false, stopping);
            }
            else if (trigger.RunOnStartup)
            {
                record = await RunOnceAsync(record, "at startup", isPastDue: false, scheduled: false, stopping);
            }

            while (true)
            {
                record = await WaitAsync(record, stopping);
                record = await RunOnceAsync(record, "scheduled", isPastDue: false, scheduled: true, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The stop.
        }
    }

    private TimerRecord Recall()
    {
        DateTime now = Now();
        TimerRecord? stored = trigger.UseMonitor ? TimerRecord.Read(recordPath, logger) : null;
        if (stored is not null && stored.Schedule == schedule.Text)
        {
            return stored;
        }

        // New, or the schedule has changed: then nothing was missed.
        var record = new TimerRecord(schedule.Text, stored?.Last, schedule.NextAfter(now), now);
        Store(record);
        return record;
    }

    private async Task<TimerRecord> RunOnceAsync(TimerRecord record, string reason, bool isPastDue, bool scheduled, CancellationToken stopping)
    {
        DateTime invoked = Now();
        HostLog.TimerStarting(logger, function.Name, schedule.Text, reason);
        var info = new TimerInfo
        {
            IsPastDue = isPastDue,
            ScheduleStatus = trigger.UseMonitor
                ? new ScheduleStatus { Last = record.Last ?? default, Next = record.Next, LastUpdated = record.Updated }
                : null,
        };
        bool succeeded = await InvokeAsync(info, stopping);

        // A run cut short by the stop keeps the old record, so that the next start makes up for it.
        if (!succeeded)
        {
            stopping.ThrowIfCancellationRequested();
        }

        // A timer that fired a little early must not find the same occurrence again.
        DateTime occurrence = scheduled && record.Next > invoked ? record.Next : invoked;
        var next = new TimerRecord(schedule.Text, occurrence, schedule.NextAfter(occurrence), Now());
        Store(next);
        DateTimeOffset due = ToOffset(next.Next);
        if (succeeded)
        {
            HostLog.TimerDone(logger, function.Name, due);
        }
        else
        {
            HostLog.TimerFailed(logger, function.Name, due);
        }

        return next;
    }

    private async Task<bool> InvokeAsync(TimerInfo info, CancellationToken stopping)
    {
        for (int retries = 0; ; retries++)
        {
            try
            {
                await using AsyncServiceScope scope = scopes.CreateAsyncScope();
                await pipeline.InvokeAsync(new HostFunctionContext(
                    function,
                    info,
                    scope.ServiceProvider,
                    retry: new RetryState(retries, function.Retry.MaxRetryCount),
                    cancellationToken: stopping));
                return true;
            }
#pragma warning disable CA1031 // Whatever a function throws is a failed run; it is logged and the schedule goes on.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (e is OperationCanceledException && stopping.IsCancellationRequested)
                {
                    return false;
                }

                if (!function.Retry.Allows(retries))
                {
                    HostLog.InvocationFailed(logger, function.Name, e);
                    return false;
                }

                TimeSpan delay = function.Retry.DelayAfter(retries);
                HostLog.Retrying(logger, function.Name, delay, retries + 1, function.Retry.MaxRetryCount < 0 ? "any number" : $"{function.Retry.MaxRetryCount}", e);
                await Task.Delay(delay, time, stopping);
            }
        }
    }

    // Gives the record with the occurrence that is due: another than it came with if the clock has been set back, which must not hold
    // up a timer for as long as that.
    private async Task<TimerRecord> WaitAsync(TimerRecord record, CancellationToken stopping)
    {
        while (true)
        {
            DateTime earlier = schedule.NextAfter(Now());
            if (earlier < record.Next)
            {
                record = record with { Next = earlier };
            }

            TimeSpan left = ToOffset(record.Next) - time.GetUtcNow();
            if (left <= TimeSpan.Zero)
            {
                return record;
            }

            await Task.Delay(left < s_longestWait ? left : s_longestWait, time, stopping);
        }
    }

    private void Store(TimerRecord record)
    {
        if (!trigger.UseMonitor)
        {
            return;
        }

        try
        {
            record.Write(recordPath);
        }
        catch (IOException e)
        {
            HostLog.ScheduleRecordFailed(logger, function.Name, recordPath, e);
        }
    }

    // Schedules are of the wall clock, as in Functions; on machines that serve, that is UTC.
    private DateTime Now() => DateTime.SpecifyKind(time.GetLocalNow().DateTime, DateTimeKind.Unspecified);

    private DateTimeOffset ToOffset(DateTime wallClock)
    {
        TimeZoneInfo zone = time.LocalTimeZone;

        // In the hour that is left out in spring, the moment is the one when that hour would have begun.
        DateTime valid = zone.IsInvalidTime(wallClock) ? wallClock + TimeSpan.FromHours(1) : wallClock;
        return new DateTimeOffset(valid, zone.GetUtcOffset(valid));
    }
}
