using Azure.Core;
using Azure.Core.Pipeline;

namespace Ulmfit.Storage.Tests;

/// <summary>Carries requests to the service and loses the answers that the test picks: they were carried out all the same.</summary>
internal sealed class LosingTransport(Func<Request, bool> loses) : HttpPipelineTransport, IDisposable
{
    private readonly HttpClientTransport inner = new();

    /// <summary>How many answers have been lost.</summary>
    public int Lost { get; private set; }

    public override Request CreateRequest() => inner.CreateRequest();

    public void Dispose() => inner.Dispose();

    public override void Process(HttpMessage message)
    {
        inner.Process(message);
        Lose(message);
    }

    public override async ValueTask ProcessAsync(HttpMessage message)
    {
        await inner.ProcessAsync(message);
        Lose(message);
    }

    private void Lose(HttpMessage message)
    {
        if (message.Response.Status < 400 && loses(message.Request))
        {
            Lost++;
            message.Response.Dispose();
            throw new IOException("The answer was lost.");
        }
    }
}
