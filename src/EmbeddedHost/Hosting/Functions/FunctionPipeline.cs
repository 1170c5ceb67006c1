using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace EmbeddedHost;

/// <summary>The way of every invocation: middleware, then the function, then its outputs.</summary>
internal sealed class FunctionPipeline
{
    private readonly FunctionExecutionDelegate pipeline;
    private readonly BlobOutputWriter outputs;

    public FunctionPipeline(IReadOnlyList<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware, BlobOutputWriter outputs)
    {
        this.outputs = outputs;
        FunctionExecutionDelegate pipeline = RunAsync;
        for (int i = middleware.Count - 1; i >= 0; i--)
        {
            pipeline = middleware[i](pipeline);
        }

        this.pipeline = pipeline;
    }

    /// <summary>Invokes the function of a context.</summary>
    /// <param name="context">The invocation.</param>
    /// <returns>What the function, or the middleware in its place, returned.</returns>
    public async Task<object?> InvokeAsync(HostFunctionContext context)
    {
        try
        {
            await pipeline(context);
            return context.Function.Outputs.Count == 0
                ? context.Result.Value
                : await outputs.WriteAsync(context, context.Result.Value);
        }
        finally
        {
            await context.ReleaseAsync();
        }
    }

    private static async Task RunAsync(FunctionContext given)
    {
        HostFunctionContext context = given as HostFunctionContext
            ?? given.Features.Get<HostFunctionContext>()
            ?? throw new InvalidOperationException("Middleware passed on a context that the host did not make.");

        IReadOnlyList<ParameterBinder> binders = context.Function.Binders;
        object?[] arguments = new object?[binders.Count];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i] = await binders[i](context);
        }

        context.Result.Value = await context.Function.Call.InvokeAsync(given.InstanceServices, arguments);
    }
}
