using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Ulmfit.Onnx;

namespace Ulmfit.Functions.Http;

/// <summary>An answer of the classifier, written member by member: it is what a host answers most.</summary>
/// <param name="model">The model.</param>
/// <param name="version">The version that answered.</param>
/// <param name="predictions">The labels of each text, best first.</param>
/// <param name="explained">Each text and what of it spoke for its first label; null where nobody asked.</param>
internal sealed class ClassifyResult(
    string model, int version, IReadOnlyList<IReadOnlyList<LabelScore>> predictions, IReadOnlyList<ExplainedText>? explained = null) : IResult
{
    private const int Beginning = 512;

    private static readonly JsonEncodedText Model = JsonEncodedText.Encode("model");
    private static readonly JsonEncodedText Version = JsonEncodedText.Encode("version");
    private static readonly JsonEncodedText Predictions = JsonEncodedText.Encode("predictions");
    private static readonly JsonEncodedText Label = JsonEncodedText.Encode("label");
    private static readonly JsonEncodedText Score = JsonEncodedText.Encode("score");
    private static readonly JsonEncodedText Explanation = JsonEncodedText.Encode("explanation");

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        // Whole before it is sent, so that its length is known and one write does.
        var body = new ArrayBufferWriter<byte>(Beginning);
        Write(body);
        HttpResponse response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.WrittenCount;
        await response.Body.WriteAsync(body.WrittenMemory, httpContext.RequestAborted);
    }

    private void Write(ArrayBufferWriter<byte> body)
    {
        using var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = ApiJson.Options.Encoder, SkipValidation = true });
        json.WriteStartObject();
        json.WriteString(Model, model);
        json.WriteNumber(Version, version);
        json.WriteStartArray(Predictions);
        for (int text = 0; text < predictions.Count; text++)
        {
            if (explained is null)
            {
                json.WriteStartArray();
                Write(json, predictions[text]);
                json.WriteEndArray();
                continue;
            }
            json.WriteStartObject();
            json.WriteStartArray(Predictions);
            Write(json, predictions[text]);
            json.WriteEndArray();
            json.WritePropertyName(Explanation);
            Write(json, explained[text]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyList<LabelScore> prediction)
    {
        for (int i = 0; i < prediction.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString(Label, prediction[i].Label);
            json.WriteNumber(Score, prediction[i].Score);
            json.WriteEndObject();
        }
    }

    private static void Write(Utf8JsonWriter json, ExplainedText explained)
    {
        json.WriteStartObject();
        json.WriteString(Label, explained.Explanation.Label);
        json.WriteString("method", Onnx.Explanation.Method);
        json.WriteStartArray("tokens");
        foreach (TextContribution part in explained.Explanation.Parts)
        {
            json.WriteStartObject();
            json.WriteString("text", explained.Text.AsSpan(part.Start, part.End - part.Start));
            json.WriteNumber("start", part.Start);
            json.WriteNumber("end", part.End);
            json.WriteNumber("contribution", part.Contribution);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>A text with what of it spoke for its first label.</summary>
internal sealed record ExplainedText(string Text, Explanation Explanation);
