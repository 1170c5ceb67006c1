using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;

namespace EmbeddedHost;

/// <summary>Writes what an HTTP function returned.</summary>
internal sealed class HttpResultWriter(IOptions<Microsoft.AspNetCore.Http.Json.JsonOptions> json)
{
    private readonly ConcurrentDictionary<Type, PropertyInfo?> resultProperties = new();

    /// <summary>Writes a result: an <see cref="IActionResult"/>, an <see cref="IResult"/>, text, or an object as JSON. A null leaves the response as the function made it.</summary>
    /// <param name="http">The request.</param>
    /// <param name="result">What the function returned.</param>
    public Task WriteAsync(HttpContext http, object? result)
    {
        switch (result)
        {
            case null:
                return Task.CompletedTask;
            case IActionResult action:
                return action.ExecuteResultAsync(new ActionContext(http, http.GetRouteData(), new ActionDescriptor()));
            case IResult own:
                return own.ExecuteAsync(http);
            case string text:
                http.Response.ContentType ??= "text/plain; charset=utf-8";
                return http.Response.WriteAsync(text, http.RequestAborted);
        }

        PropertyInfo? property = resultProperties.GetOrAdd(
            result.GetType(),
            static type => Array.Find(type.GetProperties(), p => p.GetCustomAttribute<HttpResultAttribute>() is not null));
        return property is not null
            ? WriteAsync(http, property.GetValue(result))
            : http.Response.WriteAsJsonAsync(result, result.GetType(), json.Value.SerializerOptions, http.RequestAborted);
    }
}
