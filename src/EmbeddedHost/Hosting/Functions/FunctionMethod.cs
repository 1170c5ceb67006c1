using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace EmbeddedHost;

/// <summary>Calls a function's method, whatever it returns.</summary>
internal sealed class FunctionMethod
{
    private readonly MethodInvoker invoker;
    private readonly Lazy<ObjectFactory>? factory;
    private readonly Func<object?, Task<object?>> awaiter;

    public FunctionMethod(MethodInfo method)
    {
        invoker = MethodInvoker.Create(method);
        // Compiled with the first call: the start of a host need not wait for the classes of all its functions.
        factory = method.IsStatic ? null : new Lazy<ObjectFactory>(() => ActivatorUtilities.CreateFactory(method.DeclaringType!, []));
        (ResultType, awaiter) = Awaiter(method.ReturnType);
    }

    /// <summary>The type of the value that the method gives in the end; <c>void</c> for none.</summary>
    public Type ResultType { get; }

    /// <summary>Makes an instance of the class, if the method needs one, and calls the method.</summary>
    /// <param name="services">Where the class's constructor gets its parameters from.</param>
    /// <param name="arguments">One for each parameter.</param>
    /// <returns>The returned value, out of its task; null for a method without a value.</returns>
    public async Task<object?> InvokeAsync(IServiceProvider services, object?[] arguments)
    {
        // An orchestrator must go on in the context that it was called in, so nothing here leaves it.
        object? instance = factory?.Value.Invoke(services, null);
        object? returned = invoker.Invoke(instance, arguments.AsSpan());
        return await awaiter(returned);
    }

    private static (Type ResultType, Func<object?, Task<object?>> Await) Awaiter(Type returnType)
    {
        if (returnType == typeof(Task))
        {
            return (typeof(void), AwaitTask);
        }

        if (returnType == typeof(ValueTask))
        {
            return (typeof(void), AwaitValueTask);
        }

        if (returnType.IsGenericType && returnType.GetGenericTypeDefinition() is { } open && (open == typeof(Task<>) || open == typeof(ValueTask<>)))
        {
            Type result = returnType.GetGenericArguments()[0];
            string helper = open == typeof(Task<>) ? nameof(AwaitTaskOf) : nameof(AwaitValueTaskOf);
            MethodInfo closed = typeof(FunctionMethod).GetMethod(helper, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(result);
            return (result, closed.CreateDelegate<Func<object?, Task<object?>>>());
        }

        return (returnType, Task.FromResult);
    }

    private static async Task<object?> AwaitTask(object? task)
    {
        await (Task)task!;
        return null;
    }

    private static async Task<object?> AwaitValueTask(object? task)
    {
        await (ValueTask)task!;
        return null;
    }

    private static async Task<object?> AwaitTaskOf<T>(object? task) => await (Task<T>)task!;

    private static async Task<object?> AwaitValueTaskOf<T>(object? task) => await (ValueTask<T>)task!;
}
