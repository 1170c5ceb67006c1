using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Diagnostics;
using Ulmfit.Onnx;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Pipeline.Uncertain;
using Ulmfit.Text;

namespace Ulmfit.Functions.Http;

/// <summary>The classifier.</summary>
internal sealed class ClassifyApi(
    ApiGuard guard, ModelCache cache, Admission admission, DriftMonitor drift, UncertainTexts uncertain, Limits limits)
{
    /// <summary>
    /// Classifies one text or several. <c>parameters.top_k</c>: how many labels an answer names (all unless given);
    /// <c>parameters.threshold</c>: where no label has so high a score, the answer begins with the label null and the best score, before
    /// the labels; <c>parameters.version</c>: a version other than the champion; <c>parameters.explain</c>: an answer also says how much each
    /// word spoke for its first label.
    /// </summary>
    [Function("Classify")]
    public Task<IResult> Classify(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/models/{model}/classify")] HttpRequest request, string model) =>
        guard.HandleAsync(request, async ct =>
        {
            long began = Stopwatch.GetTimestamp();
            ServingMeter.BeginRequest();
            using Activity? span = UlmfitTraces.StartClassify();
            ModelAttributes? answering = null;
            RequestOutcome outcome = RequestOutcome.Answered;
            try
            {
                RouteNames.CheckDataset(model);
                using IDisposable place = admission.EnterClassifier();
                ClassifyRequest asked = await ReadAsync(request, ct);
                using ModelLease lease = await AcquireAsync(model, asked.Version, ct);
                answering = lease.Attributes;
                span?.Describe(answering);
                var tally = new TokenTally();
                float[][] probabilities = await PredictAsync(lease, asked.Inputs, tally, ct);
                ExplainedText[]? explained = asked.Explain ? await ExplainAsync(lease, asked.Inputs, probabilities, ct) : null;
                drift.Record(lease.Card, lease.Labels, probabilities, tally);
                uncertain.Observe(model, lease.Card.Version, asked.Inputs, probabilities, lease.Labels);
                IHeaderDictionary headers = request.HttpContext.Response.Headers;
                headers["X-Model-Version"] = lease.Card.Version.ToString(CultureInfo.InvariantCulture);
                headers.ETag = $"\"{lease.Digest}\"";
                int topK = Math.Min(asked.TopK ?? int.MaxValue, lease.Labels.Count);
                IReadOnlyList<LabelScore>[] predictions = Array.ConvertAll(probabilities, row => lease.Rank(row, topK, asked.Threshold));
                return (IResult)new ClassifyResult(model, lease.Card.Version, predictions, explained);
            }
            catch (Exception e)
            {
                outcome = OutcomeOf(e, ct);
                span.Fail(e);
                throw;
            }
            finally
            {
                ServingMeter.EndRequest(answering, outcome, Stopwatch.GetElapsedTime(began));
            }
        });

    private async Task<ClassifyRequest> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        using JsonDocument body = await ApiJson.ReadObjectAsync(request, limits.ClassifyBytes, ct);
        return ClassifyRequest.Read(body.RootElement, limits);
    }

    private async Task<ModelLease> AcquireAsync(string model, int? version, CancellationToken ct) => version is { } asked
        ? await cache.AcquireVersionAsync(model, asked, ct) ?? throw ProblemException.NotFound("version-not-found", $"The model '{model}' has no version {asked}.")
        : await cache.AcquireChampionAsync(model, ct) ?? throw ProblemException.NotFound("model-not-found", $"There is no model '{model}' that answers.");

    private static async Task<float[][]> PredictAsync(ModelLease lease, IReadOnlyList<string> texts, TokenTally tally, CancellationToken ct)
    {
        try
        {
            return await lease.PredictAsync(texts, tally, ct);
        }
        catch (ClassifierBusyException e)
        {
            throw TooMany(e);
        }
    }

    private async Task<ExplainedText[]> ExplainAsync(ModelLease lease, IReadOnlyList<string> texts, float[][] probabilities, CancellationToken ct)
    {
        var explained = new ExplainedText[texts.Count];
        for (int i = 0; i < explained.Length; i++)
        {
            try
            {
                explained[i] = new ExplainedText(texts[i], await lease.ExplainAsync(texts[i], probabilities[i], limits.ExplainTokens, ct));
            }
            catch (TextTooLongException e)
            {
                throw ProblemException.TooLarge($"'inputs[{i}]': {e.Message} Classify it without 'parameters.explain'.").With("limit", e.Limit);
            }
            catch (ClassifierBusyException e)
            {
                throw TooMany(e);
            }
        }
        return explained;
    }

    private static ProblemException TooMany(ClassifierBusyException busy) => ProblemException.TooMany(busy.Message, (int)Math.Ceiling(busy.RetryAfter.TotalSeconds));

    private static RequestOutcome OutcomeOf(Exception exception, CancellationToken ct) => exception switch
    {
        ProblemException { Status: StatusCodes.Status404NotFound } => RequestOutcome.NotFound,
        ProblemException { Status: StatusCodes.Status429TooManyRequests } => RequestOutcome.Throttled,
        ProblemException { Status: < StatusCodes.Status500InternalServerError } or BadHttpRequestException => RequestOutcome.Invalid,
        OperationCanceledException when ct.IsCancellationRequested => RequestOutcome.Canceled,
        _ => RequestOutcome.Failed,
    };

    private sealed record ClassifyRequest(IReadOnlyList<string> Inputs, int? TopK, float Threshold, int? Version, bool Explain)
    {
        public static ClassifyRequest Read(JsonElement body, Limits limits)
        {
            int? topK = null;
            float threshold = 0;
            int? version = null;
            bool explain = false;
            if (body.TryGetProperty("parameters", out JsonElement parameters) && parameters.ValueKind != JsonValueKind.Null)
            {
                if (parameters.ValueKind != JsonValueKind.Object)
                {
                    throw ProblemException.Invalid("'parameters' must be an object.");
                }
                topK = Positive(parameters, "top_k");
                threshold = Share(parameters, "threshold") ?? 0;
                version = Positive(parameters, "version");
                explain = Switch(parameters, "explain");
            }
            string[] inputs = ReadInputs(body, limits);
            return !explain || inputs.Length <= limits.ExplainInputs
                ? new ClassifyRequest(inputs, topK, threshold, version, explain)
                : throw ProblemException.TooLarge($"'inputs' holds {inputs.Length} texts; {limits.ExplainInputs} are the most that are explained. Send them in parts.").With("limit", limits.ExplainInputs);
        }

        private static string[] ReadInputs(JsonElement body, Limits limits)
        {
            if (!body.TryGetProperty("inputs", out JsonElement inputs))
            {
                throw ProblemException.Invalid("'inputs' is missing: a text or an array of texts.");
            }
            if (inputs.ValueKind == JsonValueKind.String)
            {
                return [Text(inputs, "'inputs'", limits)];
            }
            if (inputs.ValueKind != JsonValueKind.Array)
            {
                throw ProblemException.Invalid($"'inputs' must be a text or an array of texts; {Kind(inputs)} was found.");
            }
            int count = inputs.GetArrayLength();
            if (count > limits.ClassifyInputs)
            {
                throw ProblemException.TooLarge($"'inputs' holds {count} texts; {limits.ClassifyInputs} are the most. Send them in parts.").With("limit", limits.ClassifyInputs);
            }
            var texts = new string[count];
            int index = 0;
            foreach (JsonElement input in inputs.EnumerateArray())
            {
                if (input.ValueKind != JsonValueKind.String)
                {
                    throw ProblemException.Invalid($"'inputs[{index}]' must be a text; {Kind(input)} was found.");
                }
                texts[index] = Text(input, $"'inputs[{index}]'", limits);
                index++;
            }
            return texts;
        }

        private static string Text(JsonElement element, string path, Limits limits)
        {
            string text = ApiJson.TextOf(element, path);
            return text.Length <= limits.ClassifyCharacters
                ? text
                : throw ProblemException.TooLarge($"{path} has {text.Length} characters; {limits.ClassifyCharacters} are the most.").With("limit", limits.ClassifyCharacters);
        }

        private static int? Positive(JsonElement parameters, string name)
        {
            if (!parameters.TryGetProperty(name, out JsonElement element) || element.ValueKind == JsonValueKind.Null)
            {
                return null;
            }
            return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int value) && value >= 1
                ? value
                : throw ProblemException.Invalid($"'parameters.{name}' must be a whole number of at least 1; {Kind(element)} was found.");
        }

        private static bool Switch(JsonElement parameters, string name)
        {
            if (!parameters.TryGetProperty(name, out JsonElement element) || element.ValueKind == JsonValueKind.Null)
            {
                return false;
            }
            return element.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? element.GetBoolean()
                : throw ProblemException.Invalid($"'parameters.{name}' must be true or false; {Kind(element)} was found.");
        }

        // Read as scores are written, so that a score of 0.7 is not below the threshold 0.7.
        private static float? Share(JsonElement parameters, string name)
        {
            if (!parameters.TryGetProperty(name, out JsonElement element) || element.ValueKind == JsonValueKind.Null)
            {
                return null;
            }
            return element.ValueKind == JsonValueKind.Number && element.TryGetSingle(out float value) && value is >= 0 and <= 1
                ? value
                : throw ProblemException.Invalid($"'parameters.{name}' must be a number of at least 0 and at most 1; {Kind(element)} was found.");
        }

        private static string Kind(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Null => "null",
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.String => "a text",
            JsonValueKind.Number => $"the number {element.GetRawText()}",
            _ => element.GetRawText(),
        };
    }
}
