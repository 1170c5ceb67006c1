using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ulmfit.Data;

namespace Ulmfit.Pipeline.Feedback;

/// <summary>
/// Drops made of feedback: JSON lines <c>{"text", "label", "correctedAt"}</c> under a name that begins with <c>feedback-</c>. Whatever the
/// data set's settings call its columns, these are called so.
/// </summary>
internal static partial class FeedbackFile
{
    private const string CorrectedAt = "correctedAt";

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether a drop is one of feedback.</summary>
    public static bool IsOne(string name) => Name().IsMatch(name);

    /// <summary>How such a drop is read.</summary>
    public static LabeledDataOptions Reading(LabeledDataOptions options) => options with { TextColumn = "text", LabelColumn = "label", CorrectedAtColumn = CorrectedAt };

    /// <summary>Writes rows.</summary>
    public static byte[] Write(IEnumerable<WaitingRow> rows)
    {
        using var content = new MemoryStream();
        using var writer = new Utf8JsonWriter(content, Json);
        foreach (WaitingRow row in rows)
        {
            writer.WriteStartObject();
            writer.WriteString("text", row.Text);
            writer.WriteString("label", row.Label);
            writer.WriteString(CorrectedAt, row.At.UtcDateTime);
            writer.WriteEndObject();
            writer.Flush();
            content.WriteByte((byte)'\n');
            writer.Reset();
        }
        return content.ToArray();
    }

    /// <summary>The name of a drop, which follows from its content: the time of its last row, and a digest.</summary>
    public static string NameOf(byte[] content, DateTimeOffset last) =>
        string.Create(CultureInfo.InvariantCulture, $"feedback-{last.UtcDateTime:yyyyMMdd'T'HHmmss}-{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}.jsonl");

    [GeneratedRegex(@"\Afeedback-[0-9]{8}T[0-9]{6}-[0-9a-f]{16}\.jsonl\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}

/// <summary>A row of feedback that waits to become part of a drop.</summary>
/// <param name="Text">The text.</param>
/// <param name="Label">The label.</param>
/// <param name="At">When somebody said so: of what is said of a text, the latest counts.</param>
/// <param name="IsLate">Whether it was stored later than that: by a call repeated under its key.</param>
internal sealed record WaitingRow(string Text, string Label, DateTimeOffset At, bool IsLate = false);
