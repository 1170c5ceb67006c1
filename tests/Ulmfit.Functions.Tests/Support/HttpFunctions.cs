using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>An HTTP function of the app.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Methods">Its methods, in capitals; HEAD goes with GET.</param>
/// <param name="Path">Its route, from the slash on, without a part that is always empty.</param>
/// <param name="Level">The key that it asks for.</param>
internal sealed partial record HttpFunction(string Name, IReadOnlyList<string> Methods, string Path, AuthorizationLevel Level)
{
    /// <summary>All of them but those that answer whatever no other does.</summary>
    public static IReadOnlyList<HttpFunction> All { get; } =
    [
        .. from type in Assembly.LoadFrom(System.IO.Path.Combine(AppContext.BaseDirectory, "Ulmfit.Functions.dll")).GetTypes()
           from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static)
           let function = method.GetCustomAttribute<FunctionAttribute>()
           where function is not null
           from parameter in method.GetParameters()
           let trigger = parameter.GetCustomAttribute<HttpTriggerAttribute>()
           where trigger is not null && trigger.Route?.Contains("{*", StringComparison.Ordinal) != true
           select new HttpFunction(function.Name, [.. (trigger.Methods ?? []).Select(verb => verb.ToUpperInvariant()).Where(verb => verb != "HEAD")], $"/{AlwaysEmpty().Replace(trigger.Route ?? "", "")}", trigger.AuthLevel),
    ];

    [GeneratedRegex(@"\{\w+:maxlength\(0\)\?\}")]
    private static partial Regex AlwaysEmpty();
}
