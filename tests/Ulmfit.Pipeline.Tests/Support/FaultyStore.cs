using System.Collections.Concurrent;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>
/// A store whose every write fails twice before it succeeds: the first time before the effect, as when the connection breaks, the second
/// time after it, as when the answer is lost.
/// </summary>
internal sealed class FaultyStore(IBlobStore inner) : IBlobStore
{
    private readonly ConcurrentDictionary<string, int> attempts = new(StringComparer.Ordinal);

    /// <summary>How many writes have failed.</summary>
    public int Faults { get; private set; }

    public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) => inner.GetAsync(container, name, ct);

    public Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) => inner.OpenReadAsync(container, name, ct);

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => inner.GetInfoAsync(container, name, ct);

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        FailAsync($"put {container}/{name}", () => inner.PutAsync(container, name, content, ct));

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        FailAsync($"new {container}/{name}", () => inner.PutIfAbsentAsync(container, name, content, ct));

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) =>
        FailAsync($"swap {container}/{name} {etag}", () => inner.PutIfMatchAsync(container, name, content, etag, ct));

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) =>
        FailAsync($"delete {container}/{name}", () => inner.DeleteAsync(container, name, ct));

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) =>
        FailAsync($"delete {container}/{name} {etag}", () => inner.DeleteIfMatchAsync(container, name, etag, ct));

    /// <summary>Repeats a step until no fault hits it, as its retry policy would.</summary>
    public static async Task<T> RetryAsync<T>(Func<Task<T>> step)
    {
        while (true)
        {
            try
            {
                return await step();
            }
            catch (InjectedFaultException)
            {
            }
        }
    }

    private async Task<T> FailAsync<T>(string write, Func<Task<T>> effect)
    {
        int attempt = attempts.AddOrUpdate(write, 1, (_, count) => count + 1);
        if (attempt == 1)
        {
            Faults++;
            throw new InjectedFaultException($"before {write}");
        }
        T result = await effect();
        if (attempt == 2)
        {
            Faults++;
            throw new InjectedFaultException($"after {write}");
        }
        return result;
    }
}

/// <summary>A failure that a test injected.</summary>
internal sealed class InjectedFaultException(string message) : IOException(message);
