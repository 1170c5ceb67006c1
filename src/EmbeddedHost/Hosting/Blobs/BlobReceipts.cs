using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>How far a function has got with a blob.</summary>
internal enum BlobState
{
    /// <summary>Tried, and not yet done.</summary>
    Trying,

    /// <summary>Processed.</summary>
    Done,

    /// <summary>Given up.</summary>
    Poisoned,
}

/// <summary>What a function has done with one version of a blob.</summary>
/// <param name="Blob">The blob's name.</param>
/// <param name="ETag">Its version.</param>
/// <param name="State">How far the function has got.</param>
/// <param name="Attempts">How often it was tried.</param>
internal sealed record BlobReceipt(string Blob, string ETag, BlobState State, int Attempts);

/// <summary>
/// The receipts of one function: a journal with a line for each change, of which the last for a blob holds. A line cut short by a
/// crash is passed over; the journal is written anew at the start when most of it is history.
/// </summary>
internal sealed class BlobReceipts : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, BlobReceipt> receipts = new(StringComparer.Ordinal);
    private readonly FileStream? journal;

    private BlobReceipts(FileStream? journal) => this.journal = journal;

    /// <summary>Receipts that end with the process, for triggers that keep none.</summary>
    public static BlobReceipts InMemory() => new(null);

    /// <summary>Reads a journal, or begins it.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="logger">Told of a journal that cannot be read.</param>
    public static BlobReceipts Open(string path, ILogger logger)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var found = new Dictionary<string, BlobReceipt>(StringComparer.Ordinal);
        int lines = 0;
        bool damaged = false;
        if (File.Exists(path))
        {
            foreach (string line in File.ReadLines(path))
            {
                lines++;
                try
                {
                    BlobReceipt receipt = JsonSerializer.Deserialize(line, ReceiptJson.Default.BlobReceipt)!;
                    found[receipt.Blob] = receipt;
                }
                catch (JsonException e)
                {
                    damaged = true;
                    HostLog.RecordUnreadable(logger, $"Line {lines} of {path}", e.Message);
                }
            }
        }

        if (damaged || lines > (2 * found.Count) + 100)
        {
            AtomicFile.Write(path, System.Text.Encoding.UTF8.GetBytes(string.Concat(found.Values.Select(Line))));
        }

        var receipts = new BlobReceipts(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0));
        foreach (BlobReceipt receipt in found.Values)
        {
            receipts.receipts[receipt.Blob] = receipt;
        }

        return receipts;
    }

    /// <summary>The receipt of a version of a blob; null where the function has not seen it.</summary>
    public BlobReceipt? Find(string blob, string etag)
    {
        lock (gate)
        {
            return receipts.TryGetValue(blob, out BlobReceipt? receipt) && receipt.ETag == etag ? receipt : null;
        }
    }

    /// <summary>Writes a receipt; it takes the place of the blob's earlier one.</summary>
    public void Write(BlobReceipt receipt)
    {
        lock (gate)
        {
            journal?.Write(System.Text.Encoding.UTF8.GetBytes(Line(receipt)));
            receipts[receipt.Blob] = receipt;
        }
    }

    public void Dispose() => journal?.Dispose();

    private static string Line(BlobReceipt receipt) => JsonSerializer.Serialize(receipt, ReceiptJson.Default.BlobReceipt) + "\n";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BlobReceipt))]
[JsonSerializable(typeof(PoisonMessage))]
internal sealed partial class ReceiptJson : JsonSerializerContext;
