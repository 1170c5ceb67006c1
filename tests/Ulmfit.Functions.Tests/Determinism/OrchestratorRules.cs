using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Ulmfit.Functions.Tests.Determinism;

/// <summary>
/// Holds orchestrators, and everything in the same compilation that they call, to the rules of replay: those of the Durable Task
/// analyzers DURABLE0001 to 0011, and three that these leave out (random numbers, tasks that the orchestration did not begin, state
/// that outlives it).
/// </summary>
internal sealed class OrchestratorRules
{
    public const string Time = "DURABLE0001";
    public const string Guids = "DURABLE0002";
    public const string Delay = "DURABLE0003";
    public const string Threads = "DURABLE0004";
    public const string InputOutput = "DURABLE0005";
    public const string Surroundings = "DURABLE0006";
    public const string Cancellation = "DURABLE0007";
    public const string Bindings = "DURABLE0008";
    public const string Loggers = "DURABLE0010";
    public const string Loops = "DURABLE0011";
    public const string RandomNumbers = "Random";
    public const string ForeignTasks = "ForeignTask";
    public const string State = "State";

    private const string Context = "Microsoft.DurableTask.TaskOrchestrationContext";
    private const string Logger = "Microsoft.Extensions.Logging.ILogger";

    // Types, and namespaces (with a dot at the end), no member of which may be used.
    private static readonly (string Rule, string[] Names)[] BannedTypes =
    [
        (Time, ["System.Diagnostics.Stopwatch", "System.TimeProvider"]),
        (RandomNumbers, ["System.Random", "System.Security.Cryptography.RandomNumberGenerator"]),
        (Delay, ["System.Threading.Timer", "System.Threading.PeriodicTimer", "System.Timers."]),
        (Threads, ["System.Threading.Thread", "System.Threading.ThreadPool", "System.Threading.Tasks.Parallel", "System.Threading.Tasks.TaskFactory", "System.Threading.Tasks.TaskFactory<TResult>", "System.Threading.Channels.", "System.Threading.SemaphoreSlim", "System.Threading.Monitor"]),
        (InputOutput,
        [
            "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo", "System.IO.StreamReader", "System.IO.StreamWriter",
            "System.Console", "System.Net.", "System.Diagnostics.Process", "Azure.", "Ulmfit.Storage.", "Microsoft.Extensions.Configuration.",
        ]),
        (Surroundings, ["System.Environment", "System.Runtime.InteropServices.RuntimeInformation", "System.OperatingSystem", "System.AppContext"]),
    ];

    private static readonly (string Rule, string Type, string[] Members)[] BannedMembers =
    [
        (Time, "System.DateTime", ["Now", "UtcNow", "Today"]),
        (Time, "System.DateTimeOffset", ["Now", "UtcNow"]),
        (Time, "System.Environment", ["TickCount", "TickCount64"]),
        (Guids, "System.Guid", ["NewGuid", "CreateVersion7"]),
        (Delay, "System.Threading.Tasks.Task", ["Delay"]),
        (Delay, "System.Threading.Thread", ["Sleep"]),
        (Threads, "System.Threading.Tasks.Task", ["Run", "ContinueWith", "ConfigureAwait", "Wait", "WaitAll", "WaitAny", "WaitAsync", "Start", "Yield", "GetAwaiter"]),
        (Threads, "System.Threading.Tasks.Task<TResult>", ["ContinueWith", "ConfigureAwait", "WaitAsync", "GetAwaiter", "Result"]),
        (Surroundings, "System.Globalization.CultureInfo", ["CurrentCulture", "CurrentUICulture"]),
        (Surroundings, "System.TimeZoneInfo", ["Local", "ConvertTime"]),
        (Surroundings, "System.DateTime", ["ToLocalTime"]),
        (Surroundings, "System.DateTimeOffset", ["ToLocalTime"]),
    ];

    // What hands on tasks that there are, or is one that has ended.
    private static readonly string[] TasksOfTasks = ["WhenAll", "WhenAny", "FromResult", "FromException"];

    private readonly CSharpCompilation compilation;
    private readonly List<Violation> violations = [];
    private readonly HashSet<ISymbol> visited = new(SymbolEqualityComparer.Default);

    private OrchestratorRules(CSharpCompilation compilation) => this.compilation = compilation;

    /// <summary>Checks the orchestrators of a compilation.</summary>
    /// <returns>What it found, and the orchestrators and other members that it looked at.</returns>
    public static (IReadOnlyList<Violation> Violations, IReadOnlyList<string> Orchestrators, IReadOnlyList<string> Members) Check(CSharpCompilation compilation)
    {
        var rules = new OrchestratorRules(compilation);
        IMethodSymbol[] orchestrators =
        [
            .. compilation.SyntaxTrees
                .SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>())
                .Select(method => (IMethodSymbol)compilation.GetSemanticModel(method.SyntaxTree).GetDeclaredSymbol(method)!)
                .Where(method => method.Parameters.Any(parameter => Has(parameter, "OrchestrationTriggerAttribute"))),
        ];
        foreach (IMethodSymbol orchestrator in orchestrators)
        {
            rules.CheckSignature(orchestrator);
            rules.Visit(orchestrator);
        }
        return (
            [.. rules.violations.Distinct()],
            [.. orchestrators.Select(method => method.ToDisplayString())],
            [.. rules.visited.Select(member => member.ToDisplayString())]);
    }

    private void CheckSignature(IMethodSymbol orchestrator)
    {
        foreach (IParameterSymbol parameter in orchestrator.Parameters)
        {
            SyntaxNode syntax = parameter.DeclaringSyntaxReferences[0].GetSyntax();
            if (parameter.Type.ToDisplayString() == "System.Threading.CancellationToken")
            {
                Add(Cancellation, syntax);
            }
            if (parameter.GetAttributes().Any(attribute => attribute.AttributeClass is { } type && type.Name != "OrchestrationTriggerAttribute" && IsBinding(type)))
            {
                Add(Bindings, syntax);
            }
            if (IsLogger(parameter.Type))
            {
                Add(Loggers, syntax);
            }
        }
    }

    // A method, a property, a constructor or a field of these sources; anything else has no syntax.
    private void Visit(ISymbol? member)
    {
        if (member is null || !visited.Add(member.OriginalDefinition))
        {
            return;
        }
        foreach (SyntaxReference reference in member.OriginalDefinition.DeclaringSyntaxReferences)
        {
            SyntaxNode syntax = reference.GetSyntax();
            SemanticModel model = compilation.GetSemanticModel(syntax.SyntaxTree);
            foreach (IOperation operation in syntax.DescendantNodesAndSelf().Select(node => model.GetOperation(node)).OfType<IOperation>().Distinct())
            {
                Inspect(operation);
            }
            foreach (SyntaxNode loop in syntax.DescendantNodes().Where(IsEndless))
            {
                InspectLoop(loop, model);
            }
        }
    }

    private void Inspect(IOperation operation)
    {
        if (operation.Parent is INameOfOperation)
        {
            return;
        }
        switch (operation)
        {
            case IInvocationOperation call:
                InspectUse(call.TargetMethod, call.Syntax);
                InspectTask(call);
                Visit(call.TargetMethod);
                break;
            case IObjectCreationOperation creation:
                InspectUse(creation.Constructor, creation.Syntax);
                Visit(creation.Constructor);
                break;
            case IMethodReferenceOperation reference:
                InspectUse(reference.Method, reference.Syntax);
                Visit(reference.Method);
                break;
            case IPropertyReferenceOperation property:
                InspectUse(property.Property, property.Syntax);
                InspectState(property.Property, property.Property.IsStatic && property.Property.SetMethod is { IsInitOnly: false }, property.Syntax);
                InspectLogger(property, property.Property);
                Visit(property.Property);
                break;
            case IFieldReferenceOperation field:
                InspectUse(field.Field, field.Syntax);
                InspectState(field.Field, field.Field is { IsStatic: true, IsReadOnly: false, IsConst: false }, field.Syntax);
                InspectLogger(field, field.Field);
                Visit(field.Field);
                break;
            case IVariableDeclaratorOperation { Initializer.Value: { } value } variable when IsLogger(variable.Symbol.Type) && !IsReplaySafe(value):
                Add(Loggers, variable.Syntax);
                break;
            case IAwaitOperation { Operation.Type: { } type } awaiting when !IsTask(type):
                Add(ForeignTasks, awaiting.Syntax);
                break;
            case IForEachLoopOperation { IsAsynchronous: true }:
                Add(ForeignTasks, operation.Syntax);
                break;
            case ILockOperation:
                Add(Threads, operation.Syntax);
                break;
        }
    }

    private void InspectUse(ISymbol? member, SyntaxNode syntax)
    {
        if (member?.ContainingType is not { } type)
        {
            return;
        }
        string name = type.OriginalDefinition.ToDisplayString();
        foreach ((string rule, string banned, string[] members) in BannedMembers)
        {
            if (banned == name && members.Contains(member.Name))
            {
                Add(rule, syntax);
                return;
            }
        }
        foreach ((string rule, string[] names) in BannedTypes)
        {
            if (names.Any(banned => banned.EndsWith('.') ? name.StartsWith(banned, StringComparison.Ordinal) : name == banned) && !IsOfTheseSources(member))
            {
                Add(rule, syntax);
                return;
            }
        }
    }

    // A task is the orchestration's own where its context makes it, these sources do, or it is made of such tasks.
    private void InspectTask(IInvocationOperation call)
    {
        IMethodSymbol method = call.TargetMethod;
        bool isOwn = !IsTask(method.ReturnType) || IsContext(method.ContainingType) || IsOfTheseSources(method)
            || (TasksOfTasks.Contains(method.Name) && method.ContainingType.ToDisplayString() == "System.Threading.Tasks.Task")
            // What a query picks out of a list of tasks was put there by somebody.
            || method.ContainingNamespace.ToDisplayString() is "System.Linq" or "System.Collections.Generic";
        if (!isOwn)
        {
            Add(ForeignTasks, call.Syntax);
        }
    }

    private void InspectState(ISymbol member, bool isMutable, SyntaxNode syntax)
    {
        if (isMutable && IsOfTheseSources(member))
        {
            Add(State, syntax);
        }
    }

    // Loggers come from the context, which keeps them still in a replay; a helper may be handed such a one.
    private void InspectLogger(IOperation reference, ISymbol member)
    {
        if (IsLogger(reference.Type) && !IsContext(member.ContainingType))
        {
            Add(Loggers, reference.Syntax);
        }
    }

    private void InspectLoop(SyntaxNode loop, SemanticModel model)
    {
        IMethodSymbol[] called = [.. loop.DescendantNodes().OfType<InvocationExpressionSyntax>().Select(call => model.GetSymbolInfo(call).Symbol).OfType<IMethodSymbol>()];
        if (called.Any(method => IsContext(method.ContainingType) || IsTask(method.ReturnType)) && !called.Any(method => method.Name == "ContinueAsNew"))
        {
            Add(Loops, loop);
        }
    }

    private static bool IsEndless(SyntaxNode node) => node switch
    {
        WhileStatementSyntax loop => loop.Condition.IsKind(SyntaxKind.TrueLiteralExpression),
        DoStatementSyntax loop => loop.Condition.IsKind(SyntaxKind.TrueLiteralExpression),
        ForStatementSyntax loop => loop.Condition is null || loop.Condition.IsKind(SyntaxKind.TrueLiteralExpression),
        _ => false,
    };

    private static bool IsReplaySafe(IOperation value) => value switch
    {
        IConversionOperation conversion => IsReplaySafe(conversion.Operand),
        IInvocationOperation call => call.TargetMethod.Name == "CreateReplaySafeLogger" && IsContext(call.TargetMethod.ContainingType),
        ILocalReferenceOperation or IParameterReferenceOperation => true,
        _ => false,
    };

    private static bool IsContext(INamedTypeSymbol? type) => type is not null && (type.ToDisplayString() == Context || IsContext(type.BaseType));

    private static bool IsLogger(ITypeSymbol? type) => type is not null && (type.ToDisplayString() == Logger || type.AllInterfaces.Any(implemented => implemented.ToDisplayString() == Logger));

    private static bool IsBinding(INamedTypeSymbol type) => type.Name is "BindingAttribute" || (type.BaseType is { } parent && IsBinding(parent));

    private static bool IsTask(ITypeSymbol type) =>
        type.OriginalDefinition.ToDisplayString() is "System.Threading.Tasks.Task" or "System.Threading.Tasks.Task<TResult>"
            or "System.Threading.Tasks.ValueTask" or "System.Threading.Tasks.ValueTask<TResult>";

    private static bool Has(ISymbol symbol, string attribute) => symbol.GetAttributes().Any(found => found.AttributeClass?.Name == attribute);

    private bool IsOfTheseSources(ISymbol member) => SymbolEqualityComparer.Default.Equals(member.ContainingAssembly, compilation.Assembly);

    private void Add(string rule, SyntaxNode syntax)
    {
        FileLinePositionSpan span = syntax.GetLocation().GetLineSpan();
        violations.Add(new Violation(rule, $"{Path.GetFileName(span.Path)}({span.StartLinePosition.Line + 1})", syntax.ToString().Split('\n')[0].Trim()));
    }
}
