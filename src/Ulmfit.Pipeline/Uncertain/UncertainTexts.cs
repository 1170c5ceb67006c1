using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Ulmfit.Data;
using Ulmfit.Diagnostics;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Uncertain;

/// <summary>
/// Served texts worth labelling, where <see cref="UncertainOptions.LogTexts"/> is on: a process keeps the most uncertain ones of each model
/// and day in memory and writes them down now and then, beside those of the other processes. Serving waits for nothing and fails of nothing
/// here; a process that is killed loses what it has not written yet. Members may be called at once.
/// </summary>
public sealed partial class UncertainTexts
{
    /// <summary>A text whose best label is ahead of the second by more is not worth labelling, and is never written down.</summary>
    public const double LargestMargin = 0.5;

    /// <summary>A longer text is not written down.</summary>
    public const int LongestText = 10_000;

    /// <summary>Of a day that is over so many texts stay, of all processes together.</summary>
    public const int TextsOfAPastDay = 1000;

    private const int Labels = 5;
    private const string DayFormat = "yyyyMMdd";

    private readonly IBlobStore store;
    private readonly DocumentStore documents;
    private readonly LabeledTexts labeled;
    private readonly UncertainOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly string process = Guid.NewGuid().ToString("N");
    private readonly ConcurrentDictionary<(string Model, string Day), UncertainReservoir> reservoirs = new();
    private volatile bool lastFailed;

    /// <summary>Makes it; nothing is kept yet.</summary>
    /// <param name="store">Where texts are written.</param>
    /// <param name="datasets">The data sets, whose labelled texts are not listed.</param>
    /// <param name="options">Whether texts are written at all.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where failures to write are told.</param>
    public UncertainTexts(IBlobStore store, DatasetCatalog datasets, UncertainOptions options, TimeProvider time, ILogger<UncertainTexts> logger)
    {
        this.store = store;
        documents = new DocumentStore(store);
        labeled = new LabeledTexts(store, datasets);
        this.options = options;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Whether texts are written down.</summary>
    public bool IsOn => options.LogTexts;

    /// <summary>Looks at answered texts. Where texts are not written down, nothing is done.</summary>
    /// <param name="model">The model.</param>
    /// <param name="version">The version that answered.</param>
    /// <param name="texts">The texts.</param>
    /// <param name="probabilities">Of each text, those of the labels: <c>[texts][labels]</c>.</param>
    /// <param name="labels">The labels.</param>
    public void Observe(string model, int version, IReadOnlyList<string> texts, IReadOnlyList<float[]> probabilities, IReadOnlyList<string> labels)
    {
        if (!options.LogTexts)
        {
            return;
        }
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentNullException.ThrowIfNull(labels);
        DateTimeOffset now = time.GetUtcNow();
        UncertainReservoir? reservoir = null;
        for (int i = 0; i < texts.Count; i++)
        {
            double margin = MarginOf(probabilities[i]);
            if (margin > LargestMargin || texts[i].Length > LongestText || string.IsNullOrWhiteSpace(texts[i]))
            {
                continue;
            }
            reservoir ??= reservoirs.GetOrAdd((model, DayOf(now)), _ => new UncertainReservoir(options.TextsPerDay));
            if (reservoir.Wants(margin))
            {
                reservoir.Add(new UncertainText(texts[i], margin, EntropyOf(probabilities[i]), Best(probabilities[i], labels), version, now));
            }
        }
    }

    /// <summary>Writes what is new. What cannot be written stays, and is tried again.</summary>
    /// <param name="ct">Cancels the call.</param>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever fails here must fail nothing else: it is told, counted and tried again.")]
    public async Task WriteAsync(CancellationToken ct = default)
    {
        string today = DayOf(time.GetUtcNow());
        string yesterday = DayOf(time.GetUtcNow().AddDays(-1));
        bool failed = false;
        foreach (((string model, string day), UncertainReservoir reservoir) in reservoirs)
        {
            bool old = day != today && day != yesterday;
            try
            {
                if (reservoir.IsDirty)
                {
                    (IReadOnlyList<UncertainText> texts, UncertainReservoir.Mark mark) = reservoir.Read();
                    await documents.WriteAsync(Containers.State, StatePaths.Uncertain(model, day, process), new Day(texts), ct).ConfigureAwait(false);
                    FeedbackMeter.Keep(model, reservoir.NoteWritten(mark));
                }
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                FeedbackMeter.Lose(model);
                failed = true;
                if (!lastFailed)
                {
                    // Once for a failure that goes on.
                    LogNotWritten(e, model);
                }
            }

            // A day after it is over nothing comes any more, and what could not be written for so long must not fill the memory.
            if (old)
            {
                reservoirs.TryRemove(KeyValuePair.Create((model, day), reservoir));
            }
        }
        lastFailed = failed;
    }

    /// <summary>The texts of a data set that have no label yet, the most uncertain first.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="count">How many at most, at least 1.</param>
    /// <param name="after"><see cref="UncertainPage.Next"/> of the page before; null for the first.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="FormatException"><paramref name="after"/> is no such mark.</exception>
    public async Task<UncertainPage> ListAsync(string dataset, int count, string? after, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (double Margin, string Digest) behind = after is null ? (double.NegativeInfinity, "") : ReadMark(after);
        var found = new Dictionary<string, UncertainText>(StringComparer.Ordinal);
        string prefix = StatePaths.UncertainOf(dataset);
        foreach (string name in await NamesAsync(prefix, ct).ConfigureAwait(false))
        {
            if (!IsOver(name[prefix.Length..].Split('/')[0])
                && await documents.ReadOrDiscardAsync<Day>(Containers.State, name, e => LogDamaged(e, name), ct).ConfigureAwait(false) is { } day)
            {
                Merge(found, day.Value.Texts);
            }
        }
        foreach (((string model, string day), UncertainReservoir reservoir) in reservoirs)
        {
            if (model == dataset && !IsOver(day))
            {
                Merge(found, reservoir.Read().Texts);
            }
        }
        Func<string, bool> isLabeled = found.Count == 0 ? _ => false : await labeled.ReadAsync(dataset, ct).ConfigureAwait(false);
        KeyValuePair<string, UncertainText>[] page =
        [
            .. found
                .Where(text => (text.Value.Margin, text.Key).CompareTo(behind) > 0 && !isLabeled(text.Key))
                .OrderBy(text => text.Value.Margin).ThenBy(text => text.Key, StringComparer.Ordinal)
                .Take(count + 1),
        ];
        return page.Length > count
            ? new UncertainPage([.. page[..count].Select(text => text.Value)], MarkOf(page[count - 1]))
            : new UncertainPage([.. page.Select(text => text.Value)], null);
    }

    /// <summary>Deletes the texts of days that are past their time, and puts those of a day that is over together.</summary>
    /// <param name="ct">Cancels the call; the next one goes on.</param>
    public async Task PurgeAsync(CancellationToken ct = default)
    {
        string today = DayOf(time.GetUtcNow());
        var days = new Dictionary<(string Model, string Day), List<string>>();
        foreach (string name in await NamesAsync(StatePaths.UncertainTexts, ct).ConfigureAwait(false))
        {
            if (name[StatePaths.UncertainTexts.Length..].Split('/') is [var model, var day, _])
            {
                if (!days.TryGetValue((model, day), out List<string>? files))
                {
                    days[(model, day)] = files = [];
                }
                files.Add(name);
            }
        }
        foreach (((string model, string day), List<string> files) in days)
        {
            if (IsOver(day))
            {
                foreach (string file in files)
                {
                    await store.DeleteAsync(Containers.State, file, ct).ConfigureAwait(false);
                }
            }
            else if (files.Count > 1 && string.CompareOrdinal(day, today) < 0)
            {
                await PutTogetherAsync(model, day, files, ct).ConfigureAwait(false);
            }
        }
    }

    // What a process writes later of that day is put together with it the next time.
    private async Task PutTogetherAsync(string model, string day, List<string> files, CancellationToken ct)
    {
        string whole = StatePaths.Uncertain(model, day, "all");
        var texts = new Dictionary<string, UncertainText>(StringComparer.Ordinal);
        var read = new List<(string Name, ETag Tag)>();
        foreach (string file in files)
        {
            if (await documents.ReadOrDiscardAsync<Day>(Containers.State, file, e => LogDamaged(e, file), ct).ConfigureAwait(false) is { } part)
            {
                Merge(texts, part.Value.Texts);
                read.Add((file, part.Info.ETag));
            }
        }
        await documents.WriteAsync(Containers.State, whole, new Day([.. texts.Values.OrderBy(text => text.Margin).Take(TextsOfAPastDay)]), ct).ConfigureAwait(false);
        foreach ((string file, ETag tag) in read)
        {
            if (file != whole)
            {
                await store.DeleteIfMatchAsync(Containers.State, file, tag, ct).ConfigureAwait(false);
            }
        }
    }

    // Of one text the answer of the newest version counts, and of that the latest.
    private static void Merge(Dictionary<string, UncertainText> into, IEnumerable<UncertainText> texts)
    {
        foreach (UncertainText text in texts)
        {
            string digest = TextDigest.Of(text.Text);
            if (!into.TryGetValue(digest, out UncertainText? known) || (known.Version, known.ServedAt).CompareTo((text.Version, text.ServedAt)) < 0)
            {
                into[digest] = text;
            }
        }
    }

    private async Task<IReadOnlyList<string>> NamesAsync(string prefix, CancellationToken ct)
    {
        var names = new List<string>();
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            names.Add(blob.Name);
        }
        return names;
    }

    private bool IsOver(string day) => string.CompareOrdinal(day, DayOf(time.GetUtcNow().AddDays(-options.RetentionDays))) < 0;

    private static string DayOf(DateTimeOffset at) => at.UtcDateTime.ToString(DayFormat, CultureInfo.InvariantCulture);

    private static double MarginOf(float[] probabilities)
    {
        float best = 0, second = 0;
        foreach (float p in probabilities)
        {
            if (p > best)
            {
                second = best;
                best = p;
            }
            else if (p > second)
            {
                second = p;
            }
        }
        return (double)best - second;
    }

    private static double EntropyOf(float[] probabilities) => -probabilities.Where(p => p > 0).Sum(p => p * Math.Log(p));

    private static UncertainLabel[] Best(float[] probabilities, IReadOnlyList<string> labels) =>
    [
        .. probabilities.Select((p, i) => new UncertainLabel(labels[i], p)).OrderByDescending(label => label.Score).Take(Labels),
    ];

    private static string MarkOf(KeyValuePair<string, UncertainText> text) =>
        string.Create(CultureInfo.InvariantCulture, $"{BitConverter.DoubleToInt64Bits(text.Value.Margin):x16}-{text.Key}");

    private static (double Margin, string Digest) ReadMark(string mark) =>
        mark.Split('-') is [{ Length: 16 } bits, { Length: 2 * TextDigest.Size } digest]
        && long.TryParse(bits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long margin)
            ? (BitConverter.Int64BitsToDouble(margin), digest)
            : throw new FormatException($"'{(mark.Length <= 100 ? mark : mark[..100] + "…")}' is not the mark of a page.");

    [LoggerMessage(80, LogLevel.Warning, "{Model}: uncertain texts cannot be written down; they are kept for a day and tried again.")]
    private partial void LogNotWritten(Exception exception, string model);

    [LoggerMessage(81, LogLevel.Warning, "{File}, a day's uncertain texts, is damaged and left out.")]
    private partial void LogDamaged(Exception exception, string file);

    private sealed record Day(IReadOnlyList<UncertainText> Texts);
}
