using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>A store whose reads and writes fail by chance: before the effect, as when the connection breaks, or after it, as when the answer is lost.</summary>
internal sealed class RandomlyFaultyStore(IBlobStore inner, Random random, double share) : IBlobStore
{
    public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) => FailAsync(() => inner.GetAsync(container, name, ct));

    public Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) => inner.OpenReadAsync(container, name, ct);

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => FailAsync(() => inner.GetInfoAsync(container, name, ct));

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) => FailAsync(() => inner.PutAsync(container, name, content, ct));

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) => FailAsync(() => inner.PutIfAbsentAsync(container, name, content, ct));

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) =>
        FailAsync(() => inner.PutIfMatchAsync(container, name, content, etag, ct));

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) => FailAsync(() => inner.DeleteAsync(container, name, ct));

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) => FailAsync(() => inner.DeleteIfMatchAsync(container, name, etag, ct));

    private async Task<T> FailAsync<T>(Func<Task<T>> effect)
    {
        if (random.NextDouble() < share / 2)
        {
            throw new InjectedFaultException("before the effect");
        }
        T result = await effect();
        return random.NextDouble() < share / 2 ? throw new InjectedFaultException("after the effect") : result;
    }
}
