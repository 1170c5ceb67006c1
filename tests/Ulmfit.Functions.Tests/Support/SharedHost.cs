namespace Ulmfit.Functions.Tests.Support;

/// <summary>One host for the tests of a class; each uses data sets of its own.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private HostProcess? host;

    public HostProcess Host => host ?? throw new InvalidOperationException("The host has not started.");

    public string Data => folder.Path;

    public async ValueTask InitializeAsync() => host = await HostProcess.StartAsync(folder.Path, "--Limits:DropBytes", "60000000", "--Limits:ClassifyInputs", "200");

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
        }
        folder.Dispose();
    }
}
