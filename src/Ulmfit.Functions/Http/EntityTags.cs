using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Http;

/// <summary>Marks of versions in HTTP headers.</summary>
internal static class EntityTags
{
    /// <summary>The header's form of a store's mark, which may come quoted.</summary>
    public static string Header(ETag tag) => $"\"{tag.Value.Trim('"')}\"";

    /// <summary>The version that <c>If-Match</c> asks for.</summary>
    /// <param name="request">The request.</param>
    /// <param name="current">The mark of the present version; null when there is none.</param>
    /// <returns>Null where the header is absent or <c>*</c> matches: any version will do.</returns>
    /// <exception cref="ProblemException">The header names only other versions.</exception>
    public static ETag? Expected(HttpRequest request, ETag? current)
    {
        IList<EntityTagHeaderValue> wanted = request.GetTypedHeaders().IfMatch;
        if (wanted is null || wanted.Count == 0)
        {
            return request.Headers.IfMatch.Count == 0 ? null : throw Lost();
        }
        if (current is not null && wanted.Any(value => value.Equals(EntityTagHeaderValue.Any)))
        {
            return null;
        }
        // If-Match compares strongly: a weak mark never matches.
        return current is { } present && wanted.Any(value => !value.IsWeak && value.Tag.Equals(Header(present), StringComparison.Ordinal))
            ? present
            : throw Lost();
    }

    /// <summary>The precondition does not hold.</summary>
    public static ProblemException Lost() => new(
        412, "precondition-failed", "Precondition failed", "The champion has changed since the version that If-Match names. Read it again and decide anew.");
}
