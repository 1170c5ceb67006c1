using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Ulmfit.Diagnostics;

/// <summary>Measures answering: requests, their queue, the batches they are computed in, and the models that are loaded for them.</summary>
public static class ServingMeter
{
    private static readonly Counter<long> Requests = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.classify.requests", "{request}", "Requests to the classifier, by what became of them.");

    private static readonly Histogram<double> RequestDuration = UlmfitMeter.Instance.CreateHistogram(
        "ulmfit.classify.duration", "s", "From a request's arrival at the classifier to its answer.", advice: UlmfitMeter.Quick);

    private static readonly UpDownCounter<long> Active = UlmfitMeter.Instance.CreateUpDownCounter<long>(
        "ulmfit.classify.active_requests", "{request}", "Requests to the classifier that are being worked on or wait.");

    private static readonly Counter<long> Texts = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.classify.texts", "{text}", "Texts that were classified.");

    private static readonly Counter<long> Tokens = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.classify.tokens", "{token}", "Tokens of the texts that were classified.");

    private static readonly Histogram<long> BatchSize = UlmfitMeter.Instance.CreateHistogram<long>(
        "ulmfit.classify.batch.size", "{text}", "Texts that were computed at once.", advice: new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] });

    private static readonly Histogram<double> ComputeDuration = UlmfitMeter.Instance.CreateHistogram(
        "ulmfit.classify.compute.duration", "s", "The computation of one batch.", advice: UlmfitMeter.Quick);

    private static readonly UpDownCounter<long> QueueLength = UlmfitMeter.Instance.CreateUpDownCounter<long>(
        "ulmfit.classify.queue.length", "{text}", "Texts that wait for their computation.");

    private static readonly Histogram<double> QueueDuration = UlmfitMeter.Instance.CreateHistogram(
        "ulmfit.classify.queue.duration", "s", "From a text's entry into the queue to the begin of its computation.", advice: UlmfitMeter.Quick);

    private static readonly UpDownCounter<long> Loaded = UlmfitMeter.Instance.CreateUpDownCounter<long>(
        "ulmfit.model.loaded", "{model}", "Models held in memory.");

    private static readonly Histogram<double> LoadDuration = UlmfitMeter.Instance.CreateHistogram(
        "ulmfit.model.load.duration", "s", "Loading a model, from the first byte read to the session that can answer.", advice: UlmfitMeter.Quick);

    private static readonly Gauge<long> Champion = UlmfitMeter.Instance.CreateGauge<long>(
        "ulmfit.model.champion", "{version}", "The number of the version that answers for a model.");

    /// <summary>A request has come in, before anything of it is known. <see cref="EndRequest"/> ends it.</summary>
    public static void BeginRequest() => Active.Add(1);

    /// <summary>A request has ended.</summary>
    /// <param name="model">The version that answered; null where none was reached.</param>
    /// <param name="outcome">What became of it.</param>
    /// <param name="duration">How long it took.</param>
    public static void EndRequest(ModelAttributes? model, RequestOutcome outcome, TimeSpan duration)
    {
        Active.Add(-1);
        if (!Requests.Enabled && !RequestDuration.Enabled)
        {
            return;
        }
        TagList tags = TagsOf(model);
        tags.Add(UlmfitMeter.OutcomeKey, NameOf(outcome));
        Requests.Add(1, tags);
        RequestDuration.Record(duration.TotalSeconds, tags);
    }

    /// <summary>Texts have entered the queue of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">How many texts.</param>
    public static void Enqueue(ModelAttributes model, int texts)
    {
        ArgumentNullException.ThrowIfNull(model);
        QueueLength.Add(texts, model.ModelTag);
    }

    /// <summary>Texts have left the queue of a model, to be computed or because their caller went away.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">How many texts.</param>
    /// <param name="waited">How long they waited.</param>
    public static void Dequeue(ModelAttributes model, int texts, TimeSpan waited)
    {
        ArgumentNullException.ThrowIfNull(model);
        QueueLength.Add(-texts, model.ModelTag);
        QueueDuration.Record(waited.TotalSeconds, model.ModelTag);
    }

    /// <summary>A batch has been computed: texts that are read on together in one direction, by some tokens or to their end.</summary>
    /// <param name="model">The version that computed it.</param>
    /// <param name="texts">Texts in it.</param>
    /// <param name="duration">How long it took.</param>
    public static void RecordRun(ModelAttributes model, int texts, TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(model);
        BatchSize.Record(texts, model.ModelTag, model.VersionTag);
        ComputeDuration.Record(duration.TotalSeconds, model.ModelTag, model.VersionTag);
    }

    /// <summary>Texts have been classified.</summary>
    /// <param name="model">The version that classified them.</param>
    /// <param name="texts">How many texts.</param>
    /// <param name="tokens">Tokens of them, padding left out.</param>
    public static void RecordTexts(ModelAttributes model, int texts, long tokens)
    {
        ArgumentNullException.ThrowIfNull(model);
        Texts.Add(texts, model.ModelTag, model.VersionTag);
        Tokens.Add(tokens, model.ModelTag, model.VersionTag);
    }

    /// <summary>A model has been loaded, warmed up where that is part of it. <see cref="Unload"/> takes it back.</summary>
    /// <param name="model">The version.</param>
    /// <param name="duration">How long it took.</param>
    public static void Load(ModelAttributes model, TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(model);
        Loaded.Add(1, model.ModelTag, model.VersionTag);
        LoadDuration.Record(duration.TotalSeconds, model.ModelTag, model.VersionTag, new(UlmfitMeter.OutcomeKey, "loaded"));
    }

    /// <summary>A model could not be loaded.</summary>
    /// <param name="model">The version.</param>
    /// <param name="duration">How long it was tried.</param>
    public static void FailLoad(ModelAttributes model, TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(model);
        LoadDuration.Record(duration.TotalSeconds, model.ModelTag, model.VersionTag, new(UlmfitMeter.OutcomeKey, "failed"));
    }

    /// <summary>A model that had been loaded was let go.</summary>
    /// <param name="model">The version.</param>
    public static void Unload(ModelAttributes model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Loaded.Add(-1, model.ModelTag, model.VersionTag);
    }

    /// <summary>A version answers for its model from now on.</summary>
    /// <param name="model">The version.</param>
    public static void Serve(ModelAttributes model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Champion.Record(model.Version, model.ModelTag);
    }

    private static TagList TagsOf(ModelAttributes? model) => model is null ? default : new TagList { model.ModelTag, model.VersionTag };

    private static string NameOf(RequestOutcome outcome) => outcome switch
    {
        RequestOutcome.Answered => "answered",
        RequestOutcome.Invalid => "invalid",
        RequestOutcome.NotFound => "not_found",
        RequestOutcome.Throttled => "throttled",
        RequestOutcome.Canceled => "canceled",
        _ => "failed",
    };
}

/// <summary>What became of a request to the classifier.</summary>
public enum RequestOutcome
{
    /// <summary>It was answered.</summary>
    Answered,

    /// <summary>It could not be read, or asked for too much: 4xx.</summary>
    Invalid,

    /// <summary>There is no such model or version: 404.</summary>
    NotFound,

    /// <summary>It was turned away because the host is busy: 429.</summary>
    Throttled,

    /// <summary>Its caller went away.</summary>
    Canceled,

    /// <summary>It failed: 5xx.</summary>
    Failed,
}
