using System.Text.Json;
using System.Text.RegularExpressions;

namespace Infra.Tests.Bicep;

/// <summary>
/// Finds, without Azure and without a compiler, what a compiler and its linter would refuse, and what this project's templates must not
/// hold: symbols, functions, modules, parameters, outputs and members of JSON files that are not there, that do not fit or that nobody
/// uses; resource types that were not held against the published ones; roles that are no role of the table; keys and secrets.
/// </summary>
internal sealed partial class BicepChecker
{
    private static readonly string[] Namespaces = ["az", "sys"];

    private readonly IReadOnlyDictionary<string, string> sources;
    private readonly Dictionary<string, BicepFile> files = new(StringComparer.Ordinal);
    private readonly HashSet<(string Module, string Output)> usedOutputs = [];
    private readonly HashSet<(string File, string Member)> usedMembers = [];
    private readonly HashSet<string> usedFiles = new(StringComparer.Ordinal);
    private readonly List<string> faults = [];

    private BicepChecker(IReadOnlyDictionary<string, string> sources) => this.sources = sources;

    /// <summary>Checks templates that belong together.</summary>
    /// <param name="sources">Texts by path, with forward slashes: the templates and the JSON files that they load.</param>
    /// <param name="root">The path of the template that is deployed.</param>
    /// <returns>The faults, each with its place; empty where all is well.</returns>
    public static IReadOnlyList<string> Check(IReadOnlyDictionary<string, string> sources, string root)
    {
        var checker = new BicepChecker(sources);
        checker.Run(root);
        return checker.faults;
    }

    private void Run(string root)
    {
        foreach ((string path, string source) in sources.Where(file => file.Key.EndsWith(".bicep", StringComparison.Ordinal)))
        {
            try
            {
                files.Add(path, BicepParser.Parse(path, source));
            }
            catch (BicepSyntaxException e)
            {
                faults.Add($"{Place(path, source, e.Position)}: {e.Message}");
            }
        }
        usedFiles.Add(root);
        foreach (BicepFile file in files.Values)
        {
            new FileCheck(this, file).Run();
        }
        foreach (BicepFile file in files.Values.Where(file => file.Path != root))
        {
            if (!usedFiles.Contains(file.Path))
            {
                faults.Add($"{file.Path}: nothing deploys this module");
            }
            foreach (Declaration output in file.Of(DeclarationKind.Output).Where(output => !usedOutputs.Contains((file.Path, output.Name))))
            {
                faults.Add($"{Place(file.Path, file.Source, output.Position)}: nobody uses the output '{output.Name}'");
            }
        }
        foreach ((string path, string source) in sources.Where(file => usedFiles.Contains(file.Key) && file.Key.EndsWith(".json", StringComparison.Ordinal)))
        {
            foreach (string member in MembersOf(source).Where(member => !usedMembers.Contains((path, member))))
            {
                faults.Add($"{path}: nobody uses '{member}'");
            }
        }
    }

    private static string[] MembersOf(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateObject().Select(member => member.Name)];
    }

    private static string Place(string path, string source, int position)
    {
        ReadOnlySpan<char> before = source.AsSpan(0, Math.Min(position, source.Length));
        return $"{path}({before.Count('\n') + 1},{before.Length - before.LastIndexOf('\n')})";
    }

    private static string Resolve(string from, string path)
    {
        var parts = new List<string>(from.Split('/')[..^1]);
        foreach (string part in path.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }
        return string.Join('/', parts);
    }

    private static ValueKind KindOf(string type) => type switch
    {
        "string" => ValueKind.Text,
        "int" => ValueKind.Number,
        "bool" => ValueKind.Truth,
        "object" => ValueKind.Object,
        "array" => ValueKind.Array,
        _ => ValueKind.Any,
    };

    [GeneratedRegex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
    private static partial Regex Guid();

    [GeneratedRegex("accountkey=|sharedaccess|[?&]sig=|password=", RegexOptions.IgnoreCase)]
    private static partial Regex SecretText();

    [GeneratedRegex("^(list[A-Z]|getSecret$)")]
    private static partial Regex KeyFunction();

    [GeneratedRegex("(password|secret|key|sas)$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    private sealed class FileCheck(BicepChecker all, BicepFile file)
    {
        private readonly Dictionary<string, Declaration> symbols = new(StringComparer.Ordinal);
        private readonly HashSet<string> used = new(StringComparer.Ordinal);

        public void Run()
        {
            foreach (Declaration declaration in file.Declarations.Where(one => one.Kind is not (DeclarationKind.TargetScope or DeclarationKind.Output or DeclarationKind.Metadata)))
            {
                if (!symbols.TryAdd(declaration.Name, declaration))
                {
                    Fault(declaration.Position, $"'{declaration.Name}' is declared twice");
                }
            }
            foreach (IGrouping<string, Declaration> output in file.Of(DeclarationKind.Output).GroupBy(output => output.Name).Where(group => group.Count() > 1))
            {
                Fault(output.Last().Position, $"the output '{output.Key}' is declared twice");
            }
            foreach (Declaration declaration in file.Declarations)
            {
                Visit(declaration);
            }
            foreach (Declaration declaration in symbols.Values.Where(one => !used.Contains(one.Name)))
            {
                if (declaration.Kind is DeclarationKind.Parameter or DeclarationKind.Variable || declaration.IsExisting)
                {
                    Fault(declaration.Position, $"nobody uses '{declaration.Name}'");
                }
            }
        }

        private void Visit(Declaration declaration)
        {
            foreach (Call decorator in declaration.Decorators)
            {
                Decorator(declaration, decorator);
            }
            if (declaration.Type is { } type && declaration.Kind is DeclarationKind.Parameter or DeclarationKind.Output)
            {
                if (KindOf(type) == ValueKind.Any)
                {
                    Fault(declaration.Position, $"'{type}' is no type");
                }
                else if (declaration.Value is { } value)
                {
                    Fits(KindOf(type), value, $"'{declaration.Name}'");
                }
                bool isSecure = declaration.Decorators.Any(decorator => decorator.Name == "secure");
                if (SecretName().IsMatch(declaration.Name) && !isSecure)
                {
                    Fault(declaration.Position, $"'{declaration.Name}' sounds like a secret, but is not @secure()");
                }
            }
            if (declaration.Value is { } body)
            {
                Visit(body, []);
            }
            if (declaration.Kind == DeclarationKind.Resource)
            {
                Resource(declaration);
            }
            else if (declaration.Kind == DeclarationKind.Module)
            {
                Module(declaration);
            }
        }

        private void Decorator(Declaration declaration, Call decorator)
        {
            if (!Functions.Decorators.TryGetValue(decorator.Name, out DeclarationKind[]? places) || !places.Contains(declaration.Kind))
            {
                Fault(decorator.Position, $"@{decorator.Name}() cannot stand above this");
                return;
            }
            foreach (Expression argument in decorator.Arguments)
            {
                Visit(argument, []);
            }
            if (decorator.Name == "allowed" && decorator.Arguments is [ArrayLiteral allowed] && declaration.Value is Text { Value: { } standard }
                && !allowed.Items.Any(item => item is Text { Value: { } one } && one == standard))
            {
                Fault(declaration.Position, $"the default '{standard}' of '{declaration.Name}' is not allowed");
            }
            if (declaration.Value is Number number && decorator.Arguments is [Number bound]
                && ((decorator.Name == "minValue" && number.Value < bound.Value) || (decorator.Name == "maxValue" && number.Value > bound.Value)))
            {
                Fault(declaration.Position, $"the default {number.Value} of '{declaration.Name}' is outside its bounds");
            }
        }

        private void Resource(Declaration resource)
        {
            if (!ResourceTypes.Known.Contains(resource.Type!))
            {
                Fault(resource.Position, $"'{resource.Type}' was not held against the published types");
            }
            if (BodyOf(resource) is not { } body)
            {
                return;
            }
            if (body["name"] is null)
            {
                Fault(resource.Position, $"the resource '{resource.Name}' has no name");
            }
            if (resource.Type!.StartsWith("Microsoft.Authorization/roleAssignments@", StringComparison.Ordinal)
                && ((body["properties"] as ObjectLiteral)?["roleDefinitionId"] as Call)?.Arguments is not [_, Member { Target: Identifier { Name: "roles" } } or Member { Name: "role" }])
            {
                Fault(resource.Position, $"the role of '{resource.Name}' is none of roles.json");
            }
        }

        private void Module(Declaration module)
        {
            string path = Resolve(file.Path, module.Type!);
            all.usedFiles.Add(path);
            if (!all.files.TryGetValue(path, out BicepFile? target))
            {
                if (!all.sources.ContainsKey(path))
                {
                    Fault(module.Position, $"the module '{module.Type}' is not there");
                }
                return;
            }
            IReadOnlyList<Property> given = (BodyOf(module)?["params"] as ObjectLiteral)?.Properties ?? [];
            foreach (Property property in given)
            {
                if (target.Find(DeclarationKind.Parameter, property.Key.Value ?? "") is not { } parameter)
                {
                    Fault(property.Key.Position, $"the module '{module.Name}' has no parameter '{property.Key.Value}'");
                }
                else
                {
                    Fits(KindOf(parameter.Type!), property.Value, $"the parameter '{parameter.Name}' of '{module.Name}'");
                }
            }
            foreach (Declaration parameter in target.Of(DeclarationKind.Parameter).Where(one => one.Value is null && given.All(property => property.Key.Value != one.Name)))
            {
                Fault(module.Position, $"the module '{module.Name}' lacks its parameter '{parameter.Name}'");
            }
        }

        private static ObjectLiteral? BodyOf(Declaration declaration)
        {
            Expression? body = declaration.Value;
            while (body is Loop or Conditional)
            {
                body = body is Loop loop ? loop.Body : ((Conditional)body).Body;
            }
            return body as ObjectLiteral;
        }

        private void Visit(Expression expression, string[] locals)
        {
            switch (expression)
            {
                case Text text:
                    if (text.Segments.Any(SecretText().IsMatch))
                    {
                        Fault(text.Position, "a key or signature in clear");
                    }
                    if (text.Value is { } value && Guid().IsMatch(value))
                    {
                        Fault(text.Position, "an id in clear: roles stand in roles.json");
                    }
                    Each(text.Holes, locals);
                    break;
                case Identifier identifier:
                    Use(identifier, locals);
                    break;
                case ArrayLiteral array:
                    Each(array.Items, locals);
                    break;
                case ObjectLiteral literal:
                    foreach (IGrouping<string?, Property> twice in literal.Properties.GroupBy(property => property.Key.Value).Where(group => group.Key is not null && group.Count() > 1))
                    {
                        Fault(twice.Last().Key.Position, $"the property '{twice.Key}' is there twice");
                    }
                    foreach (Property property in literal.Properties)
                    {
                        if (property is { Key.Value: "allowSharedKeyAccess" or "adminUserEnabled" or "allowBlobPublicAccess", Value: not Truth { Value: false } })
                        {
                            Fault(property.Key.Position, $"'{property.Key.Value}' lets someone in without an identity");
                        }
                        Visit(property.Key, locals);
                        Visit(property.Value, locals);
                    }
                    break;
                case Member member:
                    MemberOf(member);
                    Visit(member.Target, locals);
                    break;
                case Element element:
                    Visit(element.Target, locals);
                    Visit(element.Index, locals);
                    break;
                case Call call:
                    Function(call, locals);
                    break;
                case Lambda lambda:
                    Visit(lambda.Body, [.. locals, .. lambda.Parameters]);
                    break;
                case Loop loop:
                    Visit(loop.Source, locals);
                    Visit(loop.Body, [.. locals, .. loop.Variables]);
                    break;
                case Conditional conditional:
                    Each([conditional.Condition, conditional.Body], locals);
                    break;
                case Ternary ternary:
                    Each([ternary.Condition, ternary.Then, ternary.Else], locals);
                    break;
                case Binary binary:
                    Each([binary.Left, binary.Right], locals);
                    break;
                case Unary unary:
                    Visit(unary.Operand, locals);
                    break;
            }
        }

        private void Each(IEnumerable<Expression> expressions, string[] locals)
        {
            foreach (Expression expression in expressions)
            {
                Visit(expression, locals);
            }
        }

        private void Use(Identifier identifier, string[] locals)
        {
            if (locals.Contains(identifier.Name) || Namespaces.Contains(identifier.Name))
            {
                return;
            }
            if (!symbols.ContainsKey(identifier.Name))
            {
                Fault(identifier.Position, $"'{identifier.Name}' is not declared");
            }
            used.Add(identifier.Name);
        }

        private void MemberOf(Member member)
        {
            if (member is { Target: Member { Name: "outputs", Target: Identifier module } } && symbols.GetValueOrDefault(module.Name) is { Kind: DeclarationKind.Module } called)
            {
                string path = Resolve(file.Path, called.Type!);
                all.usedOutputs.Add((path, member.Name));
                if (all.files.GetValueOrDefault(path) is { } target && target.Find(DeclarationKind.Output, member.Name) is null)
                {
                    Fault(member.Position, $"the module '{module.Name}' has no output '{member.Name}'");
                }
            }
            else if (member.Target is Identifier variable && symbols.GetValueOrDefault(variable.Name) is { Kind: DeclarationKind.Variable } declared)
            {
                if (declared.Value is ObjectLiteral literal && literal[member.Name] is null)
                {
                    Fault(member.Position, $"'{variable.Name}' has no '{member.Name}'");
                }
                else if (declared.Value is Call { Name: "loadJsonContent", Arguments: [Text { Value: { } json }, ..] })
                {
                    string path = Resolve(file.Path, json);
                    all.usedMembers.Add((path, member.Name));
                    if (all.sources.GetValueOrDefault(path) is { } content && !MembersOf(content).Contains(member.Name))
                    {
                        Fault(member.Position, $"{path} has no '{member.Name}'");
                    }
                }
            }
        }

        private void Function(Call call, string[] locals)
        {
            if (KeyFunction().IsMatch(call.Name))
            {
                Fault(call.Position, $"{call.Name}() reads a key");
            }
            else if (call.Target is null or Identifier { Name: "az" or "sys" })
            {
                if (!Functions.Known.TryGetValue(call.Name, out (int Least, int Most, ValueKind Returns) function))
                {
                    Fault(call.Position, $"{call.Name}() is no function that is known here");
                }
                else if (call.Arguments.Count < function.Least || call.Arguments.Count > function.Most)
                {
                    Fault(call.Position, $"{call.Name}() takes {function.Least} to {function.Most} arguments, not {call.Arguments.Count}");
                }
                if (call.Name is "loadJsonContent" or "loadTextContent" && call.Arguments is [Text { Value: { } path }, ..])
                {
                    string loaded = Resolve(file.Path, path);
                    all.usedFiles.Add(loaded);
                    if (!all.sources.ContainsKey(loaded))
                    {
                        Fault(call.Position, $"{path} is not there");
                    }
                }
            }
            else
            {
                Visit(call.Target, locals);
            }
            Each(call.Arguments, locals);
        }

        private void Fits(ValueKind wanted, Expression value, string what)
        {
            ValueKind found = KindOfValue(value);
            if (wanted != ValueKind.Any && found != ValueKind.Any && wanted != found)
            {
                Fault(value.Position, $"{what} is to be a {wanted}, not a {found}");
            }
        }

        private ValueKind KindOfValue(Expression value) => value switch
        {
            Text => ValueKind.Text,
            Number => ValueKind.Number,
            Truth => ValueKind.Truth,
            ObjectLiteral => ValueKind.Object,
            ArrayLiteral or Loop => ValueKind.Array,
            Ternary { Then: var then, Else: var other } => KindOfValue(then) == KindOfValue(other) ? KindOfValue(then) : ValueKind.Any,
            Binary { Operator: "==" or "!=" or "=~" or "!~" or "<" or ">" or "<=" or ">=" or "&&" or "||" } => ValueKind.Truth,
            Binary { Operator: "+" or "-" or "*" or "/" or "%" } => ValueKind.Number,
            Unary { Operator: "!" } => ValueKind.Truth,
            Call { Target: null, Name: var name } when Functions.Known.TryGetValue(name, out (int, int, ValueKind Returns) function) => function.Returns,
            Identifier { Name: var name } when symbols.GetValueOrDefault(name) is { } declared => declared.Kind switch
            {
                DeclarationKind.Parameter => KindOf(declared.Type!),
                DeclarationKind.Variable when declared.Value is { } inner => KindOfValue(inner),
                _ => ValueKind.Any,
            },
            Member { Target: Member { Name: "outputs", Target: Identifier module }, Name: var output }
                when symbols.GetValueOrDefault(module.Name) is { Kind: DeclarationKind.Module } called
                    && all.files.GetValueOrDefault(Resolve(file.Path, called.Type!))?.Find(DeclarationKind.Output, output) is { } declared => KindOf(declared.Type!),
            Member { Name: "id" or "name", Target: Identifier { Name: var resource } }
                when symbols.GetValueOrDefault(resource) is { Kind: DeclarationKind.Resource } => ValueKind.Text,
            _ => ValueKind.Any,
        };

        private void Fault(int position, string message) => all.faults.Add($"{Place(file.Path, file.Source, position)}: {message}");
    }
}
