using System.Reflection;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>The functions of the app.</summary>
internal sealed class FunctionCatalog
{
    private FunctionCatalog(IReadOnlyList<HostedFunction> functions) => Functions = functions;

    /// <summary>All functions, by name.</summary>
    public IReadOnlyList<HostedFunction> Functions { get; }

    /// <summary>Whether any function needs the durable host; without one, none is started.</summary>
    public bool UsesDurable => Functions.Any(f => f.Kind is TriggerKind.Orchestration or TriggerKind.Activity
        || f.Method.GetParameters().Any(p => p.IsDefined(typeof(DurableClientAttribute))));

    /// <summary>The functions of a kind.</summary>
    public IEnumerable<HostedFunction> OfKind(TriggerKind kind) => Functions.Where(f => f.Kind == kind);

    /// <summary>Finds and reads the functions.</summary>
    /// <param name="types">Where to look.</param>
    /// <param name="reader">Reads a method.</param>
    /// <exception cref="FunctionBindingException">A function cannot be bound, or two are in each other's way.</exception>
    public static FunctionCatalog Build(IEnumerable<Type> types, FunctionReader reader)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var findings = new List<string>();
        var functions = new List<HostedFunction>();
        foreach (Type type in types.Distinct())
        {
            foreach (MethodInfo method in type.GetMethods(All))
            {
                if (method.GetCustomAttribute<FunctionAttribute>() is { } attribute && reader.Read(method, attribute, findings) is { } function)
                {
                    functions.Add(function);
                }
            }
        }

        foreach (IGrouping<string, HostedFunction> same in functions.GroupBy(f => f.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            findings.Add($"The name '{same.Key}' is taken by {string.Join(" and ", same.Select(f => f.Definition.EntryPoint))}; give each function a name of its own.");
        }

        FindEqualRoutes(functions, findings);
        return findings.Count == 0
            ? new FunctionCatalog([.. functions.OrderBy(f => f.Name, StringComparer.OrdinalIgnoreCase)])
            : throw new FunctionBindingException(findings);
    }

    private static void FindEqualRoutes(List<HostedFunction> functions, List<string> findings)
    {
        foreach (IGrouping<string?, HostedFunction> same in functions
            .Where(f => f.Kind == TriggerKind.Http)
            .GroupBy(f => f.Route, StringComparer.OrdinalIgnoreCase))
        {
            HostedFunction[] sharing = [.. same];
            for (int i = 0; i < sharing.Length; i++)
            {
                for (int j = i + 1; j < sharing.Length; j++)
                {
                    if (Overlap(Methods(sharing[i]), Methods(sharing[j])))
                    {
                        findings.Add($"The functions '{sharing[i].Name}' and '{sharing[j].Name}' answer the same route '{same.Key}' and method; change a route or the methods.");
                    }
                }
            }
        }

        static string[] Methods(HostedFunction function) => ((HttpTriggerAttribute)function.Trigger).Methods ?? [];

        static bool Overlap(string[] a, string[] b) =>
            a.Length == 0 || b.Length == 0 || a.Intersect(b, StringComparer.OrdinalIgnoreCase).Any();
    }
}
