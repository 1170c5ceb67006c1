using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Deployment;

/// <summary>The names of the settings that sources read, from the places where they are read.</summary>
internal static class SettingsRead
{
    // What stands in host.json is read by its path below this.
    private const string HostJson = "AzureFunctionsJobHost:";

    /// <summary>The settings that the files read.</summary>
    public static IReadOnlySet<string> In(IEnumerable<string> files) => files
        .SelectMany(file => Of(File.ReadAllText(file)))
        .Where(name => !name.StartsWith(HostJson, StringComparison.Ordinal))
        .Select(SettingsTable.Normalize)
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>The settings that a text reads: <c>configuration["name"]</c>, <c>Read(configuration, "name")</c>, <c>GetEnvironmentVariable("name")</c>.</summary>
    public static IEnumerable<string> Of(string text)
    {
        SyntaxNode root = CSharpSyntaxTree.ParseText(text).GetRoot();
        Dictionary<string, string> constants = root.DescendantNodes().OfType<FieldDeclarationSyntax>()
            .Where(field => field.Modifiers.Any(SyntaxKind.ConstKeyword))
            .SelectMany(field => field.Declaration.Variables)
            .Where(variable => variable.Initializer?.Value is LiteralExpressionSyntax { Token.Value: string })
            .ToDictionary(variable => variable.Identifier.Text, variable => (string)((LiteralExpressionSyntax)variable.Initializer!.Value).Token.Value!);
        string? Text(ExpressionSyntax expression) => expression switch
        {
            LiteralExpressionSyntax { Token.Value: string literal } => literal,
            IdentifierNameSyntax name => constants.GetValueOrDefault(name.Identifier.Text),
            _ => null,
        };
        IEnumerable<string?> indexed = root.DescendantNodes().OfType<ElementAccessExpressionSyntax>()
            // What is assigned is not read.
            .Where(access => IsConfiguration(access.Expression) && !(access.Parent is AssignmentExpressionSyntax assignment && assignment.Left == access))
            .Select(access => Text(access.ArgumentList.Arguments[0].Expression));
        IEnumerable<string?> called = root.DescendantNodes().OfType<InvocationExpressionSyntax>()
            .Where(call => call.ArgumentList.Arguments.Count == 2 && IsConfiguration(call.ArgumentList.Arguments[0].Expression))
            .Select(call => Text(call.ArgumentList.Arguments[1].Expression));
        IEnumerable<string?> variables = root.DescendantNodes().OfType<InvocationExpressionSyntax>()
            .Where(call => call.Expression.ToString().EndsWith("GetEnvironmentVariable", StringComparison.Ordinal))
            .Select(call => Text(call.ArgumentList.Arguments[0].Expression));
        return indexed.Concat(called).Concat(variables).OfType<string>();
    }

    private static bool IsConfiguration(ExpressionSyntax expression) =>
        expression.ToString().Split('.')[^1] is "configuration" or "Configuration" or "commandLine";
}
