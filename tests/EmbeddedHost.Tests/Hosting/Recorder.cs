using System.Collections.Concurrent;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>What functions under test note down; a singleton service of their app.</summary>
internal sealed class Recorder
{
    private readonly ConcurrentQueue<string> notes = new();

    public IReadOnlyList<string> Notes => [.. notes];

    public void Note(string text) => notes.Enqueue(text);

    public int Count(string text) => notes.Count(n => n == text);

    /// <summary>Waits until a text has been noted so often.</summary>
    public Task WaitForAsync(string text, int times = 1) =>
        Eventually.TrueAsync(() => Count(text) >= times, $"'{text}' {times} times; noted: {string.Join(" | ", Notes)}");
}
