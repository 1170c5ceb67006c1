namespace Fuzz.Targets;

internal sealed class HttpTarget : IAsyncDisposable
{
    public const string Name = "http";
    public FuzzTarget Target => throw new NotSupportedException();
    public bool IsWell => true;
    public static Task<HttpTarget> StartAsync() => throw new NotSupportedException();
    public Task<string?> FinishAsync() => throw new NotSupportedException();
    public ValueTask DisposeAsync() => default;
}
