using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Ulmfit.Diagnostics;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Storage;
using Ulmfit.Text;

namespace Ulmfit.Pipeline.Drift;

/// <summary>
/// Counts what models are asked, and tells when it is no longer what they were trained for. A request adds to counters in memory; storage is
/// written and read beside requests, so none waits for it and none fails with it. Members may be called at once.
/// </summary>
public sealed partial class DriftMonitor : IDisposable
{
    private readonly ServedLog log;
    private readonly DriftOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ConcurrentDictionary<(string Model, int Version, DateOnly Day), ServedDay> days = new();
    private readonly SemaphoreSlim writing = new(1, 1);

    // One a process, so that nobody else writes its blobs, whatever is started beside it or after it.
    private readonly string writer = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
    private DateOnly tidied;

    /// <summary>Makes a monitor that has counted nothing.</summary>
    /// <param name="store">Where counts are kept.</param>
    /// <param name="options">The thresholds.</param>
    /// <param name="time">The clock, whose days in UTC are counted.</param>
    /// <param name="logger">Where alarms are told, and failures of the storage.</param>
    public DriftMonitor(IBlobStore store, DriftOptions options, TimeProvider time, ILogger<DriftMonitor> logger)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        this.options = options;
        this.time = time;
        this.logger = logger;
        log = new ServedLog(store, damage => LogDamaged(damage));
    }

    private DateOnly Today => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);

    /// <summary>Counts an answered request. Waits for nothing.</summary>
    /// <param name="card">The version that answered.</param>
    /// <param name="labels">Its labels.</param>
    /// <param name="probabilities">The answers: <c>[texts][labels]</c>.</param>
    /// <param name="tally">The tokens of the texts.</param>
    public void Record(ModelCard card, IReadOnlyList<string> labels, float[][] probabilities, TokenTally tally)
    {
        ArgumentNullException.ThrowIfNull(card);
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentNullException.ThrowIfNull(tally);
        (string, int, DateOnly) key = (card.Model, card.Version, Today);
        if (!days.TryGetValue(key, out ServedDay? day))
        {
            day = days.GetOrAdd(key, new ServedDay(card, labels));
        }
        day.Add(probabilities, tally);
    }

    /// <summary>Writes what was counted since the last time, looks at the day so far, and raises an alarm once a day and version. Never throws but when it is cancelled.</summary>
    /// <param name="ct">Cancels the call; what is not written then is written the next time.</param>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever keeps the counts from being written must not keep the host from answering; it is logged and tried again.")]
    public async Task WriteAsync(CancellationToken ct = default)
    {
        await writing.WaitAsync(ct).ConfigureAwait(false);
        Exception? failure = null;
        try
        {
            // One after the other and each by itself: what keeps one version's counts from being written need not keep others'.
            foreach (((string model, int version, DateOnly date), ServedDay day) in days)
            {
                await TryAsync(() => WriteAsync(model, version, date, day, ct)).ConfigureAwait(false);
            }
            await TryAsync(() => TidyAsync(ct)).ConfigureAwait(false);
        }
        finally
        {
            writing.Release();
        }
        if (failure is not null)
        {
            LogNotWritten(failure);
        }

        async Task TryAsync(Func<Task> work)
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                failure ??= e;
            }
        }
    }

    /// <summary>What a version was asked, the newest day first, of all processes: those of others as they were last written.</summary>
    /// <param name="card">The version.</param>
    /// <param name="count">How many days at most, today counted; days on which nothing was asked are not among them.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<DriftDay>> ReadAsync(ModelCard card, int count, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(card);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        DateOnly from = Today.AddDays(1 - Math.Min(count, options.KeepDays));
        Dictionary<DateOnly, ServedCounts> own = days
            .Where(day => day.Key.Model == card.Model && day.Key.Version == card.Version && day.Key.Day >= from && !IsOver(day.Key.Day, day.Value))
            .ToDictionary(day => day.Key.Day, day => day.Value.Counts());
        SortedDictionary<DateOnly, ServedCounts> counts =
            await log.ReadAsync(card.Model, card.Version, from, date => own.ContainsKey(date) ? writer : null, ct).ConfigureAwait(false);
        foreach ((DateOnly date, ServedCounts served) in own)
        {
            counts[date] = counts.GetValueOrDefault(date, ServedCounts.None) + served;
        }
        return [.. counts.Where(day => day.Value.Requests > 0).Reverse().Select(day => DriftDay.Of(day.Key, day.Value, card.Reference, options))];
    }

    /// <inheritdoc/>
    public void Dispose() => writing.Dispose();

    private async Task WriteAsync(string model, int version, DateOnly date, ServedDay day, CancellationToken ct)
    {
        ServedCounts counts = day.Counts();
        if (IsOver(date, day))
        {
            days.TryRemove((model, version, date), out _);
            return;
        }
        if (counts.Requests == day.Written)
        {
            return;
        }
        await log.WriteAsync(model, version, date, writer, counts, ct).ConfigureAwait(false);
        ServedCounts all = counts + await log.ReadDayAsync(model, version, date, writer, ct).ConfigureAwait(false);
        var drift = DriftDay.Of(date, all, day.Card.Reference, options);
        var attributes = new ModelAttributes(model, version);
        if (date == Today && drift is { PopulationStability: { } stability, UnknownRate: { } unknown })
        {
            DriftMeter.Record(attributes, stability, unknown);
        }
        if (drift.Alarms.Count > 0 && await log.RaiseAsync(model, version, date, drift, ct).ConfigureAwait(false))
        {
            DriftMeter.Alarm(attributes);
            LogShifted(
                model, version, date.ToString(StatePaths.DayFormat, CultureInfo.InvariantCulture), drift.Texts, drift.PopulationStability!.Value, options.PopulationStability,
                drift.UnknownRate ?? 0, day.Card.Reference!.UnknownRate(), string.Join(", ", drift.Shifts.Select(shift => shift.Label)));
        }

        // Only now: what failed on the way is tried again, though nothing more be asked.
        day.Written = counts.Requests;
    }

    // No request takes a day: those of the day before yesterday are all counted, and once they are written, storage has them.
    private bool IsOver(DateOnly date, ServedDay day) => date < Today.AddDays(-1) && day.Requests == day.Written;

    private async Task TidyAsync(CancellationToken ct)
    {
        DateOnly today = Today;
        if (tidied == today || days.IsEmpty)
        {
            return;
        }
        await log.TidyAsync(today.AddDays(1 - options.KeepDays), today.AddDays(-1), ct).ConfigureAwait(false);
        tidied = today;
    }

    [LoggerMessage(70, LogLevel.Warning, "Model {Model} version {Version} is asked on {Day} about something else than it was trained for: of {Texts} texts the predicted classes have a population stability index of {PopulationStability:0.000} (threshold {Threshold:0.###}), {UnknownRate:P1} of the words are unknown ({Reference:P1} of held-out text). Most shifted: {Labels}.")]
    private partial void LogShifted(string model, int version, string day, long texts, double populationStability, double threshold, double unknownRate, double reference, string labels);

    [LoggerMessage(71, LogLevel.Warning, "What models are asked cannot be written down; it is kept in memory and tried again.")]
    private partial void LogNotWritten(Exception exception);

    [LoggerMessage(72, LogLevel.Warning, "Counts of what a model was asked are damaged and left out.")]
    private partial void LogDamaged(Exception exception);
}
