using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.Hosting;

public sealed class TimerTriggerTests
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Schedule_SixFieldsFromASetting_RunsAtEachOccurrence()
    {
        var time = new ManualTime(s_start);
        await using TestApp app = await StartAsync(typeof(EveryTenMinutes), time, args: ["--Every", "0 */10 * * * *"]);

        await NextAsync(time, s_start.AddMinutes(10));
        await app.Recorder.WaitForAsync("12:10 past due False last 00:00 next 12:10");
        await NextAsync(time, s_start.AddMinutes(20));
        await app.Recorder.WaitForAsync("12:20 past due False last 12:10 next 12:20");
    }

    [Theory]
    [InlineData("0 30 4 * * *", "2026-03-02T04:30:00")]
    [InlineData("*/5 * * * *", "2026-03-01T12:05:00")]
    [InlineData("0 0 9 * * MON", "2026-03-02T09:00:00")]
    [InlineData("15 0 0 29 2 *", "2028-02-29T00:00:15")]
    [InlineData("00:07:30", "2026-03-01T12:07:30")]
    public void NextAfter_Schedules_AreReadAsFunctionsReadsThem(string schedule, string next) =>
        Assert.Equal(DateTime.Parse(next, CultureInfo.InvariantCulture), TimerSchedule.Parse(schedule).NextAfter(s_start.DateTime));

    [Theory]
    [InlineData("never")]
    [InlineData("61 * * * * *")]
    [InlineData("* * *")]
    [InlineData("-00:01:00")]
    public void Parse_NoSchedule_SaysWhatASchedulesLooksLike(string schedule) =>
        Assert.Contains(schedule, Assert.Throws<FormatException>(() => TimerSchedule.Parse(schedule)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Start_RunOnStartup_RunsAtOnceAndThenOnSchedule()
    {
        var time = new ManualTime(s_start);
        await using TestApp app = await StartAsync(typeof(AtStartup), time);

        await app.Recorder.WaitForAsync("startup 12:00");
        await NextAsync(time, s_start.AddHours(1));
        await app.Recorder.WaitForAsync("startup 13:00");
    }

    [Fact]
    public async Task Start_OccurrenceWasMissed_RunsAtOnceAsPastDueAndOnlyOnce()
    {
        var time = new ManualTime(s_start);
        using var folder = new TemporaryFolder();
        string[] args = ["--Every", "0 */10 * * * *"];
        await using (await StartAsync(typeof(EveryTenMinutes), time, folder, args))
        {
            await time.ArmedForAsync(s_start.AddMinutes(10));
        }

        time.Advance(TimeSpan.FromMinutes(35));
        await using TestApp app = await StartAsync(typeof(EveryTenMinutes), time, folder, args);

        await app.Recorder.WaitForAsync("12:35 past due True last 00:00 next 12:10");
        await NextAsync(time, s_start.AddMinutes(40));
        await app.Recorder.WaitForAsync("12:40 past due False last 12:35 next 12:40");
        Assert.Equal(2, app.Recorder.Notes.Count);
    }

    [Fact]
    public async Task Start_ClockWasSetBackSinceTheLastStart_RunsAtTheNextOccurrenceOfTheNewTime()
    {
        using var folder = new TemporaryFolder();
        string[] args = ["--Every", "0 */10 * * * *"];
        var before = new ManualTime(s_start);
        await using (await StartAsync(typeof(EveryTenMinutes), before, folder, args))
        {
            await before.ArmedForAsync(s_start.AddMinutes(10));
        }

        var time = new ManualTime(s_start.AddHours(-2));
        await using TestApp app = await StartAsync(typeof(EveryTenMinutes), time, folder, args);

        await NextAsync(time, s_start.AddMinutes(-110));
        await app.Recorder.WaitForAsync("10:10 past due False last 00:00 next 10:10");
        await NextAsync(time, s_start.AddMinutes(-100));
        await app.Recorder.WaitForAsync("10:20 past due False last 10:10 next 10:20");
    }

    [Fact]
    public async Task Start_ScheduleWasChanged_NothingIsPastDue()
    {
        var time = new ManualTime(s_start);
        using var folder = new TemporaryFolder();
        await using (await StartAsync(typeof(EveryTenMinutes), time, folder, ["--Every", "0 */10 * * * *"]))
        {
            await time.ArmedForAsync(s_start.AddMinutes(10));
        }

        time.Advance(TimeSpan.FromMinutes(35));
        await using TestApp app = await StartAsync(typeof(EveryTenMinutes), time, folder, ["--Every", "0 0 * * * *"]);

        await NextAsync(time, s_start.AddHours(1));
        await app.Recorder.WaitForAsync("13:00 past due False last 00:00 next 13:00");
        Assert.Single(app.Recorder.Notes);
    }

    [Fact]
    public async Task Start_NoMonitor_NothingIsRememberedAndStatusIsNull()
    {
        var time = new ManualTime(s_start);
        using var folder = new TemporaryFolder();
        await using (await StartAsync(typeof(Unmonitored), time, folder))
        {
            await time.ArmedForAsync(s_start.AddMinutes(10));
        }

        time.Advance(TimeSpan.FromMinutes(35));
        await using TestApp app = await StartAsync(typeof(Unmonitored), time, folder);
        await NextAsync(time, s_start.AddMinutes(40));

        await app.Recorder.WaitForAsync("12:40 False True");
        Assert.Single(app.Recorder.Notes);
    }

    [Fact]
    public async Task Run_LongerThanTheInterval_RunsDoNotOverlap()
    {
        var time = new ManualTime(s_start);
        var gate = new Gate();
        await using TestApp app = await StartAsync(typeof(Slow), time, configure: b => b.Services.AddSingleton(gate));
        await NextAsync(time, s_start.AddMinutes(1));
        await app.Recorder.WaitForAsync("begin 1");

        // The function is still busy: while it is, nothing is armed, whatever the clock says.
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(["begin 1"], app.Recorder.Notes);
        Assert.Empty(time.Due);
        gate.Open.SetResult();

        await app.Recorder.WaitForAsync("end 2");
        Assert.Equal(["begin 1", "end 1", "begin 2", "end 2"], app.Recorder.Notes);
    }

    [Fact]
    public async Task Run_Fails_ScheduleGoesOn()
    {
        var time = new ManualTime(s_start);
        await using TestApp app = await StartAsync(typeof(Failing), time);
        await NextAsync(time, s_start.AddMinutes(1));
        await app.Recorder.WaitForAsync("try 0 of 0");
        await NextAsync(time, s_start.AddMinutes(2));
        await app.Recorder.WaitForAsync("try 0 of 0", 2);

        Assert.Contains(app.Log.Of(LogLevel.Error), l => l.Contains("timer broke", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_FixedDelayRetry_IsTriedAgainAfterTheDelay()
    {
        var time = new ManualTime(s_start);
        await using TestApp app = await StartAsync(typeof(FixedRetry), time);
        await NextAsync(time, s_start.AddHours(1));
        await app.Recorder.WaitForAsync("try 0 of 2");
        await NextAsync(time, s_start.AddHours(1).AddSeconds(5));
        await app.Recorder.WaitForAsync("try 1 of 2");
        await NextAsync(time, s_start.AddHours(1).AddSeconds(10));
        await app.Recorder.WaitForAsync("try 2 of 2");

        // Given up: what is armed next is the next occurrence.
        await NextAsync(time, s_start.AddHours(2));
        await app.Recorder.WaitForAsync("try 0 of 2", 2);
    }

    [Fact]
    public async Task Run_ExponentialBackoffRetry_DelaysDoubleUpToTheMaximum()
    {
        var time = new ManualTime(s_start);
        await using TestApp app = await StartAsync(typeof(BackoffRetry), time);
        DateTimeOffset at = s_start.AddHours(1);
        await NextAsync(time, at);
        foreach (int seconds in new[] { 4, 8, 10, 10 })
        {
            at = at.AddSeconds(seconds);
            await NextAsync(time, at);
        }

        await app.Recorder.WaitForAsync("try 4 of 4");
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-00:00:01")]
    public void FixedDelayRetry_NoDelay_IsRefused(string delay) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new FixedDelayRetryAttribute(1, delay));

    [Fact]
    public void ExponentialBackoffRetry_MinimumAboveMaximum_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new ExponentialBackoffRetryAttribute(1, "00:01:00", "00:00:01"));

    [Fact]
    public async Task Stop_RunIsUnderway_IsToldAndRunsAgainAtTheNextStart()
    {
        var time = new ManualTime(s_start);
        using var folder = new TemporaryFolder();
        await using (TestApp app = await StartAsync(typeof(Patient), time, folder))
        {
            await NextAsync(time, s_start.AddMinutes(1));
            await app.Recorder.WaitForAsync("patient False");
        }

        time.Advance(TimeSpan.FromSeconds(10));
        await using TestApp again = await StartAsync(typeof(Patient), time, folder);
        await again.Recorder.WaitForAsync("patient True");
    }

    private static Task<TestApp> StartAsync(
        Type functions, ManualTime time, TemporaryFolder? folder = null, string[]? args = null, Action<FunctionsApplicationBuilder>? configure = null) =>
        TestApp.StartAsync(
            [functions],
            b =>
            {
                b.Services.AddSingleton<TimeProvider>(time);
                configure?.Invoke(b);
            },
            folder,
            args: args);

    private static async Task NextAsync(ManualTime time, DateTimeOffset due)
    {
        await time.ArmedForAsync(due);
        time.AdvanceTo(due);
    }

    internal sealed class EveryTenMinutes(Recorder recorder, TimeProvider time)
    {
        [Function("EveryTenMinutes")]
        public void Run([TimerTrigger("%Every%")] TimerInfo timer) => recorder.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():HH:mm} past due {timer.IsPastDue} last {timer.ScheduleStatus!.Last:HH:mm} next {timer.ScheduleStatus.Next:HH:mm}"));
    }

    internal sealed class AtStartup(Recorder recorder, TimeProvider time)
    {
        [Function("AtStartup")]
        public void Run([TimerTrigger("0 0 * * * *", RunOnStartup = true)] TimerInfo timer) =>
            recorder.Note(string.Create(CultureInfo.InvariantCulture, $"startup {time.GetUtcNow():HH:mm}"));
    }

    internal sealed class Unmonitored(Recorder recorder, TimeProvider time)
    {
        [Function("Unmonitored")]
        public void Run([TimerTrigger("0 */10 * * * *", UseMonitor = false)] TimerInfo timer) =>
            recorder.Note(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():HH:mm} {timer.IsPastDue} {timer.ScheduleStatus is null}"));
    }

    internal sealed class Gate
    {
        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Runs { get; set; }
    }

    internal sealed class Slow(Recorder recorder, Gate gate)
    {
        [Function("Slow")]
        public async Task Run([TimerTrigger("00:01:00")] TimerInfo timer)
        {
            int run = ++gate.Runs;
            recorder.Note($"begin {run}");
            await gate.Open.Task;
            recorder.Note($"end {run}");
        }
    }

    internal sealed class Failing(Recorder recorder)
    {
        [Function("Failing")]
        public void Run([TimerTrigger("0 * * * * *")] string timer, FunctionContext context)
        {
            Assert.Contains("IsPastDue", timer, StringComparison.Ordinal);
            recorder.Note($"try {context.RetryContext.RetryCount} of {context.RetryContext.MaxRetryCount}");
            throw new InvalidOperationException("timer broke");
        }
    }

    internal sealed class FixedRetry(Recorder recorder)
    {
        [Function("FixedRetry")]
        [FixedDelayRetry(2, "00:00:05")]
        public void Run([TimerTrigger("0 0 * * * *")] TimerInfo timer, FunctionContext context)
        {
            recorder.Note($"try {context.RetryContext.RetryCount} of {context.RetryContext.MaxRetryCount}");
            throw new InvalidOperationException("again");
        }
    }

    internal sealed class BackoffRetry(Recorder recorder)
    {
        [Function("BackoffRetry")]
        [ExponentialBackoffRetry(4, "00:00:04", "00:00:10")]
        public void Run([TimerTrigger("0 0 * * * *")] TimerInfo timer, FunctionContext context)
        {
            recorder.Note($"try {context.RetryContext.RetryCount} of {context.RetryContext.MaxRetryCount}");
            throw new InvalidOperationException("again");
        }
    }

    internal sealed class Patient(Recorder recorder)
    {
        [Function("Patient")]
        public async Task Run([TimerTrigger("0 * * * * *")] TimerInfo timer, CancellationToken cancellationToken)
        {
            recorder.Note($"patient {timer.IsPastDue}");
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
    }
}
