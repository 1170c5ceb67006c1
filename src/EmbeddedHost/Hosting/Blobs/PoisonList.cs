using System.Text;
using System.Text.Json;

namespace EmbeddedHost;

/// <summary>A blob that was given up; the members are those of a message in the queue of that name in Functions, with the reason and the time.</summary>
/// <param name="Type">Always <c>BlobTrigger</c>.</param>
/// <param name="FunctionId">The function, as <c>Host.Functions.NAME</c>.</param>
/// <param name="BlobType">The kind of blob.</param>
/// <param name="ContainerName">The container.</param>
/// <param name="BlobName">The blob's name.</param>
/// <param name="ETag">The version that failed.</param>
/// <param name="Reason">The last failure.</param>
/// <param name="Time">When it was given up.</param>
internal sealed record PoisonMessage(
    string Type, string FunctionId, string BlobType, string ContainerName, string BlobName, string ETag, string Reason, DateTimeOffset Time);

/// <summary>The list of blobs that were given up: a line of JSON for each.</summary>
internal sealed class PoisonList(HostSettings settings)
{
    public const string Name = "webjobs-blobtrigger-poison";

    private readonly Lock gate = new();

    /// <summary>The file that holds the list.</summary>
    public string Path { get; } = System.IO.Path.Combine(settings.HostDirectory, Name + ".jsonl");

    /// <summary>Adds a blob.</summary>
    public void Add(PoisonMessage message)
    {
        byte[] line = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(message, ReceiptJson.Default.PoisonMessage) + "\n");
        lock (gate)
        {
            Directory.CreateDirectory(settings.HostDirectory);
            using var file = new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.Write(line);
            file.Flush(flushToDisk: true);
        }
    }
}
