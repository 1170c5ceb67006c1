using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Feedback;

namespace Ulmfit.Functions.Http;

/// <summary>What people say back.</summary>
internal sealed class FeedbackApi(ApiGuard guard, FeedbackStore feedback, DatasetCatalog datasets, Limits limits)
{
    private const string KeyHeader = "Idempotency-Key";
    private const int LongestKey = 255;
    private const int FullAgainSeconds = 60;

    /// <summary>
    /// Stores texts with the labels that they should have had, for the next round: <c>{"text", "label"}</c>, or several as <c>{"rows": […]}</c>.
    /// Under an <c>Idempotency-Key</c> a call is stored once, however often it is repeated.
    /// </summary>
    [Function("PostFeedback")]
    public Task<IResult> PostFeedback(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/models/{model}/feedback")] HttpRequest request, string model) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(model);
            string? key = ReadKey(request);
            FeedbackRow[] rows;
            using (JsonDocument body = await ApiJson.ReadObjectAsync(request, limits.BodyBytes, ct))
            {
                rows = ReadRows(body.RootElement);
            }
            if (!await datasets.ExistsAsync(model, ct))
            {
                throw ProblemException.NotFound("dataset-not-found", $"There is no data set '{model}'.");
            }
            try
            {
                FeedbackReceipt receipt = await feedback.PutAsync(model, rows, key, ct);
                return ApiJson.Result(
                    new { model, receipt.Rows, receipt.Waiting },
                    receipt.IsRepeated ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
            }
            catch (FeedbackRefusedException e)
            {
                throw e.Refusal switch
                {
                    FeedbackRefusal.KeyTaken => new ProblemException(422, "idempotency-key-reused", "Key used before", e.Message),
                    FeedbackRefusal.Full => ProblemException.TooMany(e.Message, FullAgainSeconds).With("limit", limits.FeedbackWaiting),
                    _ => ProblemException.Invalid(e.Message),
                };
            }
        });

    private static string? ReadKey(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(KeyHeader, out Microsoft.Extensions.Primitives.StringValues values))
        {
            return null;
        }
        string key = values.ToString();
        return key.Length is > 0 and <= LongestKey && !key.Any(char.IsControl)
            ? key
            : throw ProblemException.Invalid($"The header {KeyHeader} must have 1 to {LongestKey} characters, none of them a control character.");
    }

    private FeedbackRow[] ReadRows(JsonElement body)
    {
        if (!body.TryGetProperty("rows", out JsonElement rows))
        {
            return [ReadRow(body, "")];
        }
        if (rows.ValueKind != JsonValueKind.Array || body.TryGetProperty("text", out _) || body.TryGetProperty("label", out _))
        {
            throw ProblemException.Invalid("""The body must be {"text": …, "label": …} or {"rows": [{"text": …, "label": …}, …]}.""");
        }
        int count = rows.GetArrayLength();
        if (count == 0)
        {
            throw ProblemException.Invalid("'rows' is empty.");
        }
        if (count > limits.FeedbackRows)
        {
            throw ProblemException.TooLarge($"'rows' holds {count} rows; {limits.FeedbackRows} are the most. Send them in parts, or as a drop.").With("limit", limits.FeedbackRows);
        }
        return [.. rows.EnumerateArray().Select((row, index) => ReadRow(row, $"rows[{index}]."))];
    }

    private static FeedbackRow ReadRow(JsonElement row, string path)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            throw ProblemException.Invalid($"'{path.TrimEnd('.')}' must be an object with 'text' and 'label'.");
        }
        return new FeedbackRow(ReadText(row, "text", path), ReadText(row, "label", path).Trim());
    }

    private static string ReadText(JsonElement row, string name, string path)
    {
        if (!row.TryGetProperty(name, out JsonElement value) || value.ValueKind != JsonValueKind.String)
        {
            throw ProblemException.Invalid($"'{path}{name}' must be a text.");
        }
        string text = ApiJson.TextOf(value, $"'{path}{name}'");
        return string.IsNullOrWhiteSpace(text) ? throw ProblemException.Invalid($"'{path}{name}' is empty.") : text;
    }
}
