using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Ulmfit.Functions.Http;

/// <summary>The web page. Anyone may read it: it holds nothing but itself, and asks for a key where the API does.</summary>
internal sealed class PageApi(ApiGuard guard, PageFiles files)
{
    // The page loads and calls its own origin alone and writes nothing into itself that is not text; nobody may frame it.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    /// <summary>The page. It is asked for anew each time, and names its assets by their content.</summary>
    // An empty route would be the function's name, so the page stands under a part that is always empty.
    [Function("Page")]
    public Task<IResult> Page(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "{ignored:maxlength(0)?}")] HttpRequest request) =>
        guard.HandleAsync(request, _ => Task.FromResult(Answer(request, PageFiles.Index, "no-cache")));

    /// <summary>What the page is made of. A name stands for one content for ever.</summary>
    [Function("PageAsset")]
    public Task<IResult> PageAsset(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "assets/{name}")] HttpRequest request, string name) =>
        guard.HandleAsync(request, _ => Task.FromResult(Answer(request, $"assets/{name}", "public, max-age=31536000, immutable")));

    private IResult Answer(HttpRequest request, string path, string caching)
    {
        PageFile file = files.Find(path) ?? throw ProblemException.NotFound("page-not-found", $"The page has no '{RouteNames.Shown(path)}'. Load it anew.");
        PageForm form = Choose(request.GetTypedHeaders(), file);
        IHeaderDictionary headers = request.HttpContext.Response.Headers;
        headers.Vary = HeaderNames.AcceptEncoding;
        headers.CacheControl = caching;
        headers.ETag = form.Tag;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = Policy;
        if (Knows(request, form))
        {
            return Results.StatusCode(StatusCodes.Status304NotModified);
        }
        if (form.Encoding != "identity")
        {
            headers.ContentEncoding = form.Encoding;
        }
        return Results.Bytes(form.Content, file.ContentType);
    }

    /// <summary>The smallest form that the caller takes; as it is where they say nothing (RFC 9110, 12.5.3).</summary>
    private static PageForm Choose(RequestHeaders headers, PageFile file)
    {
        IList<StringWithQualityHeaderValue> accepted = headers.AcceptEncoding;
        return file.Forms.FirstOrDefault(form => Accepts(accepted, form.Encoding)) ?? file.Forms[^1];
    }

    private static bool Accepts(IList<StringWithQualityHeaderValue> accepted, string encoding)
    {
        StringWithQualityHeaderValue? named = accepted.FirstOrDefault(value => value.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase))
            ?? accepted.FirstOrDefault(value => value.Value.Equals("*", StringComparison.Ordinal));
        return named is not null && (named.Quality ?? 1) > 0;
    }

    private static bool Knows(HttpRequest request, PageForm form)
    {
        StringValues known = request.Headers.IfNoneMatch;
        return known.Count > 0 && EntityTagHeaderValue.TryParseList(known, out IList<EntityTagHeaderValue>? tags)
            && tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Tag.Equals(form.Tag, StringComparison.Ordinal));
    }
}
