using System.Text.Encodings.Web;
using System.Text.Json;
using Ulmfit.Data;

namespace Ulmfit.Pipeline.Datasets;

/// <summary>The rows of a data-set version.</summary>
/// <param name="Train">Rows to train on.</param>
/// <param name="HeldOut">Rows to measure on.</param>
/// <param name="Unlabeled">Unlabelled texts.</param>
public sealed record DatasetRows(IReadOnlyList<LabeledRow> Train, IReadOnlyList<LabeledRow> HeldOut, IReadOnlyList<string> Unlabeled)
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static void Write(Stream destination, IEnumerable<(string Text, string? Label)> rows)
    {
        using var writer = new Utf8JsonWriter(destination, Json);
        writer.WriteStartArray();
        foreach ((string text, string? label) in rows)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(text);
            if (label is not null)
            {
                writer.WriteStringValue(label);
            }
            writer.WriteEndArray();
            // The buffer would otherwise grow to the whole payload.
            if (writer.BytesPending > 1 << 20)
            {
                writer.Flush();
            }
        }
        writer.WriteEndArray();
    }

    internal static IReadOnlyList<LabeledRow> ReadLabeled(ReadOnlySpan<byte> payload) =>
        [.. Read(payload).Select(row => new LabeledRow(row[0], row[1], 0))];

    internal static IReadOnlyList<string> ReadUnlabeled(ReadOnlySpan<byte> payload) => [.. Read(payload).Select(row => row[0])];

    private static string[][] Read(ReadOnlySpan<byte> payload) =>
        JsonSerializer.Deserialize<string[][]>(payload) ?? throw new InvalidDataException("The rows of the data set are null.");
}
