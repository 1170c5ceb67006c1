using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Ulmfit.Functions.Http;

/// <summary>Whatever no route answers, so that this too is a problem with a type.</summary>
internal sealed class UnknownRoute(ApiGuard guard)
{
    /// <summary>Answers 404.</summary>
    [Function("UnknownRoute")]
    public Task<IResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", "put", "post", "delete", "patch", Route = "api/{*path}")] HttpRequest request) =>
        guard.HandleAsync(request, _ => throw ProblemException.NotFound("route-not-found", $"Nothing answers {request.Method} {request.Path}."));
}
