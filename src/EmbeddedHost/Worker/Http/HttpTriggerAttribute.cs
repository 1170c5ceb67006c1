using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts a function on an HTTP request; stands on a parameter of type <c>Microsoft.AspNetCore.Http.HttpRequest</c>.</summary>
public sealed class HttpTriggerAttribute : TriggerBindingAttribute
{
    /// <summary>Any method, level <see cref="AuthorizationLevel.Function"/>.</summary>
    public HttpTriggerAttribute() => AuthLevel = AuthorizationLevel.Function;

    /// <summary>The given methods. States no level: prefer the overload that does.</summary>
    /// <param name="methods">HTTP methods, such as <c>get</c>.</param>
    public HttpTriggerAttribute(params string[] methods) => Methods = methods;

    /// <summary>Any method at the given level.</summary>
    /// <param name="authLevel">The key that a caller needs.</param>
    public HttpTriggerAttribute(AuthorizationLevel authLevel) => AuthLevel = authLevel;

    /// <summary>The given methods at the given level.</summary>
    /// <param name="authLevel">The key that a caller needs.</param>
    /// <param name="methods">HTTP methods, such as <c>get</c>; none stands for every method.</param>
    public HttpTriggerAttribute(AuthorizationLevel authLevel, params string[] methods)
    {
        AuthLevel = authLevel;
        Methods = methods;
    }

    /// <summary>The route template below the route prefix of host.json; the function's name where it is absent.</summary>
    public string? Route { get; set; }

    /// <summary>The methods that start the function; null or empty for all.</summary>
    public string[]? Methods { get; private set; }

    /// <summary>The key that a caller needs.</summary>
    public AuthorizationLevel AuthLevel { get; private set; }
}
