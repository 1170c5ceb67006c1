using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace EmbeddedHost;

/// <summary>Says where functions are, instead of in the entry assembly.</summary>
public static class FunctionSourceExtensions
{
    /// <summary>Takes the functions of the given classes.</summary>
    /// <typeparam name="T">The type of the builder.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="types">Classes with methods that carry <see cref="FunctionAttribute"/>.</param>
    public static T UseFunctions<T>(this T builder, params Type[] types)
        where T : IFunctionsWorkerApplicationBuilder
    {
        builder.Services.AddSingleton(new FunctionSource([.. types]));
        return builder;
    }

    /// <summary>Takes the functions of an assembly.</summary>
    /// <typeparam name="T">The type of the builder.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="assembly">The assembly.</param>
    public static T UseFunctionsOf<T>(this T builder, Assembly assembly)
        where T : IFunctionsWorkerApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(assembly);
        builder.Services.AddSingleton(FunctionSource.Of(assembly));
        return builder;
    }
}
