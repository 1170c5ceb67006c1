using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Net.Http.Headers;

namespace Ulmfit.Functions.Http;

/// <summary>The description of the API, as it is committed: <c>openapi.json</c>.</summary>
internal sealed class OpenApi(ApiGuard guard)
{
    /// <summary>Its name among the assembly's resources.</summary>
    public const string Resource = "openapi.json";

    private static readonly Lazy<(byte[] Content, EntityTagHeaderValue Tag)> Document = new(() =>
    {
        using Stream resource = typeof(OpenApi).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The program was built without {Resource}.");
        byte[] content = new byte[resource.Length];
        resource.ReadExactly(content);
        return (content, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16))}\""));
    });

    /// <summary>The document. It is the same for everybody and tells of nothing that is stored, so it asks for no key.</summary>
    [Function("GetOpenApi")]
    public Task<IResult> GetOpenApi([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "api/openapi.json")] HttpRequest request) =>
        guard.HandleAsync(request, _ =>
        {
            request.HttpContext.Response.Headers.CacheControl = "no-cache";

            // With the tag, a 304 where If-None-Match names it.
            return Task.FromResult(Results.Bytes(Document.Value.Content, "application/json; charset=utf-8", entityTag: Document.Value.Tag));
        });
}
