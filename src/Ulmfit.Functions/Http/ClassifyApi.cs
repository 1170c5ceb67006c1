using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Onnx;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Serving;

namespace Ulmfit.Functions.Http;

/// <summary>The classifier.</summary>
internal sealed class ClassifyApi(ApiGuard guard, ModelCache cache, Admission admission, Limits limits)
{
    /// <summary>
    /// Classifies one text or several. <c>parameters.top_k</c>: how many labels an answer names (all unless given);
    /// <c>parameters.threshold</c>: where no label has so high a score, the answer begins with the label null and the best score, before
    /// the labels; <c>parameters.version</c>: a version other than the champion.
    /// </summary>
    [Function("Classify")]
    public Task<IResult> Classify(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/models/{model}/classify")] HttpRequest request, string model) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(model);
            using IDisposable place = admission.EnterClassifier();
            ClassifyRequest asked;
            using (JsonDocument body = await ApiJson.ReadObjectAsync(request, limits.ClassifyBytes, ct))
            {
                asked = ClassifyRequest.Read(body.RootElement, limits);
            }
            using ModelLease? lease = asked.Version is { } version
                ? await cache.AcquireVersionAsync(model, version, ct)
                : await cache.AcquireChampionAsync(model, ct);
            if (lease is null)
            {
                throw asked.Version is null
                    ? ProblemException.NotFound("model-not-found", $"There is no model '{model}' that answers.")
                    : ProblemException.NotFound("version-not-found", $"The model '{model}' has no version {asked.Version}.");
            }
            float[][] probabilities = await lease.PredictAsync(asked.Inputs, ct);
            int topK = Math.Min(asked.TopK ?? int.MaxValue, lease.Labels.Count);
            IHeaderDictionary headers = request.HttpContext.Response.Headers;
            headers["X-Model-Version"] = lease.Card.Version.ToString(CultureInfo.InvariantCulture);
            headers.ETag = $"\"{lease.Digest}\"";
            return ApiJson.Result(new ClassifyResponse(
                model, lease.Card.Version, [.. probabilities.Select(row => lease.Rank(row, topK, asked.Threshold))]));
        });

    private sealed record ClassifyResponse(string Model, int Version, IReadOnlyList<IReadOnlyList<LabelScore>> Predictions);

    private sealed record ClassifyRequest(IReadOnlyList<string> Inputs, int? TopK, float Threshold, int? Version)
    {
        public static ClassifyRequest Read(JsonElement body, Limits limits)
        {
            int? topK = null;
            float threshold = 0;
            int? version = null;
            if (body.TryGetProperty("parameters", out JsonElement parameters) && parameters.ValueKind != JsonValueKind.Null)
            {
                if (parameters.ValueKind != JsonValueKind.Object)
                {
                    throw ProblemException.Invalid("'parameters' must be an object.");
                }
                topK = Positive(parameters, "top_k");
                threshold = Share(parameters, "threshold") ?? 0;
                version = Positive(parameters, "version");
            }
            return new ClassifyRequest(ReadInputs(body, limits), topK, threshold, version);
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
